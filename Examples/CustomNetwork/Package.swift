// swift-tools-version: 6.1
import PackageDescription

// A package that brings a family of networks of its own.
let package = Package(
  name: "CustomNetwork",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "dfkit", path: "../..")],
  targets: [
    .executableTarget(
      name: "CustomNetwork", dependencies: [.product(name: "DFKit", package: "dfkit")])
  ],
  swiftLanguageModes: [.v6])
