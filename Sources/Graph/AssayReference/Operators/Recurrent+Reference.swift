import AssayGraph
import AssayTensor

extension Recurrent: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let x = try arguments.input(0)
    let weights = try arguments.input(1).shape
    let (batch, steps) = (x.shape[0], x.shape[1])
    let units = weights[0] / cell.gates
    let outputs = try arguments.input(2).shape[1]
    let state = State(self, arguments, units: units, outputs: outputs, features: x.shape[2])
    let values = x.reals
    let mask = arguments.optional(Input.mask.rawValue)?.reals
    var sequence = [Double](repeating: 0, count: batch * steps * outputs)
    var last: [Double] = []
    var lastCell: [Double] = []
    for n in 0..<batch {
      var h =
        state.initialOutput.map { Array($0[n * outputs..<(n + 1) * outputs]) }
        ?? [Double](repeating: 0, count: outputs)
      var c =
        state.initialCell.map { Array($0[n * units..<(n + 1) * units]) }
        ?? [Double](repeating: 0, count: units)
      var given = [Double](repeating: 0, count: outputs)
      for step in 0..<steps {
        let t = isReversed ? steps - 1 - step : step
        if let mask, mask[n * steps + t] == 0 {
          if zerosMaskedOutputs { given = given.map { _ in 0 } }
        } else {
          let start = (n * steps + t) * x.shape[2]
          (h, c) = state.step(values[start..<start + x.shape[2]], h, c)
          given = h
        }
        for o in 0..<outputs { sequence[(n * steps + t) * outputs + o] = given[o] }
      }
      last += h
      lastCell += c
    }
    let results = cell == .lstm ? [sequence, last, lastCell] : [sequence, last]
    return try zip(results, arguments.outputs).map { try tensor($0, $1) }
  }
}

/// The weights of a recurrent layer in double precision, and one step of it.
private struct State {
  let op: Recurrent
  let units: Int
  let outputs: Int
  let features: Int
  let weights: [Double]
  let recurrent: [Double]
  let bias: [Double]
  let recurrentBias: [Double]
  let initialOutput: [Double]?
  let initialCell: [Double]?
  let peepholes: [Double]?
  let projection: [Double]?
  let projectionBias: [Double]?

  init(_ op: Recurrent, _ arguments: Arguments, units: Int, outputs: Int, features: Int) {
    func reals(_ input: Recurrent.Input) -> [Double]? {
      arguments.optional(input.rawValue)?.reals
    }
    let zeros = [Double](repeating: 0, count: op.cell.gates * units)
    self.op = op
    self.units = units
    self.outputs = outputs
    self.features = features
    weights = reals(.weights) ?? []
    recurrent = reals(.recurrentWeights) ?? []
    bias = reals(.bias) ?? zeros
    recurrentBias = reals(.recurrentBias) ?? zeros
    initialOutput = reals(.initialOutput)
    initialCell = reals(.initialCell)
    peepholes = reals(.peepholes)
    projection = reals(.projection)
    projectionBias = reals(.projectionBias)
  }

  private func product(
    _ matrix: [Double],
    row: Int,
    _ vector: some RandomAccessCollection<Double>
  ) -> Double {
    var sum = 0.0
    var index = row * vector.count
    for value in vector {
      sum += matrix[index] * value
      index += 1
    }
    return sum
  }

  private func clipped(_ x: Double, _ bound: Float?) -> Double {
    bound.map { min(max(x, -Double($0)), Double($0)) } ?? x
  }

