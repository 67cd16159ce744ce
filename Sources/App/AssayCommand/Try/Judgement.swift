import AssayBase
import AssayCodec
import AssayData
import AssayGraph
import AssayRecord
import AssayTensor
import AssayVerify

/// How a runtime's outputs for labelled data compare with labels and with the original.
struct Judgement {
  var accuracy: Figure<Double>
  var count: Int
  var agreement: Figure<Double>
  var snrDb: Figure<Double>

  /// Judges the stacked outputs in an .npz.
  ///
  /// - Parameter graph: the variant, for names, order and quantization of the outputs.
  init(outputs path: String, graph: Graph, data: TryData) throws {
    let arrays = Dictionary(
      try NPZ.read(try MappedFile(path: path).view).map { ($0.name, $0.tensor) }
    ) { first, _ in first }
    var accuracy = AccuracyCounter()
    var agreement = AgreementCounter()
    var errors = ErrorSums()
    var labelled = 0
    for (position, id) in graph.outputs.enumerated() {
      let name = graph.outputName(id)
      guard let array = arrays[name] ?? (arrays.count == 1 ? arrays.first?.value : nil) else {
        throw Diagnostic("BEN130", "the runtime gave no output '\(name)'")
      }
      let values = array.with(quantization: graph[id].type.quantization).floats()
      let size = data.samples.isEmpty ? 0 : values.count / data.samples.count
      for (index, sample) in data.samples.enumerated() {
        let scores = Array(values[index * size..<(index + 1) * size])
        let expected = data.expected[index][position]
        guard scores.count == expected.count else {
          throw Diagnostic(
            "BEN130",
            "the runtime gave \(scores.count) elements of output '\(name)', not \(expected.count)"
          )
        }
        errors.add(reference: expected, other: scores)
        guard position == 0 else { continue }
        agreement.add(scores, reference: expected)
        if let label = sample.label {
          labelled += 1
          accuracy.add(scores: scores, label: label)
        }
      }
    }
    count = labelled
    self.accuracy =
      accuracy.top1.fraction.map { .value($0) } ?? .missing(reason: "there are no labels")
    self.agreement =
      Judgement.isClassifier(graph) || labelled > 0
      ? agreement.proportion.fraction.map { .value($0) } ?? .missing(reason: "there are no data")
      : .missing(reason: "the outputs are no scores of classes")
    let metrics = errors.metrics
    snrDb =
      metrics.snrDb.isNaN || metrics.nonFinite > 0
      ? .missing(reason: "outputs hold values that are no numbers, or nothing but zeros")
      : .value(metrics.snrDb)
  }

  /// Whether the one output is a softmax or logistic over the last axis: scores of classes.
  static func isClassifier(_ graph: Graph) -> Bool {
    guard graph.outputs.count == 1, var output = graph.outputs.first else { return false }
    let producers = graph.producers()
    while let index = producers[output] {
      let node = graph.nodes[index]
      switch node.op {
      case is Softmax: return true
      case let unary as Unary: return unary.kind == .sigmoid
      case is Quantize, is Dequantize, is Cast, is Reshape:
        guard let input = node.inputs.first ?? nil else { return false }
        output = input
      default: return false
      }
    }
    return false
  }

  /// What the original itself scores on the labels.
  static func original(_ data: TryData) -> Proportion? {
    guard data.isLabelled else { return nil }
    var counter = AccuracyCounter()
    for (index, sample) in data.samples.enumerated() {
      if let label = sample.label { counter.add(scores: data.expected[index][0], label: label) }
    }
    return counter.top1
  }
}
