import AssayGraph
import AssayTensor

extension Unary: QuantizableOperator {
  func quantizationRule(_ inputs: [Value?]) -> QuantizationRule {
    switch kind {
    case .sigmoid: .fixed(inputs: [0], Quantization(scale: 1 / 256, zeroPoint: -128))
    case .tanh: .fixed(inputs: [0], Quantization(scale: 1 / 128, zeroPoint: 0))
    case .relu, .relu6, .reluN1To1, .exp, .log, .abs, .rsqrt, .hardSwish, .gelu, .geluApproximate:
      .independent(inputs: [0])
    case .sqrt, .negative, .square, .floor, .ceil, .round, .sin, .cos, .elu, .erf, .logicalNot,
      .sign, .tan, .asin, .acos, .atan, .sinh, .cosh, .asinh, .acosh, .atanh, .isNaN, .isInfinite,
      .bitwiseNot:
      .float("it has no 8-bit kernel")
    }
  }

  var int16Obstacle: String? {
    switch kind {
    case .hardSwish, .gelu, .geluApproximate, .reluN1To1: "it has no 16-bit kernel"
    default: nil
    }
  }
}

extension Binary: QuantizableOperator {
  func quantizationRule(_ inputs: [Value?]) -> QuantizationRule {
    switch kind {
    case .add, .subtract, .multiply, .divide, .squaredDifference: .all(inputs)
    case .equal, .notEqual, .less, .lessEqual, .greater, .greaterEqual: .all(inputs)
    case .maximum, .minimum: .shared(inputs: [0, 1])
    case .power, .floorDivide, .floorModulo, .logicalAnd, .logicalOr, .logicalXor, .bitwiseAnd,
      .bitwiseOr, .bitwiseXor, .shiftLeft, .shiftRight, .truncatedModulo, .atan2:
      .float("it has no 8-bit kernel")
    }
  }

  var int16Obstacle: String? {
    switch kind {
    case .squaredDifference: "it has no 16-bit kernel"
    case .equal, .notEqual, .less, .lessEqual, .greater, .greaterEqual:
      // Seen on LiteRT 2.3.0: a sign bit is lost where it scales both sides.
      "its 16-bit kernel gives wrong results"
    default: nil
    }
  }
}

extension LeakyReLU: QuantizableOperator {
  func quantizationRule(_ inputs: [Value?]) -> QuantizationRule { .independent(inputs: [0]) }
}

extension PReLU: QuantizableOperator {
  func quantizationRule(_ inputs: [Value?]) -> QuantizationRule { .all(inputs) }
  var int16Obstacle: String? { "it has no 16-bit kernel" }
}

extension Select: QuantizableOperator {
  func quantizationRule(_ inputs: [Value?]) -> QuantizationRule { .shared(inputs: [1, 2]) }
}