  func step(_ x: ArraySlice<Double>, _ h: [Double], _ c: [Double]) -> ([Double], [Double]) {
    func input(_ gate: Int, _ unit: Int) -> Double {
      let row = gate * units + unit
      return product(weights, row: row, x) + bias[row]
    }
    func past(_ gate: Int, _ unit: Int, _ h: [Double]) -> Double {
      let row = gate * units + unit
      return product(recurrent, row: row, h) + recurrentBias[row]
    }
    func gate(_ sum: Double) -> Double {
      op.recurrentActivation.apply(clipped(sum, op.gateClip))
    }
    func candidate(_ sum: Double) -> Double { op.activation.apply(clipped(sum, op.gateClip)) }
    switch op.cell {
    case .simple:
      return ((0..<units).map { candidate(input(0, $0) + past(0, $0, h)) }, c)
    case .gru:
      let update = (0..<units).map { gate(input(0, $0) + past(0, $0, h)) }
      let reset = (0..<units).map { gate(input(1, $0) + past(1, $0, h)) }
      let gated = zip(reset, h).map { $0 * $1 }
      let new = (0..<units).map { unit in
        let past = op.resetsAfter ? reset[unit] * past(2, unit, h) : past(2, unit, gated)
        return candidate(input(2, unit) + past)
      }
      return ((0..<units).map { update[$0] * h[$0] + (1 - update[$0]) * new[$0] }, c)
    case .lstm:
      return memory(h, c) { input($0, $1) + past($0, $1, h) }
    }
  }

  /// A step of an LSTM whose gates have the given sums.
  private func memory(
    _ h: [Double],
    _ c: [Double],
    _ sum: (_ gate: Int, _ unit: Int) -> Double
  ) -> ([Double], [Double]) {
    func peep(_ index: Int, _ unit: Int, _ c: [Double]) -> Double {
      peepholes.map { $0[index * units + unit] * c[unit] } ?? 0
    }
    func gate(_ sum: Double) -> Double {
      op.recurrentActivation.apply(clipped(sum, op.gateClip))
    }
    let next = (0..<units).map { unit in
      var input = gate(sum(0, unit) + peep(0, unit, c))
      var forget = gate(sum(1, unit) + peep(1, unit, c))
      if op.coupling == .inputFollowsForget { input = 1 - forget }
      if op.coupling == .forgetFollowsInput { forget = 1 - input }
      let candidate = op.activation.apply(clipped(sum(2, unit), op.gateClip))
      return clipped(forget * c[unit] + input * candidate, op.cellClip)
    }
    let given = (0..<units).map { unit in
      gate(sum(3, unit) + peep(2, unit, next)) * op.outputActivation.apply(next[unit])
    }
    guard let projection else { return (given, next) }
    let projected = (0..<outputs).map { output in
      clipped(
        product(projection, row: output, given) + (projectionBias?[output] ?? 0),
        op.projectionClip
      )
    }
    return (projected, next)
  }
}

extension RecurrentFunction {
  /// The function's value.
  func apply(_ x: Double) -> Double {
    let (a, b) = (Double(alpha), Double(beta))
    func softplus(_ x: Double) -> Double { max(x, 0) + logarithm(1 + exponential(-x.magnitude)) }
    func sigmoid(_ x: Double) -> Double { 1 / (1 + exponential(-x)) }
    func elu(_ x: Double) -> Double { x < 0 ? a * exponentialLess1(x) : x }
    switch kind {
    case .linear: return x
    case .sigmoid: return sigmoid(x)
    case .tanh: return hyperbolicTangent(x)
    case .relu: return x < 0 ? 0 : x
    case .relu6: return Activation.relu6.apply(x)
    case .reluN1To1: return Activation.reluN1To1.apply(x)
    case .elu: return elu(x)
    case .selu: return b * elu(x)
    case .leakyReLU: return x < 0 ? a * x : x
    case .thresholdedReLU: return x > a ? x : 0
    case .scaledTanh: return a * hyperbolicTangent(b * x)
    case .hardSigmoid: return min(max(a * x + b, 0), 1)
    case .affine: return a * x + b
    case .softsign: return x / (1 + x.magnitude)
    case .softplus: return softplus(x)
    case .exponential: return exponential(x)
    case .gelu: return 0.5 * x * (1 + errorFunction(x / 2.0.squareRoot()))
    case .geluApproximate:
      let inner = (2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)
      return 0.5 * x * (1 + hyperbolicTangent(inner))
    case .silu: return x * sigmoid(x)
    case .hardSwish: return x * Activation.relu6.apply(x + 3) / 6
    case .mish: return x * hyperbolicTangent(softplus(x))
    }
  }
}
