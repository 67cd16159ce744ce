import AssayTensor

/// Slices of input 0 along an axis, chosen by the integers of input 1.
public struct Gather: Operator {
  /// The axis; negative ones count from the end.
  public var axis: Int

  /// Makes a gather.
  public init(axis: Int) { self.axis = axis }

  public var name: String { "Gather" }
  public var attributes: [(name: String, value: String)] { [("axis", "\(axis)")] }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let types = try required(inputs, 2, of: name)
    guard let axis = types[0].shape.normalized(axis: axis), types[1].dtype.isInteger else {
      throw shapeFault(name, "axis \(axis) of \(types[0].shape) by \(types[1])")
    }
    var dims = types[0].shape.dims
    dims.replaceSubrange(axis...axis, with: types[1].shape.dims)
    return [TensorType(types[0].dtype, Shape(dims))]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost { Cost() }
}
