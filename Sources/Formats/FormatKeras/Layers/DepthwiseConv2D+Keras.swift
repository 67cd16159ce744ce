import AssayBase
import AssayGraph
import AssayTensor

extension KerasLayerKind {
  /// DepthwiseConv1D and DepthwiseConv2D.
  static let depthwiseConvolutions: [String: KerasLayerKind] = {
    func kind(_ axes: Int) -> KerasLayerKind {
      KerasLayerKind(
        weights: { layer in
          // Keras 3 calls the filter `kernel`, Keras 2 `depthwise_kernel`.
          let filter = layer.version.major >= 3 ? "kernel" : "depthwise_kernel"
          return KerasWeightNames(trained: try [filter] + layer.biasNames)
        },
        check: { layer in
          _ = try layer.window(axes: axes)
          try layer.checkActivation()
        },
        emit: { context, inputs in
          try context.onImage(context.image(inputs, rank: axes + 2)) { context, x in
            let image = axes == 1 ? try context.widened(x) : x
            let y = try context.depthwise(image, axes: axes)
            return try axes == 1
              ? context.narrowed(y, thenActivation: true) : context.activated(y)
          }
        }
      )
    }
    return ["DepthwiseConv1D": kind(1), "DepthwiseConv2D": kind(2)]
  }()
}

extension KerasContext {
  fileprivate mutating func depthwise(_ x: ValueID, axes: Int) throws -> ValueID {
    let window = try layer.window(axes: axes)
    let name = layer.version.major >= 3 ? "kernel" : "depthwise_kernel"
    let filter = try weight(name) { try $0.depthwiseFilter(axes) }
    let op = DepthwiseConv2D(
      strides: window.strides,
      dilations: window.dilations,
      padding: window.padding,
      activation: layer.fusedActivation
    )
    return try node("depthwise", op, [x, filter, bias()])
  }
}
