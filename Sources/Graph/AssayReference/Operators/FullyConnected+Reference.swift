import AssayGraph
import AssayTensor

extension FullyConnected: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let input = try arguments.input(0)
    let weights = try arguments.input(1).shape
    let (outputs, inputs) = (weights[0], weights[1])
    let rows =
      inputs > 0 ? input.count / inputs : arguments.output.shape.dims.dropLast().reduce(1, *)
    return try sumsOfProducts(arguments, activation: activation, groups: rows) { x, weights in
      var sums: [Double] = []
      sums.reserveCapacity(rows * outputs)
      for row in 0..<rows {
        for o in 0..<outputs {
          var sum = 0.0
          for i in 0..<inputs { sum += x[row * inputs + i] * weights[o * inputs + i] }
          sums.append(sum)
        }
      }
      return sums
    }
  }
}
