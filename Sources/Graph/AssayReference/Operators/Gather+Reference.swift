import AssayGraph
import AssayTensor

extension Gather: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let (x, indices) = (try arguments.input(0), try arguments.input(1))
    let chosen = x.shape.normalized(axis: axis) ?? 0
    let extent = x.shape[chosen]
    let coordinates = try indices.with(quantization: nil).integers().map {
      try checkedCoordinate($0, extent)
    }
    let strides = x.shape.strides
    let axes = x.shape.dims.enumerated().map { axis, extent in
      AxisSelection(
        coordinates: axis == chosen ? coordinates : Array(0..<extent),
        stride: strides[axis]
      )
    }
    return [try select(x, positions(axes), arguments.output)]
  }
}
