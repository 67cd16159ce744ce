import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor

extension Transpose: TFLiteOperator {
  static var builtins: [BuiltinOperator] { ["TRANSPOSE"] }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    try exporter.addTranspose(
      permutation,
      name: node.name,
      of: node.type(0),
      from: exporter.tensor(node.input(0)),
      to: exporter.tensor(node.outputs.first)
    )
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    let x = try importer.input(0, of: source)
    let rank = importer.type(x).shape.rank
    let order = try importer.integers(1, of: source).map { $0 < 0 ? $0 &+ rank : $0 }
    try importer.add(Transpose(order), [x], source)
  }
}

extension TFLiteExporter {
  /// Adds a transposition of the tensor `input`.
  mutating func addTranspose(
    _ permutation: [Int],
    name: String,
    of type: TensorType,
    from input: Int32,
    to output: Int32
  ) throws {
    let order = try constant("\(name)/perm", permutation)
    let version =
      switch (type.shape.rank, type.dtype) {
      case (7..., _), (_, .bfloat16): 8
      case (_, .int4): 7
      case (6, _): 6
      case (_, .int16): 5
      case (5, _): 4
      case (_, .bool): 3
      default: integerVersion(of: type)
      }
    add("TRANSPOSE", version: version, inputs: [input, order], outputs: [output])
  }
}
