import AssayGraph
import AssayTensor

extension BatchNorm: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let channels = max(arguments.output.shape[-1], 1)
    let gamma = arguments.optional(1)?.reals ?? [Double](repeating: 1, count: channels)
    let beta = arguments.optional(2)?.reals ?? [Double](repeating: 0, count: channels)
    let mean = try arguments.input(3).reals
    let variance = try arguments.input(4).reals
    let results = try arguments.input(0).reals.enumerated().map { index, x in
      let c = index % channels
      let deviation = (variance[c] + Double(epsilon)).squareRoot()
      return gamma[c] * (x - mean[c]) / deviation + beta[c]
    }
    return [try tensor(results, arguments.output)]
  }
}
