// Programs in C and C++ that single claims ask for.

import Processes
import Workloads

extension PeerProgram {
    /// Code of `gcc -fsplit-stack` on libgcc's segments; it answers lines.
    ///
    /// - Throws: ``PeerUnavailable`` without gcc: clang's code needs a gold linker and libgcc besides.
    public static func splitStack(
        environment: CodeEnvironment = CodeEnvironment()
    ) throws(PeerUnavailable) -> PeerProgram {
        try inC(
            "libgcc-split-stack", ("split_stack.c", PackageResources.split_stack_c), by: ["gcc"], ["-fsplit-stack"],
            environment)
    }

    /// A recursion on the stack of a POSIX thread, run with arguments.
    ///
    /// - Throws: ``PeerUnavailable`` without a C compiler.
    public static func thread(
        environment: CodeEnvironment = CodeEnvironment()
    ) throws(PeerUnavailable) -> PeerProgram {
        try inC(
            "thread-stack", ("thread_stack.c", PackageResources.thread_stack_c), by: ["clang", "gcc", "cc"],
            ["-pthread"], environment)
    }

    /// Coroutines of C++20, which have no stacks; it answers lines.
    ///
    /// - Throws: ``PeerUnavailable`` without a compiler of C++20 and its library.
    public static func coroutines20(
        environment: CodeEnvironment = CodeEnvironment()
    ) throws(PeerUnavailable) -> PeerProgram {
        try inC(
            "coroutines-c++20", ("coroutine20.cpp", PackageResources.coroutine20_cpp), by: ["clang++", "g++"],
            ["-std=c++20"], environment, packages: "g++")
    }

    private static func inC(
        _ name: String, _ file: ProgramFile, by compilers: [String], _ flags: [String], _ environment: CodeEnvironment,
        packages: String = "gcc"
    ) throws(PeerUnavailable) -> PeerProgram {
        do throws(ProcessError) {
            let built = try ProgramBuilder(environment: environment).compile(name, file, by: compilers, flags)
            let answer = try Subprocess.finish(built.compiler, ["-dumpfullversion"], seconds: 20)
            let version = answer.output.prefix { !$0.isNewline }
            return PeerProgram(version.isEmpty ? name : "\(name) \(version)", built.path)
        } catch {
            throw PeerUnavailable("\(error); install \(packages)")
        }
    }
}
