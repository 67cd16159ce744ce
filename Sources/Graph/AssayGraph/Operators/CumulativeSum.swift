import AssayTensor

/// The sum of all elements up to each one along an axis.
public struct CumulativeSum: Operator {
  /// The axis; negative ones count from the end.
  public var axis: Int
  /// Whether the element itself is left out.
  public var isExclusive: Bool
  /// Whether sums run from the end.
  public var isReversed: Bool

  /// Makes a sum.
  public init(axis: Int, isExclusive: Bool = false, isReversed: Bool = false) {
    self.axis = axis
    self.isExclusive = isExclusive
    self.isReversed = isReversed
  }

  public var name: String { "CumulativeSum" }
  public var tolerance: Tolerance { .rounding }
  public var attributes: [(name: String, value: String)] {
    [
      ("axis", "\(axis)"), ("isExclusive", "\(isExclusive)"), ("isReversed", "\(isReversed)"),
    ]
  }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let x = try required(inputs, 1, of: name)[0]
    guard x.shape.normalized(axis: axis) != nil else {
      throw shapeFault(name, "axis \(axis) of \(x.shape)")
    }
    return [TensorType(x.dtype, x.shape)]
  }
}
