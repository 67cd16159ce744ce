import AssayGraph
import AssayTensor

extension Transpose: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let x = try arguments.input(0)
    let strides = x.shape.strides
    let axes = permutation.map {
      AxisSelection(coordinates: Array(0..<x.shape.dims[$0]), stride: strides[$0])
    }
    return [try select(x, positions(axes), arguments.output)]
  }
}
