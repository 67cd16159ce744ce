import AssayTensor

/// Each element divided by a power of the sum of squares around it along the last axis.
///
/// `y = x / (bias + alpha * sum(x²))^beta`, the sum over `size` neighbours of which `(size - 1) / 2`
/// stand before the element (Krizhevsky et al., 2012). ONNX's alpha is `size` times this one.
public struct LocalResponseNorm: Operator {
  /// How many neighbours are summed, the element itself included.
  public var size: Int
  /// The factor of the sum.
  public var alpha: Float
  /// The exponent.
  public var beta: Float
  /// Added to the sum.
  public var bias: Float

  /// Makes a normalization.
  public init(size: Int, alpha: Float, beta: Float, bias: Float) {
    self.size = size
    self.alpha = alpha
    self.beta = beta
    self.bias = bias
  }

  public var name: String { "LocalResponseNorm" }
  public var tolerance: Tolerance { .approximate }
  public var attributes: [(name: String, value: String)] {
    [("size", "\(size)"), ("alpha", "\(alpha)"), ("beta", "\(beta)"), ("bias", "\(bias)")]
  }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let x = try required(inputs, 1, of: name)[0]
    guard x.shape.rank >= 1, (1..<1 << 20).contains(size) else {
      throw shapeFault(name, "\(size) neighbours in \(x.shape)")
    }
    return [TensorType(x.dtype, x.shape)]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost {
    Cost(elementwise: outputs[0].shape.count &* 4)
  }
}
