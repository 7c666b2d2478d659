// swift-tools-version: 6.1
import PackageDescription

// A package that brings a scorer and an aggregator of its own.
let package = Package(
  name: "CustomEnsemble",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "dfkit", path: "../..")],
  targets: [
    .executableTarget(
      name: "CustomEnsemble", dependencies: [.product(name: "Classifiers", package: "dfkit")])
  ],
  swiftLanguageModes: [.v6])
