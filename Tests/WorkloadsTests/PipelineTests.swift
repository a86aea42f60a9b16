import Glibc
import Processes
import TestNeeds
import Testing

@testable import Workloads

/// One folder for all tests that build: the cache is part of what they test.
private enum Shared {
    static let folder: Result<TemporaryFolder, any Error> = Result {
        // A global is never deinitialized.
        atexit { if case .success(let folder) = Shared.folder { Files.removeFolder(folder.path) } }
        return try TemporaryFolder()
    }
    static func loader() throws -> CodeLoader {
        CodeLoader(environment: CodeEnvironment(cacheFolder: try folder.get().path))
    }
}

@Suite("Pipeline", .serialized)
struct PipelineTests {
    private func prepare(_ workload: any Workload) throws -> PreparedWorkload {
        switch workload.name {
        case "json": try JSONWorkload.prepare(documents: [("test", Array(#"[{"a":[1,2.5,"é"]},null]"#.utf8))])
        case "lisp": try LispWorkload.prepare(programs: [("test", Array("(map (lambda (x) (* x x)) '(1 2 3))".utf8))])
        case "regex": try RegexWorkload.prepare(texts: [("test", Array("func a(b(c)) { \"d\" } // e e\n".utf8))])
        default: try workload.prepare(inputs: [KernelTests.sizes[workload.name]!])
        }
    }

    @Test("all variants of all workloads have the same checksum", .long, arguments: Workloads.all.map(\.name))
    func variants(_ name: String) throws {
        let workload = try Workloads.named(name)
        let prepared = try prepare(workload)
        for language in workload.languages {
            for variant in CodeVariant.allCases {
                let code = try Shared.loader().load(workload, language: language, variant: variant)
                // On an ordinary thread the limit of checked code is 0 and every check passes.
                let result = try prepared.run(code)
                #expect(result.operations == prepared.operations)
                #expect((code.path == nil) == (variant == .builtin))
            }
        }
    }

    @Test(
        "prologues have checks, nothing, or no-ops",
        arguments: ["fib", "sort", "trees", "closures", "json", "lisp", "regex"])
    func prologues(_ name: String) throws {
        let workload = try Workloads.named(name)
        for language in workload.languages {
            func machineCode(_ variant: CodeVariant) throws -> MachineCode {
                let code = try Shared.loader().load(workload, language: language, variant: variant)
                return try MachineCode(try #require(code.path))
            }
            let (plain, checked, padded) = (
                try machineCode(.plain), try machineCode(.checked), try machineCode(.padded)
            )
            #expect(plain.own.count == checked.own.count)
            #expect(plain.own.allSatisfy { !$0.beginsWithCheck && !$0.beginsWithPadding })
            #expect(padded.own.allSatisfy { !$0.beginsWithCheck && $0.beginsWithPadding })
            let withCheck = checked.own.filter(\.beginsWithCheck)
            let without = checked.own.filter { !$0.beginsWithCheck }
            // Only functions without a frame have none: short ones that push nothing and call nothing.
            #expect(!withCheck.isEmpty)
            #expect(without.allSatisfy { $0.code.first != 0x55 && $0.code.first != 0x53 && $0.code.first != 0x41 })
            func morestack(_ object: MachineCode) throws -> Int {
                try #require(object.functions.first { $0.name == "__morestack" }).address
            }
            let (inChecked, inPlain) = (try morestack(checked), try morestack(plain))
            #expect(withCheck.allSatisfy { $0.calls(inChecked) })
            #expect(plain.own.allSatisfy { !$0.calls(inPlain) })
            for object in [plain, checked, padded] {
                #expect(!object.sections.contains { $0.contains("split-stack") || $0.contains("patchable") })
            }
        }
    }

    /// Hooks that count calls and let the function go on: `__morestack` returns behind the `ret` that follows its call.
    private static let probe = """
            .text
            .globl probe_morestack
        probe_morestack:
            lock incq probe_count(%rip)
            popq %r10
            incq %r10
            jmpq *%r10
            .globl probe_allocate
        probe_allocate:
            lock incq probe_count(%rip)
            jmp malloc@PLT
            .globl probe_set_limit
        probe_set_limit:
            movq %rdi, %fs:0x70
            ret
            .bss
            .globl probe_count
            .protected probe_count
            .type probe_count, @object
            .size probe_count, 8
        probe_count:
            .zero 8
            .section .note.GNU-stack, "", @progbits

        """

    @Test("with a limit above the stack every check calls the hook, and results do not change")
    func hooks() throws {
        let folder = try TemporaryFolder()
        let toolchain = try Toolchain.find(searchPath: CodeEnvironment().searchPath, needsSwift: true)
        try Files.write(Self.probe.utf8, to: "\(folder.path)/probe.s")
        try Subprocess.run(
            toolchain.clang,
            [
                "-shared", "--ld-path=\(toolchain.linker)", "-Wl,-Bsymbolic", "-o", "\(folder.path)/probe.so",
                "\(folder.path)/probe.s",
            ],
            in: folder.path)
        let handle = try #require(dlopen("\(folder.path)/probe.so", RTLD_NOW))
        func symbol(_ name: String) throws -> UInt { try #require(dlsym(handle, name).map { UInt(bitPattern: $0) }) }
        let setLimit = unsafeBitCast(try symbol("probe_set_limit"), to: (@convention(c) @Sendable (UInt) -> Void).self)
        let count = try symbol("probe_count")
        func calls() -> UInt64 { UnsafePointer<UInt64>(bitPattern: count)!.pointee }
        let hooks = StackCheckHooks(
            morestack: try #require(UnsafeRawPointer(bitPattern: try symbol("probe_morestack"))),
            allocateStackSpace: try #require(UnsafeRawPointer(bitPattern: try symbol("probe_allocate"))))
        for workload in Workloads.all {
            let prepared = try prepare(workload)
            for language in workload.languages {
                // Other hooks for code that is loaded already: another copy.
                _ = try Shared.loader().load(workload, language: language, variant: .checked)
                let code = try Shared.loader().load(workload, language: language, variant: .checked, hooks: hooks)
                let before = calls()
                let result = onLargeStack {
                    setLimit(UInt(Int.max))
                    defer { setLimit(0) }
                    return Result { try prepared.run(code) }
                }
                #expect(try result.get().operations == prepared.operations)
                #expect(calls() > before, "\(workload.name)")
            }
        }
    }

    @Test("a layout seed changes the order of functions and nothing else")
    func layout() throws {
        let workload = SortWorkload()
        let prepared = try workload.prepare(inputs: ["1000"])
        var orders: Set<[String]> = []
        for seed in [nil, 1, 2, 3] as [UInt32?] {
            let code = try Shared.loader().load(workload, variant: .plain, layoutSeed: seed)
            _ = try prepared.run(code)
            let object = try MachineCode(try #require(code.path))
            orders.insert(object.own.sorted { $0.address < $1.address }.map(\.name))
        }
        #expect(orders.count > 1)
        #expect(
            line { try Shared.loader().load(workload, variant: .builtin, layoutSeed: 1).workload }
                == "a layout seed needs code built at run time; choose the plain, checked or padded variant")
    }

    @Test("an entry of the cache is used again, a damaged one is replaced")
    func cache() throws {
        let folder = try TemporaryFolder()
        let environment = CodeEnvironment(cacheFolder: folder.path)
        let path = try #require(try CodeLoader(environment: environment).load(TakWorkload(), variant: .plain).path)
        func inode() -> UInt {
            var status = stat()
            return stat(path, &status) == 0 ? status.st_ino : 0
        }
        let first = inode()
        _ = try CodeLoader(environment: environment).load(TakWorkload(), variant: .plain)
        #expect(inode() == first)
        // Damage a copy that replaces it: the file itself is mapped.
        var bytes = try Files.read(path)
        let original = bytes
        bytes[bytes.count / 2] ^= 1
        try Files.write(bytes, to: "\(path).damaged")
        rename("\(path).damaged", path)
        _ = try CodeLoader(environment: environment).load(TakWorkload(), variant: .plain)
        #expect(try Files.read(path) == original)
        // No folder of work in progress is left behind.
        var found = glob_t()
        #expect(glob("\(folder.path)/faultline-*", 0, nil, &found) == GLOB_NOMATCH)
        globfree(&found)
    }

    @Test("a cache that cannot be used is replaced by a temporary one")
    func unwritableCache() throws {
        let environment = CodeEnvironment(cacheFolder: "/proc/faultline")
        let code = try CodeLoader(environment: environment).load(TakWorkload(), variant: .plain)
        #expect(try #require(code.path).hasPrefix("/proc") == false)
    }

    @Test("a missing toolchain is one clear line")
    func missingToolchain() throws {
        let folder = try TemporaryFolder()
        let environment = CodeEnvironment(searchPath: folder.path, cacheFolder: folder.path)
        #expect(
            line { try CodeLoader(environment: environment).load(FibWorkload(), variant: .checked).workload }
                == "clang, llvm-objcopy, ld.lld not found in PATH: code variants are built at run time by the Swift "
                + "toolchain's clang; put the toolchain's bin folder on PATH, or use the builtin variant")
        let message = line { try JSONWorkload(environment: environment).prepare(inputs: []) }
        #expect(
            message.hasPrefix("json: the default input is made by clang; name JSON files instead, or fix this: clang,"))
        #expect(
            line { try CodeLoader().load(TakWorkload(), language: .swift, variant: .plain).workload }
                == "tak is not written in swift; choose from: c")
    }

    @Test("clang's syntax tree is the default input, and comes from the cache the second time")
    func syntaxDump() throws {
        let environment = CodeEnvironment(cacheFolder: try Shared.folder.get().path)
        let first = try SyntaxDump.documents(environment)
        #expect(first.count == EmbeddedFile.kernels.count)
        #expect(first.allSatisfy { $0.bytes.count > 100_000 && $0.bytes.first == UInt8(ascii: "{") })
        let second = try SyntaxDump.documents(environment)
        #expect(zip(first, second).allSatisfy { $0.bytes == $1.bytes })
        let smallest = try #require(first.min { $0.bytes.count < $1.bytes.count })
        _ = try JSONWorkload.prepare(documents: [smallest]).run(CodeLoader().load(JSONWorkload(), variant: .builtin))
    }

    @Test("attributes go to definitions with a fixed number of arguments")
    func intermediateCode() {
        func edited(_ text: String) -> String {
            String(decoding: IntermediateCode.adding("\"x\"", to: Array(text.utf8)), as: UTF8.self)
        }
        #expect(edited("define i32 @f(i32 %0) #0 {") == "define i32 @f(i32 %0) \"x\" #0 {")
        #expect(
            edited("define internal range(i64 0, 2) i64 @\"a(b\"(ptr align(8) %0) local_unnamed_addr #1 comdat {")
                == "define internal range(i64 0, 2) i64 @\"a(b\"(ptr align(8) %0) local_unnamed_addr \"x\" #1 comdat {")
        #expect(edited("define void @v(ptr %0, ...) #0 {") == "define void @v(ptr %0, ...) #0 {")
        #expect(edited("declare void @d()\n  call void @e()\n") == "declare void @d()\n  call void @e()\n")
        #expect(
            String(
                decoding: IntermediateCode.naming(Array("define private void @a() {\n private\n}\n".utf8)),
                as: UTF8.self)
                == "define internal void @a() {\n private\n}\n")
    }
}
