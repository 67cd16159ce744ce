import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor

extension CumulativeSum: TFLiteOperator {
  static var builtins: [BuiltinOperator] { ["CUMSUM"] }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    var options = FlatObject()
    options.set(0, isExclusive)
    options.set(1, isReversed)
    exporter.add(
      "CUMSUM",
      inputs: [
        exporter.tensor(node.input(0)),
        try exporter.constant("\(node.name)/axis", [axis], shape: []),
      ],
      outputs: node.outputs.map { exporter.tensor($0) },
      options: (OptionsType.cumsum, options)
    )
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    guard let axis = try importer.integers(1, of: source).first else {
      throw Diagnostic("TFL017", "its axis is missing")
    }
    let op = CumulativeSum(
      axis: axis,
      isExclusive: try source.options.bool(0),
      isReversed: try source.options.bool(1)
    )
    try importer.add(op, [try importer.input(0, of: source)], source)
  }
}
