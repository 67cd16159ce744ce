import AssayTensor

/// A tensor repeated along its axes.
public struct Tile: Operator {
  /// How often it stands along each axis.
  public var repeats: [Int]

  /// Makes a repetition.
  public init(_ repeats: [Int]) { self.repeats = repeats }

  public var name: String { "Tile" }
  public var attributes: [(name: String, value: String)] {
    [("repeats", repeats.map(String.init).joined(separator: ","))]
  }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let x = try required(inputs, 1, of: name)[0]
    guard repeats.count == x.shape.rank, repeats.allSatisfy({ $0 >= 0 && $0 < 1 << 31 }) else {
      throw shapeFault(name, "\(repeats) of \(x.shape)")
    }
    let dims = zip(x.shape.dims, repeats).map { $0.multipliedReportingOverflow(by: $1) }
    guard !dims.contains(where: \.overflow) else { throw shapeFault(name, "\(repeats)") }
    return [TensorType(x.dtype, Shape(dims.map(\.partialValue)))]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost { Cost() }
}

/// A tensor brought to the extents of a greater one by repeating axes of extent 1 (NumPy's rule).
public struct BroadcastTo: Operator {
  /// The extents of the output.
  public var shape: [Int]

  /// Makes a broadcast.
  public init(_ shape: [Int]) { self.shape = shape }

  public var name: String { "BroadcastTo" }
  public var attributes: [(name: String, value: String)] {
    [("shape", shape.map(String.init).joined(separator: ","))]
  }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let x = try required(inputs, 1, of: name)[0]
    guard x.shape.broadcast(with: Shape(shape))?.dims == shape, shape.allSatisfy({ $0 >= 0 }) else {
      throw shapeFault(name, "\(x.shape) to \(Shape(shape))")
    }
    return [TensorType(x.dtype, Shape(shape))]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost { Cost() }
}
