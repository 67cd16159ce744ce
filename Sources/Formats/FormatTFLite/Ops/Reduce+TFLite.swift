import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor

extension Reduce: TFLiteOperator {
  static var builtins: [BuiltinOperator] {
    ["MEAN", "SUM", "REDUCE_MAX", "REDUCE_MIN", "REDUCE_PROD", "REDUCE_ANY", "REDUCE_ALL"]
  }

  private var builtin: BuiltinOperator {
    switch kind {
    case .mean: "MEAN"
    case .sum: "SUM"
    case .max: "REDUCE_MAX"
    case .min: "REDUCE_MIN"
    case .product: "REDUCE_PROD"
    case .any: "REDUCE_ANY"
    case .all: "REDUCE_ALL"
    }
  }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    let type = try node.type(0)
    let int16 =
      switch kind {
      case .sum: 1
      case .product: 2
      case .any, .all: 1
      default: 3
      }
    var options = FlatObject()
    options.set(0, keepsAxes)
    exporter.add(
      builtin,
      version: integerVersion(of: type, int16: int16),
      inputs: [
        exporter.tensor(node.input(0)), try exporter.constant("\(node.name)/axes", axes),
      ],
      outputs: node.outputs.map { exporter.tensor($0) },
      options: (OptionsType.reducer, options)
    )
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    let kind: Kind =
      switch source.builtin {
      case "MEAN": .mean
      case "SUM": .sum
      case "REDUCE_MAX": .max
      case "REDUCE_MIN": .min
      case "REDUCE_ANY": .any
      case "REDUCE_ALL": .all
      default: .product
      }
    let op = Reduce(
      kind,
      axes: try importer.integers(1, of: source),
      keepsAxes: try source.options.bool(0)
    )
    try importer.add(op, [try importer.input(0, of: source)], source)
  }
}
