// swift-tools-version: 6.1
import PackageDescription

// A package that uses dfkit's tensors and layers and nothing else: no codecs, no networks.
let package = Package(
  name: "UseCore",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "dfkit", path: "../..")],
  targets: [
    .executableTarget(
      name: "UseCore", dependencies: [.product(name: "DeepfakeCore", package: "dfkit")])
  ],
  swiftLanguageModes: [.v6])
