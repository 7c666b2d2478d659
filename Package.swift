// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "dfkit",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "dfkit", targets: ["dfkit-cli"]),
    .library(name: "DFKit", targets: ["DFKit"]),
    .library(name: "Training", targets: ["Training"]),
    .library(name: "FaceData", targets: ["FaceData"]),
    .library(name: "Measures", targets: ["Measures"]),
    .library(name: "Classifiers", targets: ["Classifiers"]),
    .library(name: "FaceDetect", targets: ["FaceDetect"]),
    .library(name: "MediaIO", targets: ["MediaIO"]),
    .library(name: "DeepfakeCore", targets: ["DeepfakeCore"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
  ],
  targets: [
    // Each layer imports only what stands below it.
    .executableTarget(
      name: "dfkit-cli",
      dependencies: [
        "DFKit", "Settings", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .target(
      name: "DFKit",
      dependencies: [
        "Training", "FaceData", "Measures", "Classifiers", "FaceDetect", "MediaIO", "DeepfakeCore",
        "Settings",
        "CDFResources", "CZlib", "Yams", .product(name: "Mustache", package: "swift-mustache"),
      ]),
    .target(
      name: "Training",
      dependencies: [
        "FaceData", "Measures", "Classifiers", "FaceDetect", "MediaIO", "DeepfakeCore", "Settings",
        "CDFKernels",
      ]),
    .target(
      name: "FaceData",
      dependencies: [
        "Measures", "Classifiers", "FaceDetect", "MediaIO", "DeepfakeCore", "CDFKernels",
      ]),
    .target(name: "Measures", dependencies: ["DeepfakeCore"]),
    .target(name: "Classifiers", dependencies: ["DeepfakeCore"]),
    .target(
      name: "FaceDetect",
      dependencies: [
        "DeepfakeCore", .product(name: "HeapModule", package: "swift-collections"),
      ]),
    .target(
      name: "MediaIO",
      dependencies: ["DeepfakeCore", "CMediaShims", "CPNG", "CJPEG", "CFFmpeg"]),
    .target(
      name: "DeepfakeCore",
      dependencies: [
        "Settings", "CDFKernels", "COpenBLAS",
        .product(name: "OrderedCollections", package: "swift-collections"),
      ]),
    .target(name: "Settings"),
    .target(name: "CDFKernels"),
    .target(name: "CMediaShims", dependencies: ["CPNG", "CJPEG", "CFFmpeg"]),
    .target(name: "CDFResources", exclude: ["Catalogue", "Pages", "Recipes", "Weights"]),

    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas",
      providers: [.apt(["libopenblas-dev"]), .brew(["openblas"])]),
    .systemLibrary(
      name: "CPNG", pkgConfig: "libpng",
      providers: [.apt(["libpng-dev"]), .brew(["libpng"])]),
    .systemLibrary(
      name: "CJPEG", pkgConfig: "libjpeg",
      providers: [.apt(["libjpeg-dev"]), .brew(["jpeg-turbo"])]),
    .systemLibrary(
      name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
    .systemLibrary(
      name: "CFFmpeg", pkgConfig: "libavformat",
      providers: [
        .apt(["libavformat-dev", "libavcodec-dev", "libavutil-dev", "libswscale-dev"]),
        .brew(["ffmpeg"]),
      ]),

    .testTarget(name: "CDFKernelsTests", dependencies: ["CDFKernels"]),
    .testTarget(name: "DeepfakeCoreTests", dependencies: ["DeepfakeCore", "TestSupport"]),
    .testTarget(name: "MediaIOTests", dependencies: ["MediaIO", "TestSupport"]),
    .testTarget(name: "FaceDetectTests", dependencies: ["FaceDetect", "MediaIO", "TestSupport"]),
    .testTarget(name: "ClassifiersTests", dependencies: ["Classifiers", "TestSupport"]),
    .testTarget(name: "MeasuresTests", dependencies: ["Measures", "TestSupport"]),
    .testTarget(name: "FaceDataTests", dependencies: ["FaceData", "TestSupport"]),
    .testTarget(name: "TrainingTests", dependencies: ["Training", "Settings", "TestSupport"]),
    .testTarget(name: "DFKitTests", dependencies: ["DFKit", "Settings", "TestSupport"]),
    .testTarget(name: "CommandTests", dependencies: ["DFKit", "TestSupport"]),
    .target(name: "TestSupport", dependencies: ["DeepfakeCore"], path: "Tests/TestSupport"),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c17
)
