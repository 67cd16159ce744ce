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

extension LocalResponseNorm {
  /// The same with a bias of one, and the factor that its result is to be multiplied by; `nil` for a
  /// bias without a fraction.
  ///
  /// OpenVINO (2026.4) drops what a bias has behind the point.
  public var withUnitBias: (op: LocalResponseNorm, factor: Float)? {
    guard bias > 0, bias.rounded() != bias else { return nil }
    let op = LocalResponseNorm(size: size, alpha: alpha / bias, beta: beta, bias: 1)
    return (op, Float(power(Double(bias), -Double(beta))))
  }
}
