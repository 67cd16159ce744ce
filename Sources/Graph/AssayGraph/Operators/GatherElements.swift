import AssayTensor

/// For each element of input 1 the element of input 0 at the same place, but for the coordinate
/// along the axis, which is the integer itself (negative ones count from the end).
public struct GatherElements: Operator {
  /// The axis; negative ones count from the end.
  public var axis: Int

  /// Makes a gather.
  public init(axis: Int) { self.axis = axis }

  public var name: String { "GatherElements" }
  public var attributes: [(name: String, value: String)] { [("axis", "\(axis)")] }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let types = try required(inputs, 2, of: name)
    let (data, indices) = (types[0].shape, types[1].shape)
    guard let axis = data.normalized(axis: axis), indices.rank == data.rank,
      types[1].dtype.isInteger,
      data.dims.indices.allSatisfy({ $0 == axis || indices.dims[$0] <= data.dims[$0] })
    else { throw shapeFault(name, "axis \(axis) of \(types[0]) by \(types[1])") }
    return [TensorType(types[0].dtype, indices)]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost { Cost() }
}
