import AssayGraph
import AssayTensor

extension Tile: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let x = try arguments.input(0)
    let strides = x.shape.strides
    let axes = x.shape.dims.enumerated().map { axis, extent in
      AxisSelection(
        coordinates: (0..<extent * repeats[axis]).map { $0 % max(extent, 1) },
        stride: strides[axis]
      )
    }
    return [try select(x, positions(axes), arguments.output)]
  }
}

extension BroadcastTo: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let x = try arguments.input(0)
    let sources = broadcastPositions(from: x.shape, to: arguments.output.shape)
    return [try select(x, sources, arguments.output)]
  }
}
