import AssayBase
import AssayGraph
import AssayTensor

/// Bounds that no value of a graph leaves, whatever it is fed: a rewrite may rely on them.
///
/// Interval analysis of the operators that bound anything; of the others nothing is known.
struct ValueBounds {
  /// The least and the greatest number that a value can hold.
  struct Range: Equatable {
    var low: Float
    var high: Float
    static let any = Range(low: -.infinity, high: .infinity)
    static let positive = Range(low: 0, high: .infinity)
  }

  private var ranges: [ValueID: Range] = [:]

  init(_ graph: Graph) {
    for node in graph.nodes {
      let inputs = node.inputs.compactMap { $0 }.map { id in
        ranges[id] ?? graph[id].constant.map(Self.range) ?? .any
      }
      guard let range = Self.range(node.op, inputs), range != .any else { continue }
      for output in node.outputs { ranges[output] = range }
    }
  }

  /// The bounds of a value.
  subscript(id: ValueID) -> Range { ranges[id] ?? .any }

  private static func range(_ constant: Tensor) -> Range {
    // Only small ones are added to anything.
    guard constant.count <= 4096, constant.dtype.isFloat else { return .any }
    let values = constant.floats()
    return Range(low: values.min() ?? 0, high: values.max() ?? 0)
  }

  private static func range(_ op: any Operator, _ inputs: [Range]) -> Range? {
    var result: Range?
    switch op {
    case let unary as Unary: result = range(unary.kind, inputs.first ?? .any)
    case let binary as Binary: result = range(binary.kind, inputs)
    case is Softmax: result = Range(low: 0, high: 1)
    case is Pool2D, is Reshape, is Transpose, is Slice, is Split, is Quantize, is Dequantize:
      result = inputs.first
    case is Concat:
      result = inputs.reduce(nil) { joined, next in
        joined.map { Range(low: min($0.low, next.low), high: max($0.high, next.high)) } ?? next
      }
    case let pad as Pad:
      result = inputs.first.map {
        pad.mode == .constant
          ? Range(low: min($0.low, pad.value), high: max($0.high, pad.value)) : $0
      }
    case let reduce as Reduce where [.mean, .max, .min].contains(reduce.kind):
      result = inputs.first
    default: break
    }
    if let op = op as? any ActivatingOperator {
      let old = result ?? .any
      let bounds = op.activation.bounds
      result = Range(
        low: max(old.low, bounds.low),
        high: min(max(old.high, bounds.low), bounds.high)
      )
    }
    return result
  }

  private static func range(_ kind: Unary.Kind, _ input: Range) -> Range? {
    switch kind {
    case .relu: Range(low: max(input.low, 0), high: max(input.high, 0))
    case .relu6: Range(low: 0, high: min(max(input.high, 0), 6))
    case .reluN1To1, .tanh, .sin, .cos, .erf, .sign: Range(low: -1, high: 1)
    case .sigmoid: Range(low: 0, high: 1)
    case .exp, .sqrt, .rsqrt, .abs, .square: .positive
    default: nil
    }
  }

  private static func range(_ kind: Binary.Kind, _ inputs: [Range]) -> Range? {
    guard inputs.count == 2 else { return nil }
    let (a, b) = (inputs[0], inputs[1])
    switch kind {
    case .add: return Range(low: a.low + b.low, high: a.high + b.high)
    case .multiply where a.low >= 0 && b.low >= 0:
      let high = a.high == 0 || b.high == 0 ? 0 : a.high * b.high
      return Range(low: a.low * b.low, high: high)
    case .maximum: return Range(low: max(a.low, b.low), high: max(a.high, b.high))
    case .minimum: return Range(low: min(a.low, b.low), high: min(a.high, b.high))
    case .squaredDifference: return .positive
    default: return nil
    }
  }
}

extension ValueBounds {
  /// Seeded numbers within the bounds of a value, of the size of those that a run has shown and far
  /// beyond, larger in some channels than in others.
  func stressed(
    _ id: ValueID,
    like tensor: Tensor,
    strength: Float,
    _ rng: inout SeededRNG
  ) -> Tensor {
    let range = self[id]
    let values = tensor.floats()
    let power = values.reduce(0) { $0 + ($1.isFinite ? Double($1) * Double($1) : 0) }
    let size = Float((power / Double(max(values.count, 1))).squareRoot())
    let scale = strength * max(size, 0.25)
    let channels = max(tensor.shape[-1], 1)
    let gains = (0..<channels).map { _ in [0.25, 1, 4].randomElement(using: &rng) ?? 1 as Float }
    let isBounded = range.low.isFinite && range.high.isFinite
    let numbers = values.indices.map { index -> Float in
      let gain = gains[index % channels]
      if isBounded {
        // A part of the width, from one end in some channels and from the other in others.
        let part = rng.uniform() * min(gain, 1)
        let width = range.high - range.low
        return gain > 1 ? range.high - part * width : range.low + part * width
      }
      let sample = rng.normal() * scale * gain
      if range.low.isFinite { return range.low + sample.magnitude }
      if range.high.isFinite { return range.high - sample.magnitude }
      return sample
    }
    return Tensor(numbers, tensor.shape)
  }
}
