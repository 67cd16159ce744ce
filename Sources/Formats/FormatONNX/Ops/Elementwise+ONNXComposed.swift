import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

// Functions of each element that a Graph has no operator for.

extension GraphImporter {
  /// Reads a function of one operand that `body` composes, in the layout in which the operand stands.
  fileprivate mutating func compose(
    _ call: OperatorCall,
    _ body: (inout GraphImporter, ValueID) throws -> ValueID
  ) throws {
    var node = call.node
    node.inputs = [call.input(0)]
    let alone = OperatorCall(node: node, opset: call.opset, scope: call.scope)
    let (ids, areImages) = try operands(alone, count: 1)
    let result = try body(&self, ids[0])
    guard areImages else {
      conclude(call, result)
      return
    }
    if graph[result].name.hasPrefix("\(call.output)/") {
      graph[result].name = valueName(call.output, "nhwc")
    }
    twins.place(call.output, image: result)
  }

  /// `log(1 + exp(x))` without overflow.
  mutating func softplus(_ call: OperatorCall, _ x: ValueID) throws -> ValueID {
    let distance = try unary(call, .negative, try unary(call, .abs, x))
    let power = try unary(call, .exp, distance)
    let logarithm = try unary(call, .log, try binary(call, .add, power, 1))
    return try binary(call, .add, try unary(call, .relu, x), logarithm)
  }

  /// `scale * x` where positive, `scale * alpha * (exp(x / width) - 1)` elsewhere.
  fileprivate mutating func exponentialUnit(
    _ call: OperatorCall,
    _ x: ValueID,
    alpha: Double,
    width: Double = 1,
    scale: Double = 1
  ) throws -> ValueID {
    var below = try binary(call, .minimum, x, 0)
    if width != 1 { below = try binary(call, .divide, below, width) }
    below = try unary(call, .elu, below)
    if alpha * scale != 1 { below = try binary(call, .multiply, below, alpha * scale) }
    var above = try unary(call, .relu, x)
    if scale != 1 { above = try binary(call, .multiply, above, scale) }
    return try binary(call, .add, above, below)
  }
}

let composedElementwiseReaders: [String: ONNXReader] = [
  "Elu": { call, into in
    let alpha = Double(call.float("alpha") ?? 1)
    try into.compose(call) { into, x in
      alpha == 1
        ? try into.unary(call, .elu, x) : try into.exponentialUnit(call, x, alpha: alpha)
    }
  },
  "Celu": { call, into in
    let alpha = Double(call.float("alpha") ?? 1)
    try into.compose(call) { try $0.exponentialUnit(call, $1, alpha: alpha, width: alpha) }
  },
  "Selu": { call, into in
    let alpha = Double(call.float("alpha") ?? 1.673_263_192_176_818_8)
    let gamma = Double(call.float("gamma") ?? 1.050_701_022_148_132_3)
    try into.compose(call) { try $0.exponentialUnit(call, $1, alpha: alpha, scale: gamma) }
  },
  "Softplus": { call, into in try into.compose(call) { try $0.softplus(call, $1) } },
  "Softsign": { call, into in
    try into.compose(call) { into, x in
      let size = try into.binary(call, .add, try into.unary(call, .abs, x), 1)
      return try into.binary(call, .divide, x, size)
    }
  },
  "Mish": { call, into in
    try into.compose(call) { into, x in
      let gate = try into.unary(call, .tanh, try into.softplus(call, x))
      return try into.binary(call, .multiply, x, gate)
    }
  },
  "Swish": { call, into in
    let alpha = Double(call.float("alpha") ?? 1)
    try into.compose(call) { into, x in
      let scaled = alpha == 1 ? x : try into.binary(call, .multiply, x, alpha)
      return try into.binary(call, .multiply, x, try into.unary(call, .sigmoid, scaled))
    }
  },
  "HardSigmoid": { call, into in
    let (alpha, beta) = (Double(call.float("alpha") ?? 0.2), Double(call.float("beta") ?? 0.5))
    // Six times as high, so that the bounds are those of ReLU6, which every runtime joins to the sum;
    // the usual slope of a sixth then needs no product before it.
    let isSixth = abs(6 * alpha - 1) < 1e-6
    try into.compose(call) { into, x in
      let scaled = isSixth ? x : try into.binary(call, .multiply, x, 6 * alpha)
      let line = try into.unary(call, .relu6, try into.binary(call, .add, scaled, 6 * beta))
      return try into.binary(call, .multiply, line, 1.0 / 6)
    }
  },
  "ThresholdedRelu": { call, into in
    let alpha = Double(call.float("alpha") ?? 1)
    try into.compose(call) { into, x in
      let isAbove = try into.binary(call, .greater, x, alpha)
      let zero = into.scalar(0, into.dtype(x))
      return try into.choice(call, isAbove, x, zero)
    }
  },
  "Shrink": { call, into in
    let (bias, bound) = (Double(call.float("bias") ?? 0), Double(call.float("lambd") ?? 0.5))
    try into.compose(call) { into, x in
      let zero = into.scalar(0, into.dtype(x))
      let isBelow = try into.binary(call, .less, x, -bound)
      let isAbove = try into.binary(call, .greater, x, bound)
      let raised = try into.binary(call, .add, x, bias)
      let lowered = try into.binary(call, .subtract, x, bias)
      let rest = try into.choice(call, isAbove, lowered, zero)
      return try into.choice(call, isBelow, raised, rest)
    }
  },
  "Reciprocal": { call, into in
    try into.compose(call) { into, x in
      let one = into.scalar(1, into.dtype(x))
      return try into.binary(call, .divide, one, x)
    }
  },
  "IsInf": { call, into in
    let negative = call.int("detect_negative", default: 1) != 0
    let positive = call.int("detect_positive", default: 1) != 0
    try into.compose(call) { into, x in
      if negative, positive { return try into.unary(call, .isInfinite, x) }
      guard negative || positive else {
        let never = try into.unary(call, .isNaN, x)
        return try into.binary(call, .less, never, never)
      }
      return try into.binary(call, .equal, x, negative ? -.infinity : .infinity)
    }
  },
  "BitShift": { call, into in
    let kind: Binary.Kind =
      call.string("direction", default: "LEFT") == "RIGHT" ? .shiftRight : .shiftLeft
    let ids = [try into.plain(call.input(0)), try into.plain(call.input(1))]
    try into.define(call, Binary(kind), ids)
  },
  "CastLike": { call, into in
    let dtype = try into.type(call.input(1)).dtype
    let saturates = call.int("saturate", default: 1) != 0
    try into.compose(call) { try $0.cast(call, $1, dtype, saturates: saturates) }
  },
]
