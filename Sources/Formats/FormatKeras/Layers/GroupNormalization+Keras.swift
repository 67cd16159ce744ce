import AssayBase
import AssayGraph
import AssayTensor

extension KerasLayerKind {
  /// Normalizations by statistics of the input itself, but for `LayerNormalization`.
  static let groupNormalizations: [String: KerasLayerKind] = [
    "GroupNormalization": KerasLayerKind(
      weights: { KerasWeightNames(trained: try $0.scaleNames) },
      check: { _ = try $0.int("groups", default: 32) },
      emit: { context, inputs in try context.groupNormalization(context.image(inputs)) }
    ),
    "UnitNormalization": KerasLayerKind(emit: { context, inputs in
      let x = try context.image(inputs)
      let axes = try context.layer.normalizedAxes(of: context.shape(x))
      return try context.unitNormalized(x, axes: axes, epsilon: 1e-12)
    }),
    "RMSNormalization": KerasLayerKind(
      weights: { _ in KerasWeightNames(trained: ["scale"]) },
      emit: { context, inputs in
        let x = try context.image(inputs)
        let axes = try context.layer.normalizedAxes(of: context.shape(x))
        let epsilon = try context.layer.float("epsilon", default: 1e-6)
        let y = try context.scaledByRoot(x, axes, epsilon, usesVariance: false)
        let dims = context.shape(x).dims.enumerated().map { axes.contains($0) ? $1 : 1 }
        return try context.scaledAndShifted(y, ["scale"], Shape(dims))
      }
    ),
  ]
}

extension KerasContext {
  /// `(x - mean) / sqrt(variance + epsilon)` over axes.
  mutating func standardized(_ x: ValueID, _ axes: [Int], _ epsilon: Float) throws -> ValueID {
    let average = Reduce(.mean, axes: axes, keepsAxes: true)
    let mean = try node("mean", average, [x])
    let centered = try node("center", Binary(.subtract), [x, mean])
    let square = try node("square", Unary(.square), [centered])
    let variance = try node("variance", average, [square])
    let shifted = try node("epsilon", Binary(.add), [variance, scalar(epsilon)])
    let inverse = try node("rsqrt", Unary(.rsqrt), [shifted])
    return try node("normalize", Binary(.multiply), [centered, inverse])
  }

  /// `x / sqrt(m + epsilon)` over axes, m being the mean of the squares or the variance.
  mutating func scaledByRoot(
    _ x: ValueID,
    _ axes: [Int],
    _ epsilon: Float,
    usesVariance: Bool
  ) throws -> ValueID {
    let average = Reduce(.mean, axes: axes, keepsAxes: true)
    var centered = x
    if usesVariance {
      centered = try node("center", Binary(.subtract), [x, node("mean", average, [x])])
    }
    let square = try node("square", Unary(.square), [centered])
    let mean = try node("moment", average, [square])
    let shifted = try node("epsilon", Binary(.add), [mean, scalar(epsilon)])
    let inverse = try node("rsqrt", Unary(.rsqrt), [shifted])
    return try node("normalize", Binary(.multiply), [x, inverse])
  }

  /// `x * w` for the first of the layer's weights, `+ w` for the second, each of shape `shape`.
  mutating func scaledAndShifted(
    _ x: ValueID,
    _ names: [String],
    _ shape: Shape
  ) throws -> ValueID {
    var y = x
    for name in names {
      let parameter = try weight(name) { try $0.reshapedWeight(shape.trimmed.dims) }
      let isTerm = name == "beta"
      y = try node(isTerm ? "shift" : "scale", Binary(isTerm ? .add : .multiply), [y, parameter])
    }
    return y
  }

  /// `x / max(|x|, …)` with the Euclidean norm over axes; the sum of squares is at least `epsilon`.
  mutating func unitNormalized(_ x: ValueID, axes: [Int], epsilon: Float) throws -> ValueID {
    let square = try node("square", Unary(.square), [x])
    let sum = try node("sum", Reduce(.sum, axes: axes, keepsAxes: true), [square])
    let bounded = try node("bound", Binary(.maximum), [sum, scalar(epsilon)])
    let inverse = try node("rsqrt", Unary(.rsqrt), [bounded])
    return try node("unit", Binary(.multiply), [x, inverse])
  }

  fileprivate mutating func groupNormalization(_ x: ValueID) throws -> ValueID {
    let dims = shape(x).dims
    guard let axis = shape(x).normalized(axis: try layer.int("axis", default: -1)), axis > 0 else {
      throw layer.unsupported("axis", "the axis of \(shape(x))")
    }
    let given = try layer.int("groups", default: 32)
    let groups = given == -1 ? dims[axis] : given
    guard groups > 0, dims[axis] % groups == 0 else {
      throw layer.unsupported("groups", "\(groups) groups of \(dims[axis]) channels")
    }
    var grouped = dims
    grouped.replaceSubrange(axis...axis, with: [groups, dims[axis] / groups])
    let parts = try node("groups", Reshape(grouped), [x])
    let axes = grouped.indices.filter { $0 > 0 && $0 != axis }
    let epsilon = try layer.float("epsilon", default: 1e-3)
    let y = try standardized(parts, axes, epsilon)
    let joined = try node("join", Reshape(dims), [y])
    let channels = dims.indices.map { $0 == axis ? dims[axis] : 1 }
    return try scaledAndShifted(joined, layer.scaleNames, Shape(channels))
  }
}

extension Shape {
  /// The shape without leading extents of 1, which broadcasting adds again.
  fileprivate var trimmed: Shape { Shape(Array(dims.drop { $0 == 1 })) }
}
