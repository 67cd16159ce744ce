import AssayTensor

/// Mean, sum, maximum, minimum or product over axes; of truth values whether any or all are true.
public struct Reduce: Operator {
  /// What is taken.
  public enum Kind: String, Sendable { case mean, sum, max, min, product, any, all }

  /// What is taken.
  public var kind: Kind
  /// The axes that are taken together; negative ones count from the end.
  public var axes: [Int]
  /// Whether they stay with extent 1.
  public var keepsAxes: Bool

  /// Makes a reduction.
  public init(_ kind: Kind, axes: [Int], keepsAxes: Bool) {
    self.kind = kind
    self.axes = axes
    self.keepsAxes = keepsAxes
  }

  public var name: String {
    switch kind {
    case .mean: "Mean"
    case .sum: "Sum"
    case .max: "ReduceMax"
    case .min: "ReduceMin"
    case .product: "ReduceProduct"
    case .any: "ReduceAny"
    case .all: "ReduceAll"
    }
  }
  public var tolerance: Tolerance {
    switch kind {
    case .max, .min, .any, .all: .exact
    case .mean, .sum, .product: .rounding
    }
  }
  public var attributes: [(name: String, value: String)] {
    [("axes", axes.map(String.init).joined(separator: ",")), ("keepsAxes", "\(keepsAxes)")]
  }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let x = try required(inputs, 1, of: name)[0]
    let normalized = axes.compactMap { x.shape.normalized(axis: $0) }
    guard normalized.count == axes.count else {
      throw shapeFault(name, "axes \(axes) of \(x.shape)")
    }
    var dims: [Int] = []
    for (axis, dim) in x.shape.dims.enumerated() {
      if !normalized.contains(axis) { dims.append(dim) } else if keepsAxes { dims.append(1) }
    }
    return [TensorType(x.dtype, Shape(dims))]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost {
    Cost(elementwise: inputs[0]?.shape.count ?? 0)
  }
}
