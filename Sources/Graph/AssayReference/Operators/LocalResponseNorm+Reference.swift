import AssayGraph
import AssayTensor

extension LocalResponseNorm: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let x = try arguments.input(0)
    let values = x.reals
    let channels = max(x.shape[-1], 1)
    let before = (size - 1) / 2
    let results = values.enumerated().map { index, value in
      let channel = index % channels
      var sum = 0.0
      for other in max(channel - before, 0)..<min(channel - before + size, channels) {
        let neighbour = values[index - channel + other]
        sum += neighbour * neighbour
      }
      return value / power(Double(bias) + Double(alpha) * sum, Double(beta))
    }
    return [try tensor(results, arguments.output)]
  }
}
