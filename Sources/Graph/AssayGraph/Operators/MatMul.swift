import AssayTensor

/// Batched product of matrices in the last two axes; leading axes broadcast.
///
/// Inputs: a `[..., M, K]`, b `[..., K, N]`, each transposed first when its flag says so.
public struct MatMul: Operator {
  /// Whether `a` is given as `[..., K, M]`.
  public var transposesA: Bool
  /// Whether `b` is given as `[..., N, K]`.
  public var transposesB: Bool

  /// Makes a product.
  public init(transposesA: Bool = false, transposesB: Bool = false) {
    self.transposesA = transposesA
    self.transposesB = transposesB
  }

  public var name: String { "MatMul" }
  public var tolerance: Tolerance { .rounding }
  public var attributes: [(name: String, value: String)] {
    [("transposesA", "\(transposesA)"), ("transposesB", "\(transposesB)")]
  }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let types = try required(inputs, 2, of: name)
    let (a, b) = (types[0].shape, types[1].shape)
    guard a.rank >= 2, b.rank >= 2 else { throw shapeFault(name, "\(a) by \(b)") }
    let (m, k) = transposesA ? (a[-1], a[-2]) : (a[-2], a[-1])
    let (k2, n) = transposesB ? (b[-1], b[-2]) : (b[-2], b[-1])
    guard k == k2,
      let lead = Shape(Array(a.dims.dropLast(2))).broadcast(with: Shape(Array(b.dims.dropLast(2))))
    else { throw shapeFault(name, "\(a) by \(b)") }
    return [TensorType(types[0].dtype, Shape(lead.dims + [m, n]))]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost {
    guard let a = inputs[0]?.shape else { return Cost() }
    return Cost(macs: outputs[0].shape.count &* (transposesA ? a[-2] : a[-1]))
  }
}
