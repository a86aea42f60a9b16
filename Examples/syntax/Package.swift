// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "syntax",
    dependencies: [
        .package(name: "faultline", path: "../.."),
        .package(url: "https://github.com/swiftlang/swift-syntax", exact: "603.0.1"),
    ],
    targets: [
        .executableTarget(
            name: "syntax",
            dependencies: [
                .product(name: "Faultline", package: "faultline"),
                .product(name: "SwiftParser", package: "swift-syntax"),
                .product(name: "SwiftSyntax", package: "swift-syntax"),
            ],
            swiftSettings: [.treatAllWarnings(as: .error)])
    ]
)
