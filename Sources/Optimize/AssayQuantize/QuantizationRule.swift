import AssayGraph
import AssayTensor

/// How one node computes in integers.
enum QuantizationRule {
  /// Filter (input 1) in 8 bits for each slice along `axis`, bias (input 2) in 32 bits; the output
  /// has a range of its own.
  case weighted(axis: Int)
  /// These inputs are int8, each with a scale of its own; so are the outputs. Constants among them
  /// are quantized by their own range, symmetric where the kernel asks for it.
  case independent(inputs: [Int], symmetricConstants: Bool = false)
  /// As `independent`, with an output whose scale the specification fixes: this one in 8 bits, and
  /// from -1 to 1 in 16 bits.
  case fixed(inputs: [Int], Quantization)
  /// These inputs and all outputs have one scale.
  case shared(inputs: [Int])
  /// No integer kernel: it stays in floats, for the reason given.
  case float(String)
}

/// An operator that may compute in integers; its file here has the operator's stem.
protocol QuantizableOperator: Operator {
  /// How the node with these inputs computes in integers.
  func quantizationRule(_ inputs: [Value?]) -> QuantizationRule
  /// Why it has no kernel for values of 16 bits; `nil` when it has one.
  var int16Obstacle: String? { get }
}

extension QuantizableOperator {
  var int16Obstacle: String? { nil }
}

extension QuantizationRule {
  /// Every input in its own scale.
  static func all(_ inputs: [Value?]) -> QuantizationRule {
    .independent(inputs: Array(inputs.indices))
  }

  /// Filter and bias in integers, when both are known.
  static func filter(_ inputs: [Value?], axis: Int) -> QuantizationRule {
    guard inputs.count > 1, inputs[1]?.constant != nil else {
      return .float("its filter is computed while the model runs")
    }
    if inputs.count > 2, let bias = inputs[2], bias.constant == nil {
      return .float("its bias is computed while the model runs")
    }
    return .weighted(axis: axis)
  }
}
