// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "release",
    dependencies: [
        .package(name: "faultline", path: "../..")
    ],
    targets: [
        .executableTarget(
            name: "release",
            dependencies: [
                .product(name: "Faultline", package: "faultline")
            ],
            swiftSettings: [.treatAllWarnings(as: .error)])
    ]
)
