import AssayGraph
import AssayTensor

extension CumulativeSum: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let x = try arguments.input(0)
    let values = x.reals
    var sums = values
    let rows = AxisRows(x.shape, axis)
    for start in rows.starts {
      var sum = 0.0
      for step in 0..<rows.length {
        let index = start + (isReversed ? rows.length - 1 - step : step) * rows.stride
        if isExclusive { sums[index] = sum }
        sum += values[index]
        if !isExclusive { sums[index] = sum }
      }
    }
    return [try tensor(sums, arguments.output)]
  }
}
