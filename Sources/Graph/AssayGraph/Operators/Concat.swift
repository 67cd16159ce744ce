import AssayTensor

/// Tensors joined along an axis.
public struct Concat: Operator {
  /// The axis; negative ones count from the end.
  public var axis: Int

  /// Makes a concatenation.
  public init(axis: Int) { self.axis = axis }

  public var name: String { "Concat" }
  public var attributes: [(name: String, value: String)] { [("axis", "\(axis)")] }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let types = inputs.compactMap { $0 }
    guard let first = types.first, types.count == inputs.count,
      let axis = first.shape.normalized(axis: axis)
    else { throw shapeFault(name, "axis \(axis)") }
    var dims = first.shape.dims
    for other in types.dropFirst() {
      var rest = other.shape.dims
      guard rest.count == dims.count else { throw shapeFault(name, "ranks differ") }
      rest[axis] = dims[axis]
      guard rest == dims else { throw shapeFault(name, "\(first.shape) with \(other.shape)") }
      dims[axis] += other.shape.dims[axis]
    }
    return [TensorType(first.dtype, Shape(dims))]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost { Cost() }
}
