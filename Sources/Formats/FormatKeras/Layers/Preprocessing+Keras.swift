import AssayBase
import AssayGraph
import AssayTensor

extension KerasLayerKind {
  /// Layers that prepare inputs: Rescaling and Normalization.
  static let preprocessing: [String: KerasLayerKind] = [
    "Rescaling": KerasLayerKind(
      check: { layer in
        guard try layer.floats("scale")?.isEmpty == false else {
          throw layer.unsupported("scale", "a number was expected")
        }
        _ = try layer.floats("offset")
      },
      emit: { context, inputs in
        let x = try context.image(inputs)
        let scale = try context.layer.floats("scale") ?? [1]
        let offset = try context.layer.floats("offset") ?? [0]
        var y = x
        if scale != [1] {
          let factor = context.constant("scale") { Tensor(scale, scale.broadcastShape) }
          y = try context.node("scale", Binary(.multiply), [y, factor])
        }
        if offset.contains(where: { $0 != 0 }) {
          let term = context.constant("offset") { Tensor(offset, offset.broadcastShape) }
          y = try context.node("offset", Binary(.add), [y, term])
        }
        return y
      }
    ),
    "Normalization": KerasLayerKind(
      weights: { layer in
        // Statistics that were given are part of the configuration; adapted ones are weights.
        layer["mean"] == nil ? KerasWeightNames(fixed: ["mean", "variance", "count"]) : .init()
      },
      emit: { context, inputs in
        let x = try context.image(inputs)
        let layer = context.layer
        let shape = context.shape(x)
        let given = try layer["axis"] == nil ? [] : layer.ints("axis")
        let axes = given.compactMap(shape.normalized(axis:))
        guard axes.count == given.count, axes == axes.sorted(), !axes.contains(0) else {
          throw layer.unsupported("axis", "axes \(given) of \(shape)")
        }
        let dims = (0..<shape.rank).map { axes.contains($0) ? shape[$0] : 1 }
        func statistic(_ name: String) throws -> [Float] {
          let values = try layer.floats(name) ?? context.tensor(name).floats()
          let count = Shape(dims).count
          guard values.count == count || values.count == 1 else {
            throw Diagnostic("KER006", "'\(name)' has \(values.count) values instead of \(count)")
          }
          return values.count == count ? values : [Float](repeating: values[0], count: count)
        }
        let mean = try statistic("mean")
        // Keras keeps the deviation from being zero by the same bound.
        let deviation = try statistic("variance").map { max($0.squareRoot(), 1e-7) }
        let center = context.constant("mean") { Tensor(mean, Shape(dims)) }
        if try layer.bool("invert", default: false) {
          let spread = context.constant("deviation") { Tensor(deviation, Shape(dims)) }
          let scaled = try context.node("scale", Binary(.multiply), [x, spread])
          return try context.node("shift", Binary(.add), [scaled, center])
        }
        let inverse = context.constant("inverse") { Tensor(deviation.map { 1 / $0 }, Shape(dims)) }
        let centered = try context.node("center", Binary(.subtract), [x, center])
        return try context.node("scale", Binary(.multiply), [centered, inverse])
      }
    ),
  ]
}

extension [Float] {
  /// A lone number has no axes; several belong to the channels.
  fileprivate var broadcastShape: Shape { count == 1 ? [] : [count] }
}
