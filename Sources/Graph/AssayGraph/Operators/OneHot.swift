import AssayTensor

/// Each integer as a row that holds the on value at that position and the off value elsewhere.
///
/// Inputs: integers; on value and off value, scalars that give the element type. An integer outside
/// `0..<depth` gives a row of off values.
public struct OneHot: Operator {
  /// The length of the rows.
  public var depth: Int
  /// The axis of the output along which the rows lie; negative ones count from its end.
  public var axis: Int

  /// Makes an encoding.
  public init(depth: Int, axis: Int = -1) {
    self.depth = depth
    self.axis = axis
  }

  public var name: String { "OneHot" }
  public var attributes: [(name: String, value: String)] {
    [("depth", "\(depth)"), ("axis", "\(axis)")]
  }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let types = try required(inputs, 3, of: name)
    let rank = types[0].shape.rank + 1
    let position = axis < 0 ? axis + rank : axis
    guard (0..<rank).contains(position), depth >= 0, depth < 1 << 31, types[1].shape.count == 1,
      types[2].shape.count == 1, types[1].dtype == types[2].dtype
    else { throw shapeFault(name, "\(depth) along axis \(axis) of \(types[0])") }
    var dims = types[0].shape.dims
    dims.insert(depth, at: position)
    return [TensorType(types[1].dtype, Shape(dims))]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost { Cost() }
}
