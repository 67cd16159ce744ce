import AssayTensor

/// The position of the greatest or least element along an axis.
public struct ArgReduce: Operator {
  /// What is looked for.
  public enum Kind: String, Sendable { case max, min }

  /// What is looked for.
  public var kind: Kind
  /// The axis; negative ones count from the end.
  public var axis: Int
  /// Whether it stays with extent 1.
  public var keepsAxis: Bool
  /// Whether the last of equal elements is taken instead of the first.
  public var selectsLast: Bool
  /// The type of the positions: int32 or int64.
  public var dtype: DType

  /// Makes a search.
  public init(
    _ kind: Kind,
    axis: Int,
    keepsAxis: Bool = false,
    selectsLast: Bool = false,
    dtype: DType = .int64
  ) {
    self.kind = kind
    self.axis = axis
    self.keepsAxis = keepsAxis
    self.selectsLast = selectsLast
    self.dtype = dtype
  }

  public var name: String { kind == .max ? "ArgMax" : "ArgMin" }
  public var attributes: [(name: String, value: String)] {
    [
      ("axis", "\(axis)"), ("keepsAxis", "\(keepsAxis)"), ("selectsLast", "\(selectsLast)"),
      ("dtype", dtype.rawValue),
    ]
  }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let x = try required(inputs, 1, of: name)[0]
    guard let axis = x.shape.normalized(axis: axis), dtype == .int32 || dtype == .int64,
      x.shape.dims[axis] != 0
    else { throw shapeFault(name, "axis \(axis) of \(x.shape) as \(dtype.rawValue)") }
    var dims = x.shape.dims
    if keepsAxis { dims[axis] = 1 } else { dims.remove(at: axis) }
    return [TensorType(dtype, Shape(dims))]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost {
    Cost(elementwise: inputs[0]?.shape.count ?? 0)
  }
}
