import AssayGraph
import AssayTensor

extension OneHot: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let indices = try arguments.input(0).integers()
    let (on, off) = (try arguments.input(1).reals, try arguments.input(2).reals)
    let shape = arguments.output.shape
    let rows = AxisRows(shape, axis)
    var values = [Double](repeating: off.first ?? 0, count: shape.count)
    for (start, index) in zip(rows.starts, indices) where (0..<depth).contains(index) {
      values[start + index * rows.stride] = on.first ?? 1
    }
    return [try tensor(values, arguments.output)]
  }
}
