// Builds the variants of a workload's code: sources -> optimized IR -> attribute -> object -> shared object.
//
// The variants share the optimized IR, and the code generator runs without further passes on IR (-disable-llvm-passes),
// so they differ in their prologues and in nothing else. What each step is for: Sources/Workloads/README.md.
//
// Objects are built for all variants at once and kept; a layout is a link of the same object in another order.

import Processes

struct CodeBuilder {
    let cache: ContentCache
    let toolchain: Toolchain
    let source: CodeSource
    var inlining = CodeInlining.standard

    /// Part of every key: change it with the steps below.
    private static let pipelineVersion = "3"

    /// The bytes of `cmp %fs:0x70, %rsp; jbe short`: the check of a frame below 256 bytes.
    static let checkLength = 11

    private static func attribute(_ variant: CodeVariant) -> String? {
        switch variant {
        case .builtin, .plain: nil
        case .checked: "\"split-stack\""
        case .padded: "\"patchable-function-entry\"=\"\(checkLength)\""
        }
    }

    private var moduleName: String { "Faultline_\(source.name)" }

    private var frontEndArguments: [String] {
        switch source.language {
        case .c:
            ["-std=gnu17", "-O2", "-fPIC", "-S", "-emit-llvm"] + source.flags + inlining.arguments
        case .swift:
            [
                "-emit-ir", "-O", "-wmo", "-parse-as-library", "-swift-version", "6", "-module-name", moduleName,
                "-module-cache-path", "\(cache.folder)/modules",
            ] + source.flags
        }
    }

    private var codeGeneratorArguments: [String] {
        [
            "-O2", "-fPIC", "-ffunction-sections", "-Wno-override-module", "-Xclang", "-disable-llvm-passes",
            "-c", "-x", "ir",
        ]
    }

    private func linkerArguments(_ layoutSeed: UInt32?) -> [String] {
        var arguments = [
            "-shared", "-fPIC", "--ld-path=\(toolchain.linker)", "-Wl,-Bsymbolic", "-Wl,-z,now", "-Wl,-z,defs",
            "-Wl,--build-id=none",
        ]
        if let layoutSeed { arguments.append("-Wl,--shuffle-sections=.text.*=\(layoutSeed)") }
        switch source.language {
        case .c:
            arguments.append("-lm")
        case .swift:
            let libraries = toolchain.swiftLibraries
            // swiftrt.o registers the types and conformances of the object with the runtime.
            arguments += ["\(libraries)/x86_64/swiftrt.o", "-L\(libraries)", "-Wl,-rpath,\(libraries)", "-lswiftCore"]
        }
        return arguments
    }

    /// The path of the shared object, from the cache or built now.
    func sharedObject(_ variant: CodeVariant, layoutSeed: UInt32?) throws(ProcessError) -> String {
        let objectEntry = objectEntry(variant)
        let arguments = linkerArguments(layoutSeed)
        var key = ContentHash()
        for part in [objectEntry] + arguments { key.add(part) }
        let entry = "\(source.name)-\(variant)-\(key.digits).so"
        if let path = cache.path(entry) { return path }
        return try cache.withWorkFolder { folder throws(ProcessError) in
            if cache.path(objectEntry) == nil { try buildObjects(in: folder) }
            try Subprocess.run(
                toolchain.clang, ["-o", "\(folder)/code.so", "\(cache.folder)/\(objectEntry)"] + arguments, in: folder)
            return try cache.store(try Files.read("\(folder)/code.so"), as: entry, from: folder)
        }
    }

    private func objectEntry(_ variant: CodeVariant) -> String {
        var key = ContentHash()
        for part in [
            Self.pipelineVersion, toolchain.identity, source.name, source.identity, Self.attribute(variant) ?? "",
            Self.hooks,
        ] { key.add(part) }
        for argument in frontEndArguments + codeGeneratorArguments { key.add(argument) }
        return "\(source.name)-\(variant)-\(key.digits).o"
    }

