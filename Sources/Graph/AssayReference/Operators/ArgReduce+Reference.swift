import AssayGraph
import AssayTensor

extension ArgReduce: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let x = try arguments.input(0)
    let values = x.reals
    let rows = AxisRows(x.shape, axis)
    let best = rows.starts.map { start -> Int in
      var best = 0
      for position in 1..<max(rows.length, 1) {
        let (value, held) = (
          values[start + position * rows.stride], values[start + best * rows.stride]
        )
        if value == held, selectsLast { best = position }
        if kind == .max ? value > held : value < held { best = position }
      }
      return best
    }
    return [try tensor(integers: best, arguments.output)]
  }
}
