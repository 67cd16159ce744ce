import AssayBase
import AssayGraph
import AssayTensor

extension KerasLayerKind {
  /// Pooling over all of an image or a sequence.
  static let globalPooling: [String: KerasLayerKind] = {
    func kind(_ reduction: Reduce.Kind, _ axes: Int) -> KerasLayerKind {
      KerasLayerKind(
        check: { try $0.requireChannelsLast() },
        emit: { context, inputs in
          let x = try context.image(inputs, rank: axes + 2)
          let keeps = try context.layer.bool("keepdims", default: false)
          let op = Reduce(reduction, axes: Array(1...axes), keepsAxes: keeps)
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
