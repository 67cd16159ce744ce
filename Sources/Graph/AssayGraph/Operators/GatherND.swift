import AssayTensor

/// Elements or blocks of input 0 at the coordinates that the last axis of input 1 holds.
///
/// With b batch axes, data `[B…, D1, …, Dn]` and indices `[B…, I…, k]` give `[B…, I…, Dk+1, …, Dn]`.
/// Negative coordinates count from the end.
public struct GatherND: Operator {
  /// Leading axes that both inputs share.
  public var batchAxes: Int

  /// Makes a gather.
  public init(batchAxes: Int = 0) { self.batchAxes = batchAxes }

  public var name: String { "GatherND" }
  public var attributes: [(name: String, value: String)] { [("batchAxes", "\(batchAxes)")] }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let types = try required(inputs, 2, of: name)
    let (data, indices) = (types[0].shape, types[1].shape)
    guard indices.rank > batchAxes, batchAxes >= 0, data.rank >= batchAxes,
      data.dims.prefix(batchAxes) == indices.dims.prefix(batchAxes), types[1].dtype.isInteger,
      indices[-1] >= 0, indices[-1] <= data.rank - batchAxes
    else { throw shapeFault(name, "\(types[0]) by \(types[1])") }
    let rest = data.dims.dropFirst(batchAxes + indices[-1])
    return [TensorType(types[0].dtype, Shape(indices.dims.dropLast() + rest))]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost { Cost() }
}
