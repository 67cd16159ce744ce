import AssayGraph
import AssayKernels
import AssayTensor

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

extension Unary: EvaluatedOperator {
  func step(_ builder: StepBuilder) throws -> () throws -> Void {
    let (input, output, kernels) = (try builder.input(0), builder.output, builder.kernels)
    if let kernel {
      return { kernels.unary(kernel, input, into: output) }
    }
    var function = function
    if kind == .bitwiseNot {
      // Of a type without sign the complement lies below its greatest value.
      let type = try builder.type(0).dtype
      let greatest = type.integerRange.map { $0.lowerBound == 0 ? Float($0.upperBound) : -1 } ?? -1
      function = { greatest - $0 }
    }
    return { [function] in for index in 0..<output.count { output[index] = function(input[index]) }
    }
  }

  private var kernel: UnaryKernel? {
    switch kind {
    case .relu: .clamp(0, .infinity)
    case .relu6: .clamp(0, 6)
    case .reluN1To1: .clamp(-1, 1)
    case .sigmoid: .sigmoid
    case .tanh: .tanh
    case .exp: .exp
    case .abs: .abs
    case .negative: .negative
    case .square: .square
    case .sqrt: .sqrt
    case .rsqrt: .rsqrt
    case .hardSwish: .hardSwish
    default: nil
    }
  }

  /// The functions that are too rare for a kernel.
  private var function: (Float) -> Float {
    switch kind {
    case .log: { log($0) }
    case .floor: { $0.rounded(.down) }
    case .ceil: { $0.rounded(.up) }
    case .round: { $0.rounded(.toNearestOrEven) }
    case .sin: { sin($0) }
    case .cos: { cos($0) }
    case .elu: { $0 < 0 ? expm1($0) : $0 }
    case .gelu: { 0.5 * $0 * (1 + erf($0 * Float(0.5).squareRoot())) }
    case .geluApproximate:
      { 0.5 * $0 * (1 + tanh(0.7978845608 * ($0 + 0.044715 * $0 * $0 * $0))) }
    case .erf: { erf($0) }
    case .logicalNot: { $0 == 0 ? 1 : 0 }
    case .sign: { $0 > 0 ? 1 : $0 < 0 ? -1 : $0.isNaN ? $0 : 0 }
    case .tan: { tan($0) }
    case .asin: { asin($0) }
    case .acos: { acos($0) }
    case .atan: { atan($0) }
    case .sinh: { sinh($0) }
    case .cosh: { cosh($0) }
    case .asinh: { asinh($0) }
    case .acosh: { acosh($0) }
    case .atanh: { atanh($0) }
    case .isNaN: { $0.isNaN ? 1 : 0 }
    case .isInfinite: { $0.isInfinite ? 1 : 0 }
    default: { $0 }
    }
  }
}

extension Binary: EvaluatedOperator {
  func step(_ builder: StepBuilder) throws -> () throws -> Void {
    let (a, b, output) = (try builder.input(0), try builder.input(1), builder.output)
    let shape = builder.outputShape
    let type = try builder.type(0)
    let dividesIntegers = kind == .divide && type.dtype.isInteger && type.quantization == nil
    if let kernel, !dividesIntegers {
      let (kernels, bounds) = (builder.kernels, activation.bounds)
      let runs = BroadcastRuns(try builder.shape(0), try builder.shape(1), to: shape)
      return {
        runs.forEach { aStart, bStart, start in
          kernels.binary(
            kernel,
            a.part(aStart, runs.aSpreads ? 1 : runs.length),
            b.part(bStart, runs.bSpreads ? 1 : runs.length),
            into: output.part(start, runs.length),
            low: bounds.low,
            high: bounds.high
          )
        }
      }
    }
    let aIndex = broadcastIndices(try builder.shape(0), to: shape)
    let bIndex = broadcastIndices(try builder.shape(1), to: shape)
    let function = dividesIntegers ? { ($0 / $1).rounded(.towardZero) } : self.function
    return {
      for index in 0..<output.count { output[index] = function(a[aIndex[index]], b[bIndex[index]]) }
    }
  }

  private var kernel: BinaryKernel? {
    switch kind {
    case .add: .add
    case .subtract: .subtract
    case .multiply: .multiply
    case .divide: .divide
    case .maximum: .maximum
    case .minimum: .minimum
    case .squaredDifference: .squaredDifference
    default: nil
    }
  }

  /// The functions that are too rare for a kernel; truth values are 1 and 0.
  private var function: (Float, Float) -> Float {
    switch kind {
    case .power: { pow($0, $1) }
    case .floorDivide: { ($0 / $1).rounded(.down) }
    case .floorModulo:
      { x, y in
        let rest = fmod(x, y)
        return rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest
      }
    case .equal: { $0 == $1 ? 1 : 0 }
    case .notEqual: { $0 != $1 ? 1 : 0 }
    case .less: { $0 < $1 ? 1 : 0 }
    case .lessEqual: { $0 <= $1 ? 1 : 0 }
    case .greater: { $0 > $1 ? 1 : 0 }
    case .greaterEqual: { $0 >= $1 ? 1 : 0 }
    case .logicalAnd: { $0 != 0 && $1 != 0 ? 1 : 0 }
    case .logicalOr: { $0 != 0 || $1 != 0 ? 1 : 0 }
    case .logicalXor: { ($0 != 0) != ($1 != 0) ? 1 : 0 }
    case .truncatedModulo: { fmod($0, $1) }
    case .atan2: { atan2($0, $1) }
    case .bitwiseAnd: onIntegers { $0 & $1 }
    case .bitwiseOr: onIntegers { $0 | $1 }
    case .bitwiseXor: onIntegers { $0 ^ $1 }
    case .shiftLeft: onIntegers { $0 << max($1, 0) }
    case .shiftRight: onIntegers { $0 >> max($1, 0) }
    default: { x, _ in x }
    }
  }
}

/// A function of the integers that floats hold.
private func onIntegers(_ function: @escaping (Int64, Int64) -> Int64) -> (Float, Float) -> Float {
  { Float(function(Int64(exactly: $0) ?? 0, Int64(exactly: $1) ?? 0)) }
}

extension LeakyReLU: EvaluatedOperator {
  func step(_ builder: StepBuilder) throws -> () throws -> Void {
    let (input, output, kernels) = (try builder.input(0), builder.output, builder.kernels)
    let kernel = UnaryKernel.leaky(alpha)
    return { kernels.unary(kernel, input, into: output) }
  }
}

extension PReLU: EvaluatedOperator {
  func step(_ builder: StepBuilder) throws -> () throws -> Void {
    let (input, slopes, output) = (try builder.input(0), try builder.input(1), builder.output)
    let slopeIndex = broadcastIndices(try builder.shape(1), to: builder.outputShape)
    return {
      for index in 0..<output.count {
        let x = input[index]
        output[index] = x < 0 ? slopes[slopeIndex[index]] * x : x
      }
    }
  }
}

extension Select: EvaluatedOperator {
  func step(_ builder: StepBuilder) throws -> () throws -> Void {
    let shape = builder.outputShape
    let buffers = try (0..<3).map { try builder.input($0) }
    let indices = try (0..<3).map { broadcastIndices(try builder.shape($0), to: shape) }
    let output = builder.output
    return {
      for index in 0..<output.count {
        let choice = buffers[0][indices[0][index]] != 0 ? 1 : 2
        output[index] = buffers[choice][indices[choice][index]]
      }
    }
  }
}
