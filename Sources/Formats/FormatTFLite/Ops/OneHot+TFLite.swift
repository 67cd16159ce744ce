import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor

extension OneHot: TFLiteOperator {
  static var builtins: [BuiltinOperator] { ["ONE_HOT"] }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    let rank = try node.outputType.shape.rank
    var options = FlatObject()
    // The format means the last axis by -1 and knows no other negative one.
    let axis = axis < 0 ? axis + rank : axis
    options.set(0, Int32(clamping: axis == rank - 1 ? -1 : axis))
    exporter.add(
      "ONE_HOT",
      inputs: [
        exporter.tensor(node.input(0)),
        try exporter.constant("\(node.name)/depth", [depth], shape: []),
        try exporter.scalarTensor(node.input(1), name: "\(node.name)/on"),
        try exporter.scalarTensor(node.input(2), name: "\(node.name)/off"),
      ],
      outputs: node.outputs.map { exporter.tensor($0) },
      options: (OptionsType.oneHot, options)
    )
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    guard let depth = try importer.integers(1, of: source).first else {
      throw Diagnostic("TFL017", "the depth is missing")
    }
    try importer.add(
      OneHot(depth: depth, axis: try source.options.int(0)),
      [
        try importer.input(0, of: source), try importer.input(2, of: source),
        try importer.input(3, of: source),
      ],
      source
    )
  }
}

extension TFLiteExporter {
  /// A Constant of one element as a scalar.
  ///
  /// - Throws: `Diagnostic` TFL107 for a value that is computed and no scalar.
  mutating func scalarTensor(_ id: ValueID?, name: String) throws -> Int32 {
    guard let id else { return -1 }
    guard graph[id].type.shape.rank > 0 else { return tensor(id) }
    guard let known = graph[id].constant, known.count == 1 else {
      throw Diagnostic("TFL107", "'\(graph[id].name)' is no scalar")
    }
    return constant(name, known.reshaped([]))
  }
}
