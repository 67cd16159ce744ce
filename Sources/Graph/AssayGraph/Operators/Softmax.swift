import AssayTensor

/// `exp(beta * x)` normalised to a sum of one along an axis.
public struct Softmax: Operator {
  /// The axis; negative ones count from the end.
  public var axis: Int
  /// The factor before the exponential.
  public var beta: Float

  /// Makes a softmax.
  public init(axis: Int = -1, beta: Float = 1) {
    self.axis = axis
    self.beta = beta
  }

  public var name: String { "Softmax" }
  public var tolerance: Tolerance { .approximate }
  public var attributes: [(name: String, value: String)] {
    [("axis", "\(axis)"), ("beta", "\(beta)")]
  }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let x = try required(inputs, 1, of: name)[0]
    guard x.shape.normalized(axis: axis) != nil else {
      throw shapeFault(name, "axis \(axis) of \(x.shape)")
    }
    return [TensorType(x.dtype, x.shape)]
  }
}

/// The logarithm of `exp(x)` normalized to a sum of one along an axis.
public struct LogSoftmax: Operator {
  /// The axis; negative ones count from the end.
  public var axis: Int

  /// Makes a logarithmic softmax.
  public init(axis: Int = -1) { self.axis = axis }

  public var name: String { "LogSoftmax" }
  public var tolerance: Tolerance { .approximate }
  public var attributes: [(name: String, value: String)] { [("axis", "\(axis)")] }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let x = try required(inputs, 1, of: name)[0]
    guard x.shape.normalized(axis: axis) != nil else {
      throw shapeFault(name, "axis \(axis) of \(x.shape)")
    }
    return [TensorType(x.dtype, x.shape)]
  }
}
