import AssayTensor

/// Batch normalization with fixed statistics over the last axis.
///
/// Inputs: x `[..., C]`; gamma, beta, mean, variance, each `[C]`, gamma and beta optional.
/// `y = gamma * (x - mean) / sqrt(variance + epsilon) + beta` (Ioffe and Szegedy, 2015).
public struct BatchNorm: Operator {
  /// Added to the variance.
  public var epsilon: Float

  /// Makes a normalization.
  public init(epsilon: Float) { self.epsilon = epsilon }

  public var name: String { "BatchNorm" }
  public var tolerance: Tolerance { .rounding }
  public var attributes: [(name: String, value: String)] { [("epsilon", "\(epsilon)")] }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    guard inputs.count == 5, let x = inputs[0], inputs[3] != nil, inputs[4] != nil else {
      throw shapeFault(name, "it takes x, gamma, beta, mean and variance")
    }
    for case let parameter? in inputs.dropFirst() where parameter.shape.count != x.shape[-1] {
      throw shapeFault(name, "\(parameter.shape) does not fit \(x.shape[-1]) channels")
    }
    return [TensorType(x.dtype, x.shape)]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost {
    Cost(elementwise: outputs[0].shape.count &* 2)
  }
}
