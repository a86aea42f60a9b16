// swift-tools-version: 6.2
// Code that others wrote, on coroutines: run by scripts/foreign. A package of its own, because SQLite and zlib are no
// dependencies of the library.
import PackageDescription

let package = Package(
    name: "foreign",
    dependencies: [.package(name: "faultline", path: "../..")],
    targets: [
        .target(
            name: "ForeignCode", cSettings: [.treatAllWarnings(as: .error)],
            cxxSettings: [.treatAllWarnings(as: .error)],
            linkerSettings: [.linkedLibrary("sqlite3"), .linkedLibrary("z")]),
        .executableTarget(
            name: "foreign", dependencies: ["ForeignCode", .product(name: "Faultline", package: "faultline")]),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .gnu17,
    cxxLanguageStandard: .cxx17
)
