import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor

extension MatMul: TFLiteOperator {
  static var builtins: [BuiltinOperator] { ["BATCH_MATMUL"] }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    let hybrid = try isHybrid(node)
    var options = FlatObject()
    options.set(0, transposesA)
    options.set(1, transposesB)
    options.set(2, hybrid)
    let version = try hybrid ? 4 : integerVersion(of: node.type(0), int16: 3)
    exporter.add(
      "BATCH_MATMUL",
      version: version,
      node,
      options: (OptionsType.batchMatMul, options)
    )
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    let op = MatMul(
      transposesA: try source.options.bool(0),
      transposesB: try source.options.bool(1)
    )
    try importer.add(
      op,
      [try importer.input(0, of: source), try importer.input(1, of: source)],
      source
    )
  }
}
