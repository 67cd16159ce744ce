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
      if axis != rank - 1 {
        guard axis == 1 else {
          return try context.scaledByStatistics(x, axis: axis, epsilon: epsilon)
        }
        // Channels come first: as an image, the operator has them last.
        let image = try context.channelsLast(x)
        return try context.channelsFirst(context.normalized(image, names, epsilon))
      }
      return try context.normalized(x, names, epsilon)
    }
  )

  private static let layerNormalization = KerasLayerKind(
    weights: { layer in
      // With `rms_scaling` Keras has no beta.
      let isRMS = try layer.bool("rms_scaling", default: false)
      return KerasWeightNames(trained: isRMS ? ["gamma"] : try layer.scaleNames)
    },
    emit: { context, inputs in
      let x = try context.image(inputs)
      let layer = context.layer
      let axes = try layer.normalizedAxes(of: context.shape(x))
      let epsilon = try layer.float("epsilon", default: 1e-3)
      let isRMS = try layer.bool("rms_scaling", default: false)
      let y =
        isRMS
        ? try context.scaledByRoot(x, axes, epsilon, usesVariance: true)
        : try context.standardized(x, axes, epsilon)
      let dims = context.shape(x).dims.enumerated().map { axes.contains($0) ? $1 : 1 }
      return try context.scaledAndShifted(
        y,
        isRMS ? ["gamma"] : layer.scaleNames,
        Shape(dims)
      )
    }
  )
}

extension KerasLayer {
  /// The axes that a layer normalizes over, in order; the last one unless it says.
  func normalizedAxes(of shape: Shape) throws -> [Int] {
    let given = try self["axis"] == nil ? [-1] : ints("axis")
    let axes = given.compactMap(shape.normalized(axis:)).sorted()
    guard axes.count == given.count, Set(axes).count == axes.count, axes.first ?? 0 > 0 else {
      throw unsupported("axis", "axes \(given) of \(shape)")
    }
    return axes
  }

  /// `gamma` and `beta`, as far as the layer has them.
  var scaleNames: [String] {
    get throws {
      (try bool("scale", default: true) ? ["gamma"] : [])
        + (try bool("center", default: true) ? ["beta"] : [])
    }
  }
}

extension KerasContext {
  /// A batch normalization of the last axis.
  fileprivate mutating func normalized(
    _ x: ValueID,
    _ names: [String],
    _ epsilon: Float
  ) throws -> ValueID {
    let parameters: [ValueID?] = [
      names.contains("gamma") ? try weight("gamma") : nil,
      names.contains("beta") ? try weight("beta") : nil,
      try weight("moving_mean"), try weight("moving_variance"),
    ]
    return try node("normalize", BatchNorm(epsilon: epsilon), [x] + parameters)
  }

  /// A normalization over an axis that is not the last: a factor and a term for each slice.
  fileprivate mutating func scaledByStatistics(
    _ x: ValueID,
    axis: Int,
    epsilon: Float
  ) throws -> ValueID {
    let extent = shape(x)[axis]
    let names = try layer.scaleNames + ["moving_mean", "moving_variance"]
    let parameters = try ["gamma", "beta", "moving_mean", "moving_variance"].map { name in
      let values = names.contains(name) ? try tensor(name).floats() : nil
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
