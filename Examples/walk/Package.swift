// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "walk",
    dependencies: [
        .package(name: "faultline", path: "../..")
    ],
    targets: [
        .executableTarget(
            name: "walk",
            dependencies: [
                .product(name: "Faultline", package: "faultline")
            ],
            swiftSettings: [.treatAllWarnings(as: .error)])
    ]
)
