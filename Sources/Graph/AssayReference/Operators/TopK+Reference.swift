import AssayGraph
import AssayTensor

extension TopK: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let x = try arguments.input(0)
    let values = x.reals
    let rows = AxisRows(x.shape, axis)
    let results = AxisRows(arguments.output.shape, axis)
    var sources = [Int](repeating: 0, count: arguments.output.shape.count)
    var positions = sources
    for (start, target) in zip(rows.starts, results.starts) {
      let order = (0..<rows.length).sorted { a, b in
        let (p, q) = (values[start + a * rows.stride], values[start + b * rows.stride])
        return p == q || p.isNaN || q.isNaN ? a < b : takesLargest ? p > q : p < q
      }
      for rank in 0..<count {
        sources[target + rank * results.stride] = start + order[rank] * rows.stride
        positions[target + rank * results.stride] = order[rank]
      }
    }
    return [
      try select(x, sources, arguments.output),
      try tensor(integers: positions, arguments.outputs[1]),
    ]
  }
}
