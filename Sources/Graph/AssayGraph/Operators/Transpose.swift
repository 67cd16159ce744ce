import AssayTensor

/// The axes in another order: output axis i is input axis `permutation[i]`.
public struct Transpose: Operator {
  /// The order of the axes.
  public var permutation: [Int]

  /// Makes a transpose.
  public init(_ permutation: [Int]) { self.permutation = permutation }

  public var name: String { "Transpose" }
  public var attributes: [(name: String, value: String)] {
    [("permutation", permutation.map(String.init).joined(separator: ","))]
  }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let x = try required(inputs, 1, of: name)[0]
    guard permutation.sorted() == Array(0..<x.shape.rank) else {
      throw shapeFault(name, "\(permutation) of \(x.shape)")
    }
    return [TensorType(x.dtype, Shape(permutation.map { x.shape[$0] }))]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost { Cost() }
}
