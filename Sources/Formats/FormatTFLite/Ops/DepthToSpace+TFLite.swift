import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor

extension DepthToSpace: TFLiteOperator {
  static var builtins: [BuiltinOperator] { ["DEPTH_TO_SPACE"] }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    var options = FlatObject()
    options.set(0, Int32(clamping: blockSize))
    exporter.add(
      "DEPTH_TO_SPACE",
      version: integerVersion(of: try node.type(0)),
      node,
      options: (OptionsType.depthToSpace, options)
    )
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    let op = DepthToSpace(blockSize: try source.options.int(0))
    try importer.add(op, [try importer.input(0, of: source)], source)
  }
}

extension SpaceToDepth: TFLiteOperator {
  static var builtins: [BuiltinOperator] { ["SPACE_TO_DEPTH"] }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    var options = FlatObject()
    options.set(0, Int32(clamping: blockSize))
    exporter.add(
      "SPACE_TO_DEPTH",
      version: integerVersion(of: try node.type(0)),
      node,
      options: (OptionsType.spaceToDepth, options)
    )
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    let op = SpaceToDepth(blockSize: try source.options.int(0))
    try importer.add(op, [try importer.input(0, of: source)], source)
  }
}
