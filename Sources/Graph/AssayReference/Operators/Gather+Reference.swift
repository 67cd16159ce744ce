import AssayBase
import AssayGraph
import AssayTensor

extension Gather: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let (x, indices) = (try arguments.input(0), try arguments.input(1))
    let chosen = x.shape.normalized(axis: axis) ?? 0
    let extent = x.shape[chosen]
    let coordinates = try indices.with(quantization: nil).integers().map { index in
      // A negative index counts from the end, as in ONNX.
      guard (-extent..<extent).contains(index) else {
        throw Diagnostic("EVL015", "index \(index) is outside of an axis of \(extent)")
      }
      return index < 0 ? index + extent : index
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
