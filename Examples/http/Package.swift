// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "http",
    dependencies: [
        .package(name: "faultline", path: "../.."),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
    ],
    targets: [
        .executableTarget(
            name: "http",
            dependencies: [
                .product(name: "Faultline", package: "faultline"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: [.treatAllWarnings(as: .error)])
    ]
)
