import AssayGraph
import AssayTensor

extension Softmax: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let x = try arguments.input(0)
    let axis = x.shape.normalized(axis: axis) ?? 0
    let (extent, inner) = (x.shape[axis], x.shape.strides[axis])
    var values = x.reals
    for first in values.indices where first / inner % max(extent, 1) == 0 {
      let slice = (0..<extent).map { first + $0 * inner }
      let greatest = slice.reduce(-Double.infinity) { max($0, values[$1]) }
      for index in slice { values[index] = exponential(Double(beta) * (values[index] - greatest)) }
      let sum = slice.reduce(0) { $0 + values[$1] }
      for index in slice { values[index] /= sum }
    }
    return [try tensor(values, arguments.output)]
  }
}

extension LogSoftmax: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let x = try arguments.input(0)
    var values = x.reals
    let rows = AxisRows(x.shape, axis)
    for start in rows.starts {
      let places = (0..<rows.length).map { start + $0 * rows.stride }
      let greatest = places.reduce(-Double.infinity) { max($0, values[$1]) }
      let sum = places.reduce(0.0) { $0 + exponential(values[$1] - greatest) }
      for place in places { values[place] -= greatest + logarithm(sum) }
    }
    return [try tensor(values, arguments.output)]
  }
}
