import AssayTensor

/// The same elements in another shape.
public struct Reshape: Operator {
  /// The new extents; one may be -1 and follows from the others.
  public var shape: [Int]

  /// Makes a reshape.
  public init(_ shape: [Int]) { self.shape = shape }

  public var name: String { "Reshape" }
  public var attributes: [(name: String, value: String)] {
    [("shape", shape.map(String.init).joined(separator: ","))]
  }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let x = try required(inputs, 1, of: name)[0]
    let fault = shapeFault(name, "\(x.shape) as \(shape)")
    guard let count = x.shape.elementCount else { throw fault }
    let known = Shape(shape.filter { $0 != -1 })
    guard let product = known.elementCount, shape.count - known.rank <= 1 else { throw fault }
    if known.rank == shape.count {
      guard product == count else { throw fault }
      return [TensorType(x.dtype, Shape(shape))]
    }
    guard product > 0, count % product == 0 else { throw fault }
    return [TensorType(x.dtype, Shape(shape.map { $0 == -1 ? count / product : $0 }))]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost { Cost() }
}
