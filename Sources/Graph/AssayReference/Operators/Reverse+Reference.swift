import AssayBase
import AssayGraph
import AssayTensor

extension Reverse: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let x = try arguments.input(0)
    let reversed = Set(axes.compactMap { x.shape.normalized(axis: $0) })
    let strides = x.shape.strides
    let selections = x.shape.dims.enumerated().map { axis, extent in
      AxisSelection(
        coordinates: reversed.contains(axis) ? (0..<extent).reversed() : Array(0..<extent),
        stride: strides[axis]
      )
    }
    return [try select(x, positions(selections), arguments.output)]
  }
}

extension ReverseSequence: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let x = try arguments.input(0)
    let lengths = try arguments.input(1).integers()
    let shape = x.shape
    let (batch, time) = (
      shape.normalized(axis: batchAxis) ?? 0, shape.normalized(axis: timeAxis) ?? 0
    )
    guard lengths.allSatisfy({ (0...shape.dims[time]).contains($0) }) else {
      throw Diagnostic("EVL015", "a length is outside of an axis of \(shape.dims[time])")
    }
    let strides = shape.strides
    let sources = (0..<x.count).map { index in
      let entry = index / strides[batch] % shape.dims[batch]
      let step = index / strides[time] % shape.dims[time]
      let length = lengths[entry]
      return step < length ? index + (length - 1 - 2 * step) * strides[time] : index
    }
    return [try select(x, sources, arguments.output)]
  }
}
