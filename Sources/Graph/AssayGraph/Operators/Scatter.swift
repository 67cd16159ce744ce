import AssayTensor

/// What happens to an element that an update meets.
public enum ScatterReduction: String, Sendable, CaseIterable {
  case replace, add, multiply, maximum, minimum
}

/// Input 0 with the blocks at the coordinates of input 1 updated by input 2.
///
/// Data `[D1, …, Dn]`, indices `[I…, k]` and updates `[I…, Dk+1, …, Dn]` give `[D1, …, Dn]`; updates
/// are applied in order, negative coordinates count from the end.
public struct ScatterND: Operator {
  /// How an update meets an element.
  public var reduction: ScatterReduction

  /// Makes a scatter.
  public init(_ reduction: ScatterReduction = .replace) { self.reduction = reduction }

  public var name: String { "ScatterND" }
  public var tolerance: Tolerance { reduction == .replace ? .exact : .rounding }
  public var attributes: [(name: String, value: String)] { [("reduction", reduction.rawValue)] }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let types = try required(inputs, 3, of: name)
    let (data, indices, updates) = (types[0].shape, types[1].shape, types[2].shape)
    guard indices.rank >= 1, types[1].dtype.isInteger, indices[-1] >= 0,
      indices[-1] <= data.rank, types[2].dtype == types[0].dtype,
      updates.dims == indices.dims.dropLast() + data.dims.dropFirst(indices[-1])
    else { throw shapeFault(name, "\(types[0]) by \(types[1]) with \(types[2])") }
    return [TensorType(types[0].dtype, data)]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost {
    Cost(elementwise: inputs[2]?.shape.count ?? 0)
  }
}

/// Input 0 with one element updated for each element of input 2: that at the same place, but for the
/// coordinate along the axis, which is the integer of input 1 there.
public struct ScatterElements: Operator {
  /// The axis; negative ones count from the end.
  public var axis: Int
  /// How an update meets an element.
  public var reduction: ScatterReduction

  /// Makes a scatter.
  public init(axis: Int, _ reduction: ScatterReduction = .replace) {
    self.axis = axis
    self.reduction = reduction
  }

  public var name: String { "ScatterElements" }
  public var tolerance: Tolerance { reduction == .replace ? .exact : .rounding }
  public var attributes: [(name: String, value: String)] {
    [("axis", "\(axis)"), ("reduction", reduction.rawValue)]
  }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let types = try required(inputs, 3, of: name)
    let (data, indices) = (types[0].shape, types[1].shape)
    guard let axis = data.normalized(axis: axis), indices.rank == data.rank,
      types[1].dtype.isInteger, types[2].shape == indices, types[2].dtype == types[0].dtype,
      data.dims.indices.allSatisfy({ $0 == axis || indices.dims[$0] <= data.dims[$0] })
    else { throw shapeFault(name, "axis \(axis) of \(types[0]) by \(types[1]) with \(types[2])") }
    return [TensorType(types[0].dtype, data)]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost {
    Cost(elementwise: inputs[2]?.shape.count ?? 0)
  }
}
