import AssayGraph
import AssayTensor

extension GatherElements: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let (data, indices) = (try arguments.input(0), try arguments.input(1))
    return [try select(data, try elementPositions(data.shape, indices, axis), arguments.output)]
  }
}

/// For each element of `indices` the position in a tensor of the element at the same place, but for
/// the coordinate along `axis`, which is the integer itself.
///
/// - Throws: `Diagnostic` EVL015 for a coordinate outside of the tensor.
func elementPositions(_ shape: Shape, _ indices: Tensor, _ axis: Int) throws -> [Int] {
  let normalized = shape.normalized(axis: axis) ?? 0
  let strides = shape.strides
  let bases = positions(
    indices.shape.dims.enumerated().map { position, extent in
      AxisSelection(
        coordinates: Array(0..<extent),
        stride: position == normalized ? 0 : strides[position]
      )
    }
  )
  return try zip(bases, indices.with(quantization: nil).integers()).map { base, index in
    base + (try checkedCoordinate(index, shape[normalized]))
      * (strides.isEmpty ? 1 : strides[normalized])
  }
}
