import AssayTensor

/// A tensor with some axes running backwards.
public struct Reverse: Operator {
  /// The axes; negative ones count from the end.
  public var axes: [Int]

  /// Makes a reversal.
  public init(axes: [Int]) { self.axes = axes }

  public var name: String { "Reverse" }
  public var attributes: [(name: String, value: String)] {
    [("axes", axes.map(String.init).joined(separator: ","))]
  }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let x = try required(inputs, 1, of: name)[0]
    guard axes.allSatisfy({ x.shape.normalized(axis: $0) != nil }) else {
      throw shapeFault(name, "axes \(axes) of \(x.shape)")
    }
    return [TensorType(x.dtype, x.shape)]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost { Cost() }
}

/// The first elements of each slice along the time axis backwards, as many as input 1 says for that
/// entry of the batch.
public struct ReverseSequence: Operator {
  /// The axis along which lengths differ; negative ones count from the end.
  public var batchAxis: Int
  /// The axis that runs backwards; negative ones count from the end.
  public var timeAxis: Int

  /// Makes a reversal.
  public init(batchAxis: Int, timeAxis: Int) {
    self.batchAxis = batchAxis
    self.timeAxis = timeAxis
  }

  public var name: String { "ReverseSequence" }
  public var attributes: [(name: String, value: String)] {
    [("batchAxis", "\(batchAxis)"), ("timeAxis", "\(timeAxis)")]
  }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let types = try required(inputs, 2, of: name)
    let shape = types[0].shape
    guard let batch = shape.normalized(axis: batchAxis),
      let time = shape.normalized(axis: timeAxis),
      batch != time, types[1].shape.dims == [shape.dims[batch]], types[1].dtype.isInteger
    else {
      throw shapeFault(name, "axes \(batchAxis) and \(timeAxis) of \(shape) by \(types[1])")
    }
    return [TensorType(types[0].dtype, shape)]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost { Cost() }
}
