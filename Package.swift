// swift-tools-version: 6.2
import PackageDescription

let warningsAreErrorsC: [CSetting] = [.treatAllWarnings(as: .error)]
let warningsAreErrors: [SwiftSetting] = [.treatAllWarnings(as: .error)]

let package = Package(
    name: "faultline",
    products: [
        .library(name: "Faultline", targets: ["Faultline"]),
        .library(name: "FaultlineScheduler", targets: ["FaultlineScheduler"]),
        .executable(name: "faultline", targets: ["CommandLine"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        // The mechanism.
        .target(name: "CSwitch", path: "CShim/Switch", cSettings: warningsAreErrorsC),
        .target(
            name: "CShim", dependencies: ["CSwitch"], path: "CShim", exclude: ["Switch", "README.md"],
            sources: ["src"], cSettings: warningsAreErrorsC),
        // The library.
        .target(
            name: "Faultline", dependencies: ["CShim", "CSwitch"], exclude: ["README.md"],
            swiftSettings: warningsAreErrors),
        // Coroutines on several threads, and their input and output.
        .target(name: "CScheduler", cSettings: warningsAreErrorsC),
        .target(
            name: "FaultlineScheduler", dependencies: ["Faultline", "CScheduler", "CSwitch"], exclude: ["README.md"],
            swiftSettings: warningsAreErrors),
        // Measuring and reporting; neither knows of stacks.
        .target(
            name: "Measurement",
            dependencies: [.product(name: "Histogram", package: "hdrhistogram-swift")], exclude: ["README.md"],
            swiftSettings: warningsAreErrors),
        .target(
            name: "Report", dependencies: ["Measurement"], exclude: ["README.md"],
            resources: [.embedInCode("Resources/records.schema.json"), .embedInCode("Resources/page.css")],
            swiftSettings: warningsAreErrors),
        // Programs that are started, measured and ended; files; what was built is kept.
        .target(name: "CProcesses", cSettings: warningsAreErrorsC),
        .target(
            name: "Processes", dependencies: ["CProcesses"], exclude: ["README.md"], swiftSettings: warningsAreErrors),
        // ELF files and what stack checks take of their code.
        .target(name: "ObjectCode", exclude: ["README.md"], swiftSettings: warningsAreErrors),
        // What runs on a stack, and what it is compared with.
        .target(name: "Kernels", cSettings: warningsAreErrorsC),
        .target(
            name: "Workloads", dependencies: ["Kernels", "ObjectCode", "Processes"], exclude: ["README.md"],
            resources: [
                .embedInCode("Foreign/Drivers"), .embedInCode("Foreign/Programs"),
                .embedInCode("Counting/counting_runner.c"), .embedInCode("Descent/descent.c"),
                .embedInCode("Descent/sized_main.c"), .embedInCode("Descent/depths.c"),
            ],
            swiftSettings: warningsAreErrors),
        .target(name: "CPeers", cSettings: warningsAreErrorsC),
        .target(name: "CProbes", cSettings: warningsAreErrorsC),
        .target(
            name: "Peers", dependencies: ["Workloads", "Processes"], exclude: ["README.md"],
            resources: [
                .embedInCode("Programs"), .embedInCode("go/protocol.go"), .embedInCode("go/growth.go"),
                .embedInCode("go/stacks.go"), .embedInCode("go/requests.go"), .embedInCode("go/internals.go"),
                .embedInCode("go/internals.s"), .embedInCode("go/recursion.go"), .embedInCode("go/kernels.go"),
                .embedInCode("go/preemption.go"), .embedInCode("go/switching.go"), .embedInCode("go/connections.go"),
                .embedInCode("go/life.go"),
                .embedInCode("go/depths.go"),
                .embedInCode("go/parked.go"), .embedInCode("go/calls.go"), .embedInCode("go/closures.go"),
                .embedInCode("go/dump.go"), .embedInCode("go/heads.go"), .embedInCode("go/scan.go"),
                .embedInCode("go/storm.go"), .embedInCode("go/marks.go"), .embedInCode("go/pointers.go"),
            ], swiftSettings: warningsAreErrors),
        // Go programs without their stack checks.
        .target(name: "GoStubs", cSettings: warningsAreErrorsC),
        .target(
            name: "GoBinary", dependencies: ["GoStubs", "ObjectCode"], exclude: ["README.md"],
            swiftSettings: warningsAreErrors),
        // The laboratory and what is done in it; the suites of the benchmark; the claims with their rules.
        .target(
            name: "Experiments",
            dependencies: [
                "Faultline", "Measurement", "Report", "Workloads", "Processes", "ObjectCode", "CPeers",
                "CProbes",
                "Peers", "CFaultKinds", "GoBinary",
            ],
            exclude: ["README.md"],
            resources: [
                .embedInCode("Go/Toolchain/unchecked_compiler.go"), .embedInCode("Go/Toolchain/unchecked_runtime.go"),
                .embedInCode("Go/Toolchain/probing_compiler.go"), .embedInCode("Go/Toolchain/probing_link.sh"),
            ],
            swiftSettings: warningsAreErrors),
        .target(
            name: "Benchmarks",
            dependencies: [
                "Experiments", "Faultline", "FaultlineScheduler", "Measurement", "Report", "Workloads", "Processes",
                "CPeers",
                "CProbes", "Peers", "CSwitch",
            ],
            exclude: ["README.md"], swiftSettings: warningsAreErrors),
        .target(
            name: "Claims",
            dependencies: [
                "Experiments", "Faultline", "Measurement", "Report", "Workloads", "Processes", "ObjectCode", "CProbes",
                "Peers",
                "GoBinary",
            ],
            exclude: ["README.md"],
            resources: [.embedInCode("Resources/hazards.json"), .embedInCode("Resources/related.json")],
            swiftSettings: warningsAreErrors),
        // The command line.
        .target(name: "CFaultKinds", cSettings: warningsAreErrorsC),
        .executableTarget(
            name: "CommandLine",
            dependencies: [
                "Faultline", "Measurement", "Report", "Workloads", "Processes", "Experiments", "Benchmarks", "Claims",
                "ObjectCode", "CFaultKinds", "GoBinary", "Peers",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            exclude: ["README.md"], swiftSettings: warningsAreErrors),
        // Examples that are built and tested here; the others are packages of their own.
        .executableTarget(
            name: "echo-server",
            dependencies: [
                "Faultline", "FaultlineScheduler", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Examples/echo-server", exclude: ["README.md"], swiftSettings: warningsAreErrors),
        .executableTarget(
            name: "echo-load",
            dependencies: [
                "Faultline", "FaultlineScheduler", "Measurement",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Examples/echo-load", swiftSettings: warningsAreErrors),
        // Tests.
        .target(
            name: "TestSupport", dependencies: ["CShim"], path: "Tests/TestSupport", cSettings: warningsAreErrorsC),
        // Traits of tests.
        .target(
            name: "TestNeeds", dependencies: ["Processes", "TestSupport"], path: "Tests/TestNeeds",
            swiftSettings: warningsAreErrors),
        .target(
            name: "StackWords", dependencies: ["TestSupport"], path: "Tests/StackWords",
            swiftSettings: warningsAreErrors),
        .executableTarget(
            name: "FaultChild",
            dependencies: ["Faultline", "FaultlineScheduler", "CShim", "StackWords", "TestSupport"],
            path: "Tests/Programs/FaultChild", swiftSettings: warningsAreErrors),
        // Replaces the process's allocator, likewise; the tests' own process has the other, so they name no dependency.
        .target(name: "LockingAllocator", path: "Tests/LockingAllocator", cSettings: warningsAreErrorsC),
        .executableTarget(
            name: "AllocatorChild", dependencies: ["Faultline", "LockingAllocator"],
            path: "Tests/Programs/AllocatorChild", swiftSettings: warningsAreErrors),
        .executableTarget(
            name: "RecursionChild", dependencies: ["Faultline"], path: "Tests/Programs/RecursionChild",
            swiftSettings: warningsAreErrors),
        // Counts the process's allocations, so nothing else may contain it.
        .target(name: "AllocationCounter", path: "Tests/AllocationCounter", cSettings: warningsAreErrorsC),
        .executableTarget(
            name: "PoolChild",
            dependencies: ["Faultline", "CShim", "FaultlineScheduler", "AllocationCounter", "TestSupport"],
            path: "Tests/Programs/PoolChild", swiftSettings: warningsAreErrors),
        // The shim's internal headers, for tests of its parts.
        .target(
            name: "CShimInternals", dependencies: ["CShim"], path: "Tests/CShimInternals",
            cSettings: warningsAreErrorsC),
        .testTarget(
            name: "CShimTests", dependencies: ["CShim", "CShimInternals", "Measurement"],
            swiftSettings: warningsAreErrors),
        .testTarget(
            name: "FaultlineTests",
            dependencies: ["Faultline", "CShim", "CSwitch", "StackWords", "TestSupport", "Measurement"],
            swiftSettings: warningsAreErrors),
        .testTarget(
            name: "FaultlineSchedulerTests",
            dependencies: [
                "FaultlineScheduler", "Measurement", "CScheduler", "Faultline", "CShim", "TestSupport", "echo-server",
                "echo-load",
            ],
            swiftSettings: warningsAreErrors),
        .testTarget(
            name: "CrashTests",
            dependencies: [
                "Faultline", "CShim", "Processes", "FaultChild", "PoolChild", "RecursionChild",
                "Measurement",
            ],
            swiftSettings: warningsAreErrors),
        .testTarget(
            name: "BenchmarksTests",
            dependencies: [
                "Benchmarks", "CommandLine", "Faultline", "Measurement", "Report", "Workloads", "Processes",
            ],
            swiftSettings: warningsAreErrors),
        .testTarget(
            name: "CommandLineTests",
            dependencies: ["CommandLine", "Experiments", "Faultline", "Report", "Peers"],
            exclude: ["Expected"],
            swiftSettings: warningsAreErrors),
        .testTarget(
            name: "ExperimentsTests",
            dependencies: [
                "Experiments", "CProbes", "Faultline", "GoBinary", "Measurement", "Peers", "Processes", "Report",
                "Workloads",
            ],
            swiftSettings: warningsAreErrors),
        .testTarget(
            name: "ClaimsTests",
            dependencies: ["Claims", "Experiments", "Faultline", "Measurement", "Report", "Workloads"],
            swiftSettings: warningsAreErrors),
        .executableTarget(
            name: "FuzzGoBinary", dependencies: ["GoBinary", "ObjectCode", "Measurement"],
            path: "Tests/Programs/FuzzGoBinary",
            swiftSettings: warningsAreErrors),
        .testTarget(
            name: "GoBinaryTests",
            dependencies: ["GoBinary", "Experiments", "Peers", "ObjectCode", "Workloads", "Processes"],
            exclude: ["Corpus"],
            resources: [
                .embedInCode("Programs/exercise.go"), .embedInCode("Programs/foreign.go"),
                .embedInCode("Programs/foreign_none.go"), .embedInCode("Programs/call_back.c"),
                .embedInCode("Programs/growth.go"), .embedInCode("Programs/foreign_none.s"),
            ], swiftSettings: warningsAreErrors),
        .testTarget(
            name: "PeersTests", dependencies: ["Peers", "Workloads", "Processes"], swiftSettings: warningsAreErrors),
        .testTarget(
            name: "WorkloadsTests", dependencies: ["Workloads", "ObjectCode", "Processes"],
            swiftSettings: warningsAreErrors),
        .testTarget(name: "ProcessesTests", dependencies: ["Processes"], swiftSettings: warningsAreErrors),
        .testTarget(name: "ObjectCodeTests", dependencies: ["ObjectCode"], swiftSettings: warningsAreErrors),
        .testTarget(name: "ReportTests", dependencies: ["Report", "Measurement"], swiftSettings: warningsAreErrors),
        .testTarget(name: "MeasurementTests", dependencies: ["Measurement"], swiftSettings: warningsAreErrors),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .gnu17
)

// Every test may say what it needs.
for target in package.targets where target.type == .test { target.dependencies.append("TestNeeds") }

// The lanes of scripts/test with a sanitizer build these tests and what they use.
if Context.environment["FAULTLINE_LIBRARIES_ONLY"] == "1" {
    var kept: Set<String> = ["FaultlineTests", "FaultlineSchedulerTests"]
    var count = 0
    while count < kept.count {
        count = kept.count
        for target in package.targets where kept.contains(target.name) {
            for case .byNameItem(let name, _) in target.dependencies { kept.insert(name) }
        }
    }
    package.targets.removeAll { !kept.contains($0.name) }
    package.products.removeAll { $0.name == "faultline" }
}
