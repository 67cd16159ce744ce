import AssayBase
import AssayGraph
import AssayTensor

extension KerasLayerKind {
  /// Cropping over one to three axes.
  static let cropping: [String: KerasLayerKind] = {
    func kind(_ axes: Int) -> KerasLayerKind {
      KerasLayerKind(
        check: { layer in
          _ = try layer.pairs("cropping", axes: axes)
        },
        emit: { context, inputs in
          let x = try context.only(inputs)
          let dims = context.shape(x).dims
          let amounts = try context.layer.pairs("cropping", axes: axes)
          let isFirst = try context.hasChannelsFirst()
          guard dims.count == axes + 2,
            zip(dims.dropFirst(isFirst ? 2 : 1), amounts).allSatisfy({ $0 >= $1.before + $1.after })
          else {
            throw Diagnostic("KER006", "nothing is left of an input of \(Shape(dims))")
          }
          let (front, back) = isFirst ? ([0, 0], []) : ([0], [0])
          let begin = front + amounts.map(\.before) + back
          let end = front + amounts.map(\.after) + back
          let sizes = dims.indices.map { dims[$0] - begin[$0] - end[$0] }
          return try context.node("crop", Slice(begin: begin, sizes: sizes), [x])
        }
      )
    }
    return ["Cropping1D": kind(1), "Cropping2D": kind(2), "Cropping3D": kind(3)]
  }()
}
