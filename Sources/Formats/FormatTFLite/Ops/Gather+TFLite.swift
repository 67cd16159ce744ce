import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor

extension Gather: TFLiteOperator {
  static var builtins: [BuiltinOperator] { ["GATHER"] }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    var options = FlatObject()
    options.set(0, Int32(clamping: axis))
    let (x, indices) = (try node.type(0), try node.type(1))
    let version =
      switch (x.dtype, indices.dtype) {
      case (.int4, _): 7
      case (_, .int16): 6
      case (.int16, _): 4
      case (.bool, _): 3
      default: integerVersion(of: x)
      }
    exporter.add("GATHER", version: version, node, options: (OptionsType.gather, options))
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    guard try source.options.int(1) == 0 else { return try importer.addOpaque(source) }
    try importer.add(
      Gather(axis: try source.options.int(0)),
      [try importer.input(0, of: source), try importer.input(1, of: source)],
      source
    )
  }
}
