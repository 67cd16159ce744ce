import AssayGraph
import AssayTensor

extension LayerNorm: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let extent = max(arguments.output.shape[-1], 1)
    let gamma = arguments.optional(1)?.reals ?? [Double](repeating: 1, count: extent)
    let beta = arguments.optional(2)?.reals ?? [Double](repeating: 0, count: extent)
    var values = try arguments.input(0).reals
    for start in stride(from: 0, to: values.count, by: extent) {
      let row = values[start..<start + extent]
      let mean = row.reduce(0, +) / Double(extent)
      let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(extent)
      let deviation = (variance + Double(epsilon)).squareRoot()
      for c in 0..<extent {
        values[start + c] = gamma[c] * (values[start + c] - mean) / deviation + beta[c]
      }
    }
    return [try tensor(values, arguments.output)]
  }
}
