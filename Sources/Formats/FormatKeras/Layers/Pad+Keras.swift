import AssayBase
import AssayGraph
import AssayTensor

extension KerasLayerKind {
  /// ZeroPadding over one to three axes.
  static let padding: [String: KerasLayerKind] = {
    func kind(_ axes: Int) -> KerasLayerKind {
      KerasLayerKind(
        check: { layer in
          _ = try layer.pairs("padding", axes: axes)
        },
        emit: { context, inputs in
          let x = try context.only(inputs)
          let rank = context.shape(x).rank
          guard rank == axes + 2 else {
            throw Diagnostic("KER006", "the layer takes \(axes + 2) axes, not \(rank)")
          }
          let amounts = try context.layer.pairs("padding", axes: axes)
          let isFirst = try context.hasChannelsFirst()
          let (front, back) = isFirst ? ([0, 0], []) : ([0], [0])
          let op = Pad(
            before: front + amounts.map(\.before) + back,
            after: front + amounts.map(\.after) + back
          )
          return try context.node("pad", op, [x])
        }
      )
    }
    return ["ZeroPadding1D": kind(1), "ZeroPadding2D": kind(2), "ZeroPadding3D": kind(3)]
  }()
}
