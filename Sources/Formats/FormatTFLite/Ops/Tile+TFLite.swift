import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor

extension Tile: TFLiteOperator {
  static var builtins: [BuiltinOperator] { ["TILE"] }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    exporter.add(
      "TILE",
      version: integerVersion(of: try node.type(0), int8: 3),
      inputs: [
        exporter.tensor(node.input(0)),
        try exporter.constant("\(node.name)/repeats", repeats),
      ],
      outputs: node.outputs.map { exporter.tensor($0) },
      options: (OptionsType.tile, FlatObject())
    )
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    let repeats = try importer.integers(1, of: source)
    try importer.add(Tile(repeats), [try importer.input(0, of: source)], source)
  }
}

extension BroadcastTo: TFLiteOperator {
  static var builtins: [BuiltinOperator] { ["BROADCAST_TO"] }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    let (x, output) = (try node.type(0), try node.outputType)
    guard output.shape.rank <= 8 else { throw Diagnostic("TFL103", "\(output.shape)") }
    exporter.add(
      "BROADCAST_TO",
      version: integerVersion(of: x, int8: 3, int16: 3) == 3 ? 3 : 2,
      inputs: [
        exporter.tensor(node.input(0)),
        try exporter.constant("\(node.name)/shape", output.shape.dims),
      ],
      outputs: node.outputs.map { exporter.tensor($0) },
      options: (OptionsType.broadcastTo, FlatObject())
    )
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    let shape = try importer.integers(1, of: source)
    try importer.add(BroadcastTo(shape), [try importer.input(0, of: source)], source)
  }
}
