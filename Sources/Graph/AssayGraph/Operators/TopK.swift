import AssayTensor

/// The `count` greatest or least elements along an axis and their positions (outputs 0 and 1).
///
/// They come in order, the best first; of equal elements the one that stands first.
public struct TopK: Operator {
  /// How many are taken.
  public var count: Int
  /// The axis; negative ones count from the end.
  public var axis: Int
  /// Whether the greatest are taken, otherwise the least.
  public var takesLargest: Bool
  /// The type of the positions: int32 or int64.
  public var dtype: DType

  /// Makes a selection.
  public init(_ count: Int, axis: Int = -1, takesLargest: Bool = true, dtype: DType = .int64) {
    self.count = count
    self.axis = axis
    self.takesLargest = takesLargest
    self.dtype = dtype
  }

  public var name: String { "TopK" }
  public var attributes: [(name: String, value: String)] {
    [
      ("count", "\(count)"), ("axis", "\(axis)"), ("takesLargest", "\(takesLargest)"),
      ("dtype", dtype.rawValue),
    ]
  }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let x = try required(inputs, 1, of: name)[0]
    guard let axis = x.shape.normalized(axis: axis), dtype == .int32 || dtype == .int64,
      count >= 0, count <= x.shape.dims[axis]
    else { throw shapeFault(name, "\(count) along axis \(axis) of \(x.shape)") }
    var dims = x.shape.dims
    dims[axis] = count
    return [TensorType(x.dtype, Shape(dims)), TensorType(dtype, Shape(dims))]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost {
    Cost(elementwise: inputs[0]?.shape.count ?? 0)
  }
}
