import AssayGraph
import AssayTensor

extension Binary: ReferenceOperator {
  func evaluate(_ arguments: Arguments) throws -> [Tensor] {
    let (a, b) = (try arguments.input(0), try arguments.input(1))
    let type = arguments.output
    let positionsOfA = broadcastPositions(from: a.shape, to: type.shape)
    let positionsOfB = broadcastPositions(from: b.shape, to: type.shape)
    if let rule = IntegerRule(kind, a.type, b.type, type) {
      let (x, y) = (a.integers(), b.integers())
      let bounds = integerBounds(activation, type)
      let integers = zip(positionsOfA, positionsOfB).map {
        clamp(rule.apply(x[$0], y[$1]), to: bounds)
      }
      return [try tensor(integers: integers, type)]
    }
    if kind.isBitwise || type.dtype == .int64 && a.dtype == .int64 && kind.isExactOnIntegers {
      let (x, y, mask) = (a.integers(), b.integers(), a.dtype.bitMask)
      let integers = zip(positionsOfA, positionsOfB).map { mask & bits(x[$0], y[$1]) }
      return [try tensor(integers: integers, type)]
    }
    let (x, y) = (a.reals, b.reals)
    let results = zip(positionsOfA, positionsOfB).map { activation.apply(function(x[$0], y[$1])) }
    return [try tensor(results, type)]
  }

  /// What reals cannot hold: bits, and integers of more than 53 bits.
  private func bits(_ a: Int, _ b: Int) -> Int {
    switch kind {
    case .bitwiseAnd: a & b
    case .bitwiseOr: a | b
    case .bitwiseXor: a ^ b
    case .shiftLeft: a << max(b, 0)
    case .shiftRight: a >> max(b, 0)
    case .add: a &+ b
    case .subtract: a &- b
    case .multiply: a &* b
    case .maximum: max(a, b)
    default: min(a, b)
    }
  }

  private func function(_ a: Double, _ b: Double) -> Double {
    switch kind {
    case .add: a + b
    case .subtract: a - b
    case .multiply: a * b
    case .divide: a / b
    case .maximum: a.isNaN || b.isNaN ? .nan : max(a, b)
    case .minimum: a.isNaN || b.isNaN ? .nan : min(a, b)
    case .power: power(a, b)
    case .squaredDifference: (a - b) * (a - b)
    case .floorDivide: (a / b).rounded(.down)
    case .floorModulo: a - (a / b).rounded(.down) * b
    case .equal: a == b ? 1 : 0
    case .notEqual: a != b ? 1 : 0
    case .less: a < b ? 1 : 0
    case .lessEqual: a <= b ? 1 : 0
    case .greater: a > b ? 1 : 0
    case .greaterEqual: a >= b ? 1 : 0
    case .logicalAnd: a != 0 && b != 0 ? 1 : 0
    case .logicalOr: a != 0 || b != 0 ? 1 : 0
    case .logicalXor: (a != 0) != (b != 0) ? 1 : 0
    case .truncatedModulo: remainder(a, b)
    case .atan2: arctangent(a, b)
    case .bitwiseAnd, .bitwiseOr, .bitwiseXor, .shiftLeft, .shiftRight: .nan
    }
  }
}

extension Binary.Kind {
  /// Whether sums, differences and the like of 64-bit integers are computed without going through
  /// reals.
  fileprivate var isExactOnIntegers: Bool {
    switch self {
    case .add, .subtract, .multiply, .maximum, .minimum: true
    default: false
    }
  }
}

/// Sum, difference or product of quantized integers, as TFLite's kernels compute them.
///
/// Sums bring both terms to a common scale of twice the greater one, with 20 more bits below (15 for
/// 16-bit integers), and scale the result from there.
private struct IntegerRule {
  private let isProduct: Bool
  private let sign: Int
  private let shift: Int
  private let zeros: (a: Int, b: Int, output: Int)
  private let first: FixedPointMultiplier
  private let second: FixedPointMultiplier
  private let last: FixedPointMultiplier

  /// The rule, or `nil` when the types are not quantized or TFLite has no integer kernel.
  init?(_ kind: Binary.Kind, _ a: TensorType, _ b: TensorType, _ output: TensorType) {
    guard let x = a.quantization, let y = b.quantization, let z = output.quantization,
      !x.isPerChannel, !y.isPerChannel, a.dtype.bitWidth <= 16, b.dtype == a.dtype,
      output.dtype == a.dtype, [.add, .subtract, .multiply].contains(kind)
    else { return nil }
    zeros = (Int(x.zeroPoint), Int(y.zeroPoint), Int(z.zeroPoint))
    isProduct = kind == .multiply
    sign = kind == .subtract ? -1 : 1
    shift = a.dtype.bitWidth == 16 ? 15 : 20
    let (scaleOfA, scaleOfB) = (Double(x.scale), Double(y.scale))
    let common = 2 * max(scaleOfA, scaleOfB)
    first = FixedPointMultiplier(scaleOfA / common)
    second = FixedPointMultiplier(scaleOfB / common)
    last = FixedPointMultiplier(
      (isProduct ? scaleOfA * scaleOfB : common / Double(1 << shift)) / Double(z.scale)
    )
  }

  func apply(_ a: Int, _ b: Int) -> Int {
    let (x, y) = (a - zeros.a, b - zeros.b)
    if isProduct { return last.apply(x * y) + zeros.output }
    let sum = first.apply(x << shift) + sign * second.apply(y << shift)
    return last.apply(sum) + zeros.output
  }
}
