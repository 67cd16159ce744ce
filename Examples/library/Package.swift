// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "library",
  platforms: [.macOS(.v15)],
  dependencies: [.package(name: "assay", path: "../..")],
  targets: [
    .executableTarget(
      name: "library",
      dependencies: [
        .product(name: "AssayCatalog", package: "assay"),
        .product(name: "AssayGraph", package: "assay"),
      ]
    )
  ]
)
