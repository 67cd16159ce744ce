import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor

extension BatchNorm: TFLiteOperator {
  /// The format has no such operator: a file's multiplication and addition stay what they are.
  static var builtins: [BuiltinOperator] { [] }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    let type = try node.type(0)
    guard type.dtype == .float32 else {
      throw Diagnostic(
        "TFL107",
        "a batch normalization of \(type.dtype.rawValue) has no counterpart",
        remedy: "fold it into the operator before it"
      )
    }
    func parameter(_ index: Int) throws -> [Float]? {
      guard let id = node.input(index) else { return nil }
      guard let constant = exporter.graph[id].constant else {
        throw Diagnostic("TFL107", "the parameter '\(exporter.graph[id].name)' is computed")
      }
      return constant.floats()
    }
    guard let mean = try parameter(3), let variance = try parameter(4) else {
      throw Diagnostic("TFL100", "it has no statistics")
    }
    let (gamma, beta) = (try parameter(1), try parameter(2))
    var factors: [Float] = []
    var offsets: [Float] = []
    for channel in mean.indices {
      // In double precision, as the factors take part in every element.
      let deviation = (Double(variance[channel]) + Double(epsilon)).squareRoot()
      let factor = Double(gamma?[channel] ?? 1) / deviation
      factors.append(Float(factor))
      offsets.append(Float(Double(beta?[channel] ?? 0) - Double(mean[channel]) * factor))
    }
    let channels: Shape = [mean.count]
    let scaled = exporter.temporary("\(node.name)/scaled", type)
    exporter.add(
      "MUL",
      inputs: [
        exporter.tensor(node.input(0)),
        exporter.constant("\(node.name)/factors", Tensor(factors, channels)),
      ],
      outputs: [scaled],
      options: (OptionsType.multiply, FlatObject())
    )
    exporter.add(
      "ADD",
      inputs: [scaled, exporter.constant("\(node.name)/offsets", Tensor(offsets, channels))],
      outputs: node.outputs.map { exporter.tensor($0) },
      options: (OptionsType.add, FlatObject())
    )
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    try importer.addOpaque(source)
  }
}
