import AssayBase
import AssayGraph
import AssayTensor

extension KerasLayerKind {
  /// BatchNormalization and LayerNormalization.
  static let normalizations: [String: KerasLayerKind] = [
    "BatchNormalization": batchNormalization,
    "BatchNormalizationV1": batchNormalization,
    "BatchNormalizationV2": batchNormalization,
    "SyncBatchNormalization": batchNormalization,
    "LayerNormalization": layerNormalization,
  ]

  private static let batchNormalization = KerasLayerKind(
    weights: { layer in
      KerasWeightNames(
        trained: try layer.scaleNames,
        fixed: ["moving_mean", "moving_variance"]
      )
    },
    check: { try $0.require("renorm", toBe: false) },
    emit: { context, inputs in
      let x = try context.image(inputs)
      let layer = context.layer
      let rank = context.shape(x).rank
      let axes = try layer["axis"] == nil ? [-1] : layer.ints("axis")
      guard axes.count == 1, let axis = context.shape(x).normalized(axis: axes[0]), axis > 0 else {
        throw layer.unsupported("axis", "axes \(axes) of \(context.shape(x))")
      }
      let epsilon = try layer.float("epsilon", default: 1e-3)
      let names = try layer.scaleNames
      guard axis == rank - 1 else {
        return try context.scaledByStatistics(x, axis: axis, epsilon: epsilon)
      }
      let parameters: [ValueID?] = [
        names.contains("gamma") ? try context.weight("gamma") : nil,
        names.contains("beta") ? try context.weight("beta") : nil,
        try context.weight("moving_mean"), try context.weight("moving_variance"),
      ]
      return try context.node("normalize", BatchNorm(epsilon: epsilon), [x] + parameters)
    }
  )

  private static let layerNormalization = KerasLayerKind(
    weights: { KerasWeightNames(trained: try $0.scaleNames) },
    check: { try $0.require("rms_scaling", toBe: false) },
    emit: { context, inputs in
      let x = try context.image(inputs)
      let layer = context.layer
      let shape = context.shape(x)
      let given = try layer["axis"] == nil ? [-1] : layer.ints("axis")
      let axes = given.compactMap(shape.normalized(axis:)).sorted()
      guard axes.count == given.count, let first = axes.first,
        axes == Array(first..<shape.rank), first > 0
      else { throw layer.unsupported("axis", "axes \(given) of \(shape)") }
      let mean = try context.node("mean", Reduce(.mean, axes: axes, keepsAxes: true), [x])
      let centered = try context.node("center", Binary(.subtract), [x, mean])
      let square = try context.node("square", Unary(.square), [centered])
      let variance = try context.node(
        "variance",
        Reduce(.mean, axes: axes, keepsAxes: true),
        [square]
      )
      let epsilon = context.scalar(try layer.float("epsilon", default: 1e-3))
      let shifted = try context.node("epsilon", Binary(.add), [variance, epsilon])
      let inverse = try context.node("rsqrt", Unary(.rsqrt), [shifted])
      var y = try context.node("normalize", Binary(.multiply), [centered, inverse])
      let names = try layer.scaleNames
      if names.contains("gamma") {
        y = try context.node("scale", Binary(.multiply), [y, context.weight("gamma")])
      }
      if names.contains("beta") {
        y = try context.node("shift", Binary(.add), [y, context.weight("beta")])
      }
      return y
    }
  )
}

extension KerasLayer {
  /// `gamma` and `beta`, as far as the layer has them.
  fileprivate var scaleNames: [String] {
    get throws {
      (try bool("scale", default: true) ? ["gamma"] : [])
        + (try bool("center", default: true) ? ["beta"] : [])
    }
  }
}

extension KerasContext {
  /// A normalization over an axis that is not the last: a factor and a term for each slice.
  fileprivate mutating func scaledByStatistics(
    _ x: ValueID,
    axis: Int,
    epsilon: Float
  ) throws -> ValueID {
    let extent = shape(x)[axis]
    let parameters = try ["gamma", "beta", "moving_mean", "moving_variance"].map { name in
      let values = weights[name]?.floats()
      guard values == nil || values?.count == extent else {
        throw Diagnostic("KER006", "'\(name)' does not fit \(extent) channels")
      }
      return values
    }
    guard let mean = parameters[2], let variance = parameters[3] else {
      throw layer.missing("moving_mean")
    }
    let gamma = parameters[0] ?? [Float](repeating: 1, count: extent)
    let beta = parameters[1] ?? [Float](repeating: 0, count: extent)
    let scales = zip(gamma, variance).map { $0 / ($1 + epsilon).squareRoot() }
    let shifts = (0..<extent).map { beta[$0] - mean[$0] * scales[$0] }
    let dims = (0..<shape(x).rank).map { $0 == axis ? extent : 1 }
    let scale = constant("scale") { Tensor(scales, Shape(dims)) }
    let shift = constant("shift") { Tensor(shifts, Shape(dims)) }
    let scaled = try node("scaled", Binary(.multiply), [x, scale])
    return try node("shifted", Binary(.add), [scaled, shift])
  }
}