    /// Builds and keeps one relocatable object for each variant.
    private func buildObjects(in folder: String) throws(ProcessError) {
        for file in source.files { try Files.write(file.bytes, to: "\(folder)/\(file.name)") }
        let units = try intermediateCode(in: folder)
        try Files.write(Self.hooks.utf8, to: "\(folder)/hooks.s")
        try Subprocess.run(toolchain.clang, ["-c", "\(folder)/hooks.s", "-o", "\(folder)/hooks.o"], in: folder)
        for variant in [CodeVariant.plain, .checked, .padded] {
            var objects = ["\(folder)/hooks.o"]
            for (index, unit) in units.enumerated() {
                let object = "\(folder)/unit-\(index).o"
                try build(unit, variant, as: object, in: folder)
                objects.append(object)
            }
            try Subprocess.run(toolchain.linker, ["-r", "-o", "\(folder)/code.o"] + objects, in: folder)
            _ = try cache.store(try Files.read("\(folder)/code.o"), as: objectEntry(variant), from: folder)
        }
    }

    /// Compiles IR as a variant.
    private func build(
        _ unit: String, _ variant: CodeVariant, as object: String, in folder: String
    ) throws(ProcessError) {
        let input: String
        if let attribute = Self.attribute(variant) {
            input = "\(folder)/variant.ll"
            try Files.write(IntermediateCode.adding(attribute, to: try Files.read(unit)), to: input)
        } else {
            input = unit
        }
        try Subprocess.run(toolchain.clang, codeGeneratorArguments + [input, "-o", object], in: folder)
        // The notes make linkers rewrite the checks; the other section lists the no-ops and is never read.
        try Subprocess.run(
            toolchain.objcopy,
            [
                "--remove-section=.note.GNU-split-stack", "--remove-section=.note.GNU-no-split-stack",
                "--remove-section=__patchable_function_entries", object,
            ], in: folder)
    }

    /// The files of optimized IR that all variants start from: one for each C file, one for a Swift module.
    private func intermediateCode(in folder: String) throws(ProcessError) -> [String] {
        let units = source.units.map { $0.hasPrefix("/") ? $0 : "\(folder)/\($0)" }
        switch source.language {
        case .c:
            var results: [String] = []
            for (index, unit) in units.enumerated() {
                let result = "\(folder)/unit-\(index).ll"
                try Subprocess.run(toolchain.clang, frontEndArguments + [unit, "-o", result], in: folder)
                results.append(result)
            }
            return results
        case .swift:
            let result = "\(folder)/module.ll"
            try Subprocess.run(
                toolchain.swiftc ?? "swiftc", frontEndArguments + units + ["-o", result], in: folder)
            try Files.write(IntermediateCode.naming(try Files.read(result)), to: result)
            return [result]
        }
    }

    /// What the checks call, in each object itself, so that nothing has to be exported by the program that loads it.
    /// Jumps, so that every register and flag arrives as the prologue left it; `__morestack` has its own calling
    /// convention.
    private static let hooks = """
            .text
            .globl __morestack
            .hidden __morestack
            .type __morestack, @function
            .p2align 4
        __morestack:
            .cfi_startproc
            jmpq *\(CodeLoader.morestackSymbol)(%rip)
            .cfi_endproc
            .size __morestack, . - __morestack

            .globl __morestack_allocate_stack_space
            .hidden __morestack_allocate_stack_space
            .type __morestack_allocate_stack_space, @function
            .p2align 4
        __morestack_allocate_stack_space:
            .cfi_startproc
            jmpq *\(CodeLoader.allocateSymbol)(%rip)
            .cfi_endproc
            .size __morestack_allocate_stack_space, . - __morestack_allocate_stack_space

            .bss
            .p2align 3
            .globl \(CodeLoader.morestackSymbol)
            .protected \(CodeLoader.morestackSymbol)
            .type \(CodeLoader.morestackSymbol), @object
            .size \(CodeLoader.morestackSymbol), 8
        \(CodeLoader.morestackSymbol):
            .zero 8
            .globl \(CodeLoader.allocateSymbol)
            .protected \(CodeLoader.allocateSymbol)
            .type \(CodeLoader.allocateSymbol), @object
            .size \(CodeLoader.allocateSymbol), 8
        \(CodeLoader.allocateSymbol):
            .zero 8
            .section .note.GNU-stack, "", @progbits

        """
}
