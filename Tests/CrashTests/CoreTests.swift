import CShim
import Glibc
import Processes
import TestNeeds
import Testing

/// A core file holds the stacks that run, not the address space of those that wait.
@Suite("Core files") struct CoreFiles {
    @Test("10,000 stacks of 8 MiB are left out") func omitted() throws {
        let result = try expectChild("core abort none 10000 none", ends: .signalled(SIGABRT), seconds: 60)
        #expect(try #require(result.number("dumped")) < 200, "\(result.output)")
    }

    private static let endings: [(how: String, signal: Int32)] = [
        ("abort", SIGABRT), ("nil", SIGSEGV), ("trap", SIGILL), ("breakpoint", SIGTRAP), ("\(SIGFPE)", SIGFPE),
        ("\(SIGBUS)", SIGBUS),
    ]

    @Test("a process ends of the signal that it had", arguments: endings) func signals(how: String, signal: Int32)
        throws
    {
        for refused in ["none", "\(fl_site.FL_SITE_CORE_SHOW.rawValue)", "\(fl_site.FL_SITE_CORE_OMIT.rawValue)"] {
            try expectChild("core \(how) none 10 \(refused)", ends: .signalled(signal), seconds: 60)
        }
    }

    @Test("the debugger shows the running coroutine", .needs(.gdb), .needs(.coreFile), arguments: endings)
    func frames(how: String, signal: Int32) throws {
        let folder = try TemporaryFolder()
        try expectChild("core \(how) \(folder.path) 10000 none", ends: .signalled(signal), seconds: 120)
        let core = try Self.core(in: folder.path)
        var status = stat()
        try #require(stat(core, &status) == 0)
        // Tables and libraries, and no arena of 512 GiB.
        #expect(status.st_size < 300 << 20, "\(status.st_size >> 20) MiB")
        let gdb = try #require(Need.path(of: "gdb"))
        let result = try ChildProcess.run(
            program: gdb, ["-nx", "-batch", "-ex", "backtrace", ChildProcess.faultChild, core], seconds: 120)
        var rest = Substring(result.output)
        for frame in ["coreInner", "coreOuter", "<signal handler called>", "main"] {
            let found = rest.firstRange(of: frame)
            #expect(found != nil, "no frame \(frame), in order, in: \(result.output.suffix(4000))")
            if let found { rest = rest[found.upperBound...] }
        }
    }

    static func core(in folder: String) throws -> String {
        let names = try ChildProcess.run(program: "/bin/ls", [folder]).output.split(separator: "\n")
        return "\(folder)/\(try #require(names.first { $0.hasPrefix("core") }))"
    }
}
