import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor

extension NonMaxSuppression: TFLiteOperator {
  static var builtins: [BuiltinOperator] { ["NON_MAX_SUPPRESSION_V4", "NON_MAX_SUPPRESSION_V5"] }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    func scalar(_ name: String, _ value: Float) -> Int32 {
      exporter.constant("\(node.name)/\(name)", Tensor([value], []))
    }
    let finals = node.outputs.map { exporter.tensor($0) }
    guard finals.count == 3 else { throw Diagnostic("TFL100", "it has \(finals.count) outputs") }
    exporter.add(
      "NON_MAX_SUPPRESSION_V5",
      inputs: [
        exporter.tensor(node.input(0)), exporter.tensor(node.input(1)),
        try exporter.constant("\(node.name)/count", [count], shape: []),
        scalar("overlap", overlapThreshold), scalar("score", scoreThreshold),
        scalar("sigma", softSigma),
      ],
      outputs: finals,
      options: (OptionsType.nonMaxSuppressionV5, FlatObject())
    )
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    let isSoft = source.builtin == "NON_MAX_SUPPRESSION_V5"
    guard let count = try importer.integers(2, of: source).first else {
      throw Diagnostic("TFL017", "the number of boxes is missing")
    }
    func number(_ input: Int) throws -> Float {
      guard let value = try importer.elements(input, of: source).floats().first else {
        throw Diagnostic("TFL017", "input \(input) is empty")
      }
      return value
    }
    let op = NonMaxSuppression(
      count: count,
      overlapThreshold: try number(3),
      scoreThreshold: try number(4),
      softSigma: isSoft ? try number(5) : 0
    )
    let outputs = source.record.outputs
    guard outputs.count == (isSoft ? 3 : 2) else {
      throw Diagnostic("TFL012", "it has \(outputs.count) outputs")
    }
    try importer.add(
      op,
      [try importer.input(0, of: source), try importer.input(1, of: source)],
      source,
      outputs: isSoft ? outputs : [outputs[0], -1, outputs[1]]
    )
  }
}
