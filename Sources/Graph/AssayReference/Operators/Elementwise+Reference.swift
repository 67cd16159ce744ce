import AssayGraph
import AssayTensor

extension Unary: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let x = try arguments.input(0)
    if kind == .bitwiseNot {
      // Of a type without sign the bits above it are cut off.
      let mask = x.dtype.bitMask
      return [try tensor(integers: x.integers().map { mask & ~$0 }, arguments.output)]
    }
    return [try tensor(x.reals.map(function), arguments.output)]
  }

  private func function(_ x: Double) -> Double {
    switch kind {
    case .relu: x < 0 ? 0 : x
    case .relu6: Activation.relu6.apply(x)
    case .reluN1To1: Activation.reluN1To1.apply(x)
    case .sigmoid: 1 / (1 + exponential(-x))
    case .tanh: hyperbolicTangent(x)
    case .exp: exponential(x)
    case .log: logarithm(x)
    case .sqrt: x.squareRoot()
    case .rsqrt: 1 / x.squareRoot()
    case .abs: x.magnitude
    case .negative: -x
    case .square: x * x
    case .floor: x.rounded(.down)
    case .ceil: x.rounded(.up)
    case .round: x.rounded(.toNearestOrEven)
    case .sin: sine(x)
    case .cos: cosine(x)
    case .elu: x < 0 ? exponentialLess1(x) : x
    case .hardSwish: x * Activation.relu6.apply(x + 3) / 6
    case .gelu: 0.5 * x * (1 + errorFunction(x / 2.0.squareRoot()))
    case .geluApproximate:
      0.5 * x
        * (1 + hyperbolicTangent((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    case .erf: errorFunction(x)
    case .logicalNot: x == 0 ? 1 : 0
    case .sign: x.isNaN ? x : x > 0 ? 1 : x < 0 ? -1 : 0
    case .tan: sine(x) / cosine(x)
    case .asin: arcsine(x)
    case .acos: arccosine(x)
    case .atan: arctangent(x)
    case .sinh: hyperbolicSine(x)
    case .cosh: hyperbolicCosine(x)
    case .asinh: inverseHyperbolicSine(x)
    case .acosh: inverseHyperbolicCosine(x)
    case .atanh: inverseHyperbolicTangent(x)
    case .isNaN: x.isNaN ? 1 : 0
    case .isInfinite: x.isInfinite ? 1 : 0
    case .bitwiseNot: x
    }
  }
}

extension DType {
  /// The bits that a value has as an `Int`: those of the type when it has no sign, else all.
  var bitMask: Int {
    switch self {
    case .uint4: 0xF
    case .uint8: 0xFF
    case .uint16: 0xFFFF
    case .uint32: 0xFFFF_FFFF
    default: -1
    }
  }
}

extension LeakyReLU: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let slope = Double(alpha)
    return [
      try tensor(try arguments.input(0).reals.map { $0 < 0 ? slope * $0 : $0 }, arguments.output)
    ]
  }
}

extension PReLU: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let (x, slopes) = (try arguments.input(0), try arguments.input(1))
    let positions = broadcastPositions(from: slopes.shape, to: arguments.output.shape)
    let alpha = slopes.reals
    return [
      try tensor(
        zip(x.reals, positions).map { $0 < 0 ? alpha[$1] * $0 : $0 },
        arguments.output
      )
    ]
  }
}

extension Select: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let shape = arguments.output.shape
    let columns = try (0..<3).map { index in
      let x = try arguments.input(index)
      let values = x.reals
      return broadcastPositions(from: x.shape, to: shape).map { values[$0] }
    }
    return [
      try tensor(
        (0..<shape.count).map { columns[0][$0] != 0 ? columns[1][$0] : columns[2][$0] },
        arguments.output
      )
    ]
  }
}
