import AssayBase
import AssayGraph
import AssayTensor

extension KerasLayerKind {
  /// Pooling over all of an image or a sequence.
  static let globalPooling: [String: KerasLayerKind] = {
    func kind(_ reduction: Reduce.Kind, _ axes: Int) -> KerasLayerKind {
      KerasLayerKind(
        emit: { context, inputs in
          let x = try context.image(inputs, rank: axes + 2)
          let keeps = try context.layer.bool("keepdims", default: false)
          if axes == 1, reduction == .mean,
            let mask = context.tensors(named: "mask").first ?? context.masks[x]
          {
            return try context.maskedMean(x, mask, keepsAxes: keeps)
          }
          let first = try context.hasChannelsFirst() ? 2 : 1
          let op = Reduce(reduction, axes: Array(first..<first + axes), keepsAxes: keeps)
          return try context.node("reduce", op, [x])
        }
      )
    }
    return [
      "GlobalAveragePooling1D": kind(.mean, 1), "GlobalAvgPool1D": kind(.mean, 1),
      "GlobalAveragePooling2D": kind(.mean, 2), "GlobalAvgPool2D": kind(.mean, 2),
      "GlobalAveragePooling3D": kind(.mean, 3), "GlobalAvgPool3D": kind(.mean, 3),
      "GlobalMaxPooling1D": kind(.max, 1), "GlobalMaxPool1D": kind(.max, 1),
      "GlobalMaxPooling2D": kind(.max, 2), "GlobalMaxPool2D": kind(.max, 2),
      "GlobalMaxPooling3D": kind(.max, 3), "GlobalMaxPool3D": kind(.max, 3),
    ]
  }()
}

extension KerasContext {
  /// The mean of the steps that count.
  fileprivate mutating func maskedMean(
    _ x: ValueID,
    _ mask: ValueID,
    keepsAxes: Bool
  ) throws -> ValueID {
    let dims = shape(x).dims
    let weights = try node("weights", Cast(.float32), [mask])
    let columns = try node("columns", Reshape([dims[0], dims[1], 1]), [weights])
    let part = try node("part", Binary(.multiply), [x, columns])
    let sum = try node("sum", Reduce(.sum, axes: [1], keepsAxes: keepsAxes), [part])
    let count = try node("count", Reduce(.sum, axes: [1], keepsAxes: keepsAxes), [columns])
    return try node("average", Binary(.divide), [sum, count])
  }
}
