import AssayBase
import AssayGraph
import AssayTensor

extension KerasLayerKind {
  /// ZeroPadding over one to three axes.
  static let padding: [String: KerasLayerKind] = {
    func kind(_ axes: Int) -> KerasLayerKind {
      KerasLayerKind(
        check: { layer in
          try layer.requireChannelsLast()
          _ = try layer.pairs("padding", axes: axes)
        },
        emit: { context, inputs in
          let x = try context.only(inputs)
          let rank = context.shape(x).rank
          guard rank == axes + 2 else {
            throw Diagnostic("KER006", "the layer takes \(axes + 2) axes, not \(rank)")
          }
          let amounts = try context.layer.pairs("padding", axes: axes)
          let op = Pad(
            before: [0] + amounts.map(\.before) + [0],
            after: [0] + amounts.map(\.after) + [0]
          )
          return try context.node("pad", op, [x])
        }
      )
    }
    return ["ZeroPadding1D": kind(1), "ZeroPadding2D": kind(2), "ZeroPadding3D": kind(3)]
  }()
}
