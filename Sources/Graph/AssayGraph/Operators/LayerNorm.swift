import AssayTensor

/// Layer normalization over the last axis (Ba, Kiros and Hinton, 2016).
///
/// Inputs: x `[..., C]`; gamma and beta, each `[C]`, optional.
/// `y = gamma * (x - mean) / sqrt(variance + epsilon) + beta`, mean and variance over the C elements
/// of each row.
public struct LayerNorm: Operator {
  /// Added to the variance.
  public var epsilon: Float

  /// Makes a normalization.
  public init(epsilon: Float) { self.epsilon = epsilon }

  public var name: String { "LayerNorm" }
  public var tolerance: Tolerance { .approximate }
  public var attributes: [(name: String, value: String)] { [("epsilon", "\(epsilon)")] }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let x = try required(inputs, 1, of: name)[0]
    guard x.shape.rank >= 1 else { throw shapeFault(name, "a scalar has no rows") }
    for case let parameter? in inputs.dropFirst() where parameter.shape.dims != [x.shape[-1]] {
      throw shapeFault(name, "\(parameter.shape) does not fit rows of \(x.shape[-1])")
    }
    return [TensorType(x.dtype, x.shape)]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost {
    Cost(elementwise: outputs[0].shape.count &* 5)
  }
}

extension LayerNorm: DecomposableOperator {
  /// Means, differences and products.
  public func decompose(_ node: Node, into graph: inout Decomposition) throws {
    let x = try graph.input(0, of: node)
    let epsilon = graph.addConstant("epsilon", Tensor([epsilon], []))
    let average = Reduce(.mean, axes: [-1], keepsAxes: true)
    let mean = try graph.add(average, [x])
    let squares = try graph.add(Binary(.squaredDifference), [x, mean])
    let variance = try graph.add(average, [squares])
    let shifted = try graph.add(Binary(.add), [variance, epsilon])
    let factor = try graph.add(Unary(.rsqrt), [shifted])
    var current = try graph.add(Binary(.subtract), [x, mean])
    var steps: [(op: Binary, operand: ValueID)] = [(Binary(.multiply), factor)]
    for (index, kind) in [(1, Binary.Kind.multiply), (2, .add)] {
      guard node.inputs.indices.contains(index), let parameter = node.inputs[index] else {
        continue
      }
      steps.append((Binary(kind), parameter))
    }
    let last = steps.removeLast()
    for step in steps { current = try graph.add(step.op, [current, step.operand]) }
    try graph.finish(last.op, [current, last.operand], node)
  }
}
