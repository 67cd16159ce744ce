import AssayGraph
import AssayTensor

extension Slice: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let x = try arguments.input(0)
    let strides = x.shape.strides
    let axes = x.shape.dims.indices.map { axis in
      AxisSelection(
        coordinates: (0..<sizes[axis]).map { begin[axis] + $0 * steps[axis] },
        stride: strides[axis]
      )
    }
    return [try select(x, positions(axes), arguments.output)]
  }
}

extension Split: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let x = try arguments.input(0)
    let strides = x.shape.strides
    let cut = x.shape.normalized(axis: axis) ?? 0
    var first = 0
    return try zip(sizes, arguments.outputs).map { size, type in
      let axes = x.shape.dims.enumerated().map { axis, extent in
        AxisSelection(
          coordinates: axis == cut ? Array(first..<first + size) : Array(0..<extent),
          stride: strides[axis]
        )
      }
      first += size
      return try select(x, positions(axes), type)
    }
  }
}
