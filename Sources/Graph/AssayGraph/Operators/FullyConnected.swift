import AssayTensor

/// A dense layer: `y = x W^T + b` over the last axis.
///
/// Inputs: x `[..., I]`; weights `[O, I]`; bias `[O]`, optional. Output: `[..., O]`.
public struct FullyConnected: Operator {
  /// Applied to the result.
  public var activation: Activation

  /// Makes a dense layer.
  public init(activation: Activation = .none) { self.activation = activation }

  public var name: String { "FullyConnected" }
  public var tolerance: Tolerance { .rounding }
  public var attributes: [(name: String, value: String)] { [("activation", activation.rawValue)] }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let types = try required(inputs, 2, of: name)
    let (x, weights) = (types[0].shape, types[1].shape)
    guard x.rank >= 1, weights.rank == 2, x[-1] == weights[1] else {
      throw shapeFault(name, "weights \(weights) do not fit \(x)")
    }
    try checkBias(inputs, count: weights[0], of: name)
    return [TensorType(types[0].dtype, Shape(x.dims.dropLast() + [weights[0]]))]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost {
    Cost(macs: outputs[0].shape.count &* (inputs[1]?.shape[1] ?? 0))
  }
}
