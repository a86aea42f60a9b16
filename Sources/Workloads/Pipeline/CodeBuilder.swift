// Builds one variant of a workload's code: sources -> optimized IR -> attribute -> object -> shared object.
//
// The variants share the optimized IR, and the code generator runs without further passes on IR (-disable-llvm-passes),
// so they differ in their prologues and in nothing else. What each step is for: Sources/Workloads/README.md.

struct CodeBuilder {
    let cache: ContentCache
    let toolchain: Toolchain
    let source: CodeSource
    let variant: CodeVariant
    let layoutSeed: UInt32?

    /// Part of every key: change it with the steps below.
    private static let pipelineVersion = "1"

    /// The bytes of `cmp %fs:0x70, %rsp; jbe short`: the check of a frame below 256 bytes.
    static let checkLength = 11

    private var attribute: String? {
        switch variant {
        case .builtin, .plain: nil
        case .checked: "\"split-stack\""
        case .padded: "\"patchable-function-entry\"=\"\(Self.checkLength)\""
        }
    }

    private var moduleName: String { "Faultline_\(source.name)" }

    private var frontEndArguments: [String] {
        switch source.language {
        case .c:
            ["-std=gnu17", "-O2", "-fPIC", "-S", "-emit-llvm"]
        case .swift:
            [
                "-emit-ir", "-O", "-wmo", "-parse-as-library", "-swift-version", "6", "-module-name", moduleName,
                "-module-cache-path", "\(cache.folder)/modules",
            ]
        }
    }

    private var codeGeneratorArguments: [String] {
        [
            "-O2", "-fPIC", "-ffunction-sections", "-Wno-override-module", "-Xclang", "-disable-llvm-passes",
            "-c", "-x", "ir",
        ]
    }

    private var linkerArguments: [String] {
        var arguments = [
            "-shared", "-fPIC", "--ld-path=\(toolchain.linker)", "-Wl,-Bsymbolic", "-Wl,-z,now", "-Wl,-z,defs",
            "-Wl,--build-id=none",
        ]
        if let layoutSeed { arguments.append("-Wl,--shuffle-sections=.text.*=\(layoutSeed)") }
        if source.language == .swift {
            let libraries = toolchain.swiftLibraries
            // swiftrt.o registers the types and conformances of the object with the runtime.
            arguments += ["\(libraries)/x86_64/swiftrt.o", "-L\(libraries)", "-Wl,-rpath,\(libraries)", "-lswiftCore"]
        }
        return arguments
    }

    /// The path of the shared object, from the cache or built now.
    func sharedObject() throws(WorkloadError) -> String {
        var key = ContentHash()
        for part in [Self.pipelineVersion, toolchain.identity, source.name, attribute ?? "", Self.hooks] {
            key.add(part)
        }
        for argument in frontEndArguments + codeGeneratorArguments + linkerArguments { key.add(argument) }
        for file in source.files {
            key.add(file.name)
            key.add(file.bytes)
        }
        let entry = "\(source.name)-\(variant)-\(key.digits).so"
        if let path = cache.path(entry) { return path }
        return try cache.withWorkFolder { folder throws(WorkloadError) in
            try build(in: folder)
            return try cache.store(try Files.read("\(folder)/code.so"), as: entry, from: folder)
        }
    }

    private func build(in folder: String) throws(WorkloadError) {
        let code = try intermediateCode(in: folder)
        try Files.write(attribute.map { IntermediateCode.adding($0, to: code) } ?? code, to: "\(folder)/variant.ll")
        try Subprocess.run(
            toolchain.clang, codeGeneratorArguments + ["\(folder)/variant.ll", "-o", "\(folder)/code.o"], in: folder)
        // The notes make linkers rewrite the checks; the other section lists the no-ops and nobody reads it.
        try Subprocess.run(
            toolchain.objcopy,
            [
                "--remove-section=.note.GNU-split-stack", "--remove-section=.note.GNU-no-split-stack",
                "--remove-section=__patchable_function_entries", "\(folder)/code.o",
            ], in: folder)
        try Files.write(Self.hooks.utf8, to: "\(folder)/hooks.s")
        try Subprocess.run(toolchain.clang, ["-c", "\(folder)/hooks.s", "-o", "\(folder)/hooks.o"], in: folder)
        try Subprocess.run(
            toolchain.clang, ["-o", "\(folder)/code.so", "\(folder)/code.o", "\(folder)/hooks.o"] + linkerArguments,
            in: folder)
    }

    /// The optimized IR that all variants start from.
    private func intermediateCode(in folder: String) throws(WorkloadError) -> [UInt8] {
        var key = ContentHash()
        for part in [Self.pipelineVersion, toolchain.identity] + frontEndArguments { key.add(part) }
        for file in source.files {
            key.add(file.name)
            key.add(file.bytes)
        }
        let entry = "\(source.name)-\(key.digits).ll"
        if let code = cache.read(entry) { return code }
        for file in source.files { try Files.write(file.bytes, to: "\(folder)/\(file.name)") }
        let compiler = source.language == .c ? toolchain.clang : toolchain.swiftc ?? "swiftc"
        let units = source.files.map(\.name).filter { !$0.hasSuffix(".h") }
        try Subprocess.run(
            compiler, frontEndArguments + units.map { "\(folder)/\($0)" } + ["-o", "\(folder)/code.ll"], in: folder)
        let code = try Files.read("\(folder)/code.ll")
        _ = try cache.store(code, as: entry, from: folder)
        return code
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
