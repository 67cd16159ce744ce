import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

let unaryReaders: [String: ATenReader] = [
  "relu": unary(.relu), "relu6": unary(.relu6), "sigmoid": unary(.sigmoid), "tanh": unary(.tanh),
  "exp": unary(.exp), "log": unary(.log), "sqrt": unary(.sqrt), "rsqrt": unary(.rsqrt),
  "abs": unary(.abs), "neg": unary(.negative), "square": unary(.square), "floor": unary(.floor),
  "ceil": unary(.ceil), "sin": unary(.sin), "cos": unary(.cos), "erf": unary(.erf),
  "hardswish": unary(.hardSwish), "logical_not": unary(.logicalNot), "sign": unary(.sign),
  "sgn": unary(.sign), "tan": unary(.tan), "asin": unary(.asin), "acos": unary(.acos),
  "atan": unary(.atan), "sinh": unary(.sinh), "cosh": unary(.cosh), "asinh": unary(.asinh),
  "acosh": unary(.acosh), "atanh": unary(.atanh), "isnan": unary(.isNaN),
  "isinf": unary(.isInfinite), "bitwise_not": readNot,
  "round": { call, into in
    guard try call.int("decimals", default: 0) == 0 else { throw call.unsupported("decimals") }
    try unary(.round)(call, &into)
  },
  "gelu": { call, into in
    let isApproximate = call.string("approximate") == "tanh"
    try unary(isApproximate ? .geluApproximate : .gelu)(call, &into)
  },
  "silu": { call, into in
    let (ids, areImages) = try into.input(call)
    let gate = try into.step(call, "gate", Unary(.sigmoid), ids)
    try into.define(call, Binary(.multiply), [ids[0], gate], areImages: areImages)
  },
  "hardsigmoid": { call, into in
    let (ids, areImages) = try into.input(call)
    let shifted = try into.step(call, "shifted", Binary(.add), [ids[0], into.addConstant(3)])
    let clamped = try into.step(call, "clamped", Unary(.relu6), [shifted])
    let factor = into.addConstant(Float(1) / 6)
    try into.define(call, Binary(.multiply), [clamped, factor], areImages: areImages)
  },
  "mish": { call, into in
    let (ids, areImages) = try into.input(call)
    let soft = try into.softplus(call, ids[0])
    let gate = try into.step(call, "gate", Unary(.tanh), [soft])
    try into.define(call, Binary(.multiply), [ids[0], gate], areImages: areImages)
  },
  "softplus": { call, into in
    let (ids, areImages) = try into.input(call)
    let beta = try call.double("beta", default: 1)
    guard beta != 1 else {
      let power = try into.step(call, "exp", Unary(.exp), [ids[0]])
      let sum = try into.step(call, "plus", Binary(.add), [power, into.addConstant(1)])
      try into.define(call, Unary(.log), [sum], areImages: areImages)
      return
    }
    let factor = into.addConstant(Float(beta))
    let scaled = try into.step(call, "scaled", Binary(.multiply), [ids[0], factor])
    let soft = try into.softplus(call, scaled)
    try into.define(call, Binary(.divide), [soft, factor], areImages: areImages)
  },
  "softsign": { call, into in
    let (ids, areImages) = try into.input(call)
    let size = try into.step(call, "abs", Unary(.abs), ids)
    let sum = try into.step(call, "plus", Binary(.add), [size, into.addConstant(1)])
    try into.define(call, Binary(.divide), [ids[0], sum], areImages: areImages)
  },
  "log_sigmoid": { call, into in
    let (ids, areImages) = try into.input(call)
    let gate = try into.step(call, "sigmoid", Unary(.sigmoid), ids)
    try into.define(call, Unary(.log), [gate], areImages: areImages)
  },
  "leaky_relu": { call, into in
    let (ids, areImages) = try into.input(call)
    let slope = try call.double("negative_slope", default: 0.01)
    try into.define(call, LeakyReLU(alpha: Float(slope)), ids, areImages: areImages)
  },
  "elu": { call, into in
    let alpha = try call.double("alpha", default: 1)
    let scale = try call.double("scale", default: 1)
    let inner = try call.double("input_scale", default: 1)
    try into.exponentialUnit(call, alpha: alpha, scale: scale, inner: inner)
  },
  "selu": { call, into in
    try into.exponentialUnit(
      call,
      alpha: 1.6732632423543772848170429916717,
      scale: 1.0507009873554804934193349852946,
      inner: 1
    )
  },
  "celu": { call, into in
    let alpha = try call.double("alpha", default: 1)
    try into.exponentialUnit(call, alpha: alpha, scale: 1, inner: 1 / alpha)
  },
  "reciprocal": { call, into in
    let (ids, areImages) = try into.input(call)
    try into.define(call, Binary(.divide), [into.addConstant(1), ids[0]], areImages: areImages)
  },
  "exp2": { call, into in
    let (ids, areImages) = try into.input(call)
    try into.define(call, Binary(.power), [into.addConstant(2), ids[0]], areImages: areImages)
  },
  "expm1": { call, into in
    let (ids, areImages) = try into.input(call)
    let power = try into.step(call, "exp", Unary(.exp), ids)
    try into.define(call, Binary(.subtract), [power, into.addConstant(1)], areImages: areImages)
  },
  "log1p": { call, into in
    let (ids, areImages) = try into.input(call)
    let sum = try into.step(call, "plus", Binary(.add), [ids[0], into.addConstant(1)])
    try into.define(call, Unary(.log), [sum], areImages: areImages)
  },
  "log2": { try logarithm($0, 1.4426950408889634, &$1) },
  "log10": { try logarithm($0, 0.4342944819032518, &$1) },
  "trunc": { call, into in
    let (ids, areImages) = try into.input(call)
    let size = try into.step(call, "abs", Unary(.abs), ids)
    let whole = try into.step(call, "floor", Unary(.floor), [size])
    let sign = try into.step(call, "sign", Unary(.sign), ids)
    try into.define(call, Binary(.multiply), [whole, sign], areImages: areImages)
  },
  "clamp": readClamp, "clip": readClamp, "hardtanh": readClamp,
  "clamp_min": { call, into in
    try into.bounded(call, low: into.operand(call, "min"), high: nil)
  },
  "clamp_max": { call, into in
    try into.bounded(call, low: nil, high: into.operand(call, "max"))
  },
  "prelu": { call, into in
    let input = try call.tensor("self")
    let weight = try call.tensor("weight")
    let (shape, slopes) = (try into.type(input).shape, try into.type(weight).shape)
    if slopes.count > 1, shape.rank == 4 {
      try into.defineImage(call, PReLU(), [try into.image(input), try into.plain(weight)])
      return
    }
    let rank = max(shape.rank, 1)
    var dims = [Int](repeating: 1, count: rank)
    if slopes.count > 1, rank > 1 { dims[1] = slopes.count }
    let row = try into.step(
      call,
      "slopes",
      Reshape(Array(dims.drop { $0 == 1 })),
      [into.plain(weight)]
    )
    let (ids, areImages) = try into.input(call)
    try into.define(call, PReLU(), [ids[0], row], areImages: areImages)
  },
  "threshold": { call, into in
    let (ids, areImages) = try into.input(call)
    let threshold = into.addConstant(Float(try call.double("threshold")))
    let value = into.addConstant(Float(try call.double("value")))
    let above = try into.step(call, "above", Binary(.greater), [ids[0], threshold])
    try into.define(call, Select(), [above, ids[0], value], areImages: areImages)
  },
  "hardshrink": { call, into in
    let (ids, areImages) = try into.input(call)
    let bound = into.addConstant(Float(try call.double("lambd", default: 0.5)))
    let size = try into.step(call, "abs", Unary(.abs), ids)
    let above = try into.step(call, "above", Binary(.greater), [size, bound])
    try into.define(call, Select(), [above, ids[0], into.addConstant(0)], areImages: areImages)
  },
  "softshrink": { call, into in
    let (ids, areImages) = try into.input(call)
    let bound = Float(try call.double("lambd", default: 0.5))
    let low = try into.step(call, "low", Binary(.maximum), [ids[0], into.addConstant(-bound)])
    let middle = try into.step(call, "middle", Binary(.minimum), [low, into.addConstant(bound)])
    try into.define(call, Binary(.subtract), [ids[0], middle], areImages: areImages)
  },
  "nan_to_num": { call, into in
    let (ids, areImages) = try into.input(call)
    let test = try into.step(call, "nan", Unary(.isNaN), ids)
    let value = into.addConstant(Float(try call.double("nan", default: 0)))
    let most = Float(try call.double("posinf", default: Double(Float.greatestFiniteMagnitude)))
    let least = Float(try call.double("neginf", default: -Double(Float.greatestFiniteMagnitude)))
    let finite = try into.step(call, "number", Select(), [test, value, ids[0]])
    let low = try into.step(call, "low", Binary(.maximum), [finite, into.addConstant(least)])
    try into.define(call, Binary(.minimum), [low, into.addConstant(most)], areImages: areImages)
  },
]

private func unary(_ kind: Unary.Kind) -> ATenReader {
  { call, into in
    var (ids, areImages) = try into.input(call)
    // Functions of integers give floats, as the program declares.
    let isTest = kind.isTest || kind == .logicalNot
    if kind == .logicalNot { ids[0] = try into.cast(ids[0], to: .bool, call) }
    if !isTest, let dtype = try into.declaredType(call.output) {
      ids[0] = try into.cast(ids[0], to: dtype, call)
    }
    try into.define(call, Unary(kind), ids, areImages: areImages)
  }
}

private func readNot(_ call: ATenCall, _ into: inout ProgramImporter) throws {
  let isBool = try into.type(call.tensor("self")).dtype == .bool
  try unary(isBool ? .logicalNot : .bitwiseNot)(call, &into)
}

private func logarithm(_ call: ATenCall, _ factor: Float, _ into: inout ProgramImporter) throws {
  let (ids, areImages) = try into.input(call)
  let natural = try into.step(call, "log", Unary(.log), ids)
  let constant = into.addConstant(factor)
  try into.define(call, Binary(.multiply), [natural, constant], areImages: areImages)
}

private func readClamp(_ call: ATenCall, _ into: inout ProgramImporter) throws {
  let isTanh = call.name == "hardtanh"
  func bound(_ key: String, _ value: Double) throws -> ProgramImporter.Operand? {
    if isTanh { return .scalar(.float(try call.double(key + "_val", default: value))) }
    return call.has(key) ? try into.operand(call, key) : nil
  }
  try into.bounded(call, low: bound("min", -1), high: bound("max", 1))
}

extension ProgramImporter {
  /// The tensor that a call of one operand reads.
  mutating func input(_ call: ATenCall) throws -> (ids: [ValueID], areImages: Bool) {
    try operands(call, [operand(call, call.has("input") ? "input" : "self")], as: [nil])
  }

  /// `log(1 + exp(x))`, so that great `x` do not overflow: `max(x, 0) + log(1 + exp(-|x|))`.
  fileprivate mutating func softplus(_ call: ATenCall, _ x: ValueID) throws -> ValueID {
    let size = try step(call, "abs", Unary(.abs), [x])
    let negative = try step(call, "negative", Unary(.negative), [size])
    let power = try step(call, "exp", Unary(.exp), [negative])
    let sum = try step(call, "plus", Binary(.add), [power, addConstant(1)])
    let small = try step(call, "log", Unary(.log), [sum])
    let great = try step(call, "relu", Unary(.relu), [x])
    return try step(call, "softplus", Binary(.add), [great, small])
  }

  /// `scale * (x if x > 0 else alpha * (exp(inner * x) - 1))`.
  fileprivate mutating func exponentialUnit(
    _ call: ATenCall,
    alpha: Double,
    scale: Double,
    inner: Double
  ) throws {
    let (ids, areImages) = try input(call)
    if alpha == 1, scale == 1, inner == 1 {
      try define(call, Unary(.elu), ids, areImages: areImages)
      return
    }
    let positive = try step(call, "relu", Unary(.relu), ids)
    let lower = try step(call, "lower", Binary(.minimum), [ids[0], addConstant(0)])
    let scaled = try step(call, "inner", Binary(.multiply), [lower, addConstant(Float(inner))])
    let power = try step(call, "exp", Unary(.exp), [scaled])
    let below = try step(call, "below", Binary(.subtract), [power, addConstant(1)])
    let factor = addConstant(Float(alpha))
    let negative = try step(call, "negative", Binary(.multiply), [below, factor])
    let sum = try step(call, "sum", Binary(.add), [positive, negative])
    try define(call, Binary(.multiply), [sum, addConstant(Float(scale))], areImages: areImages)
  }

  /// A value between two bounds, each of which may be absent.
  fileprivate mutating func bounded(_ call: ATenCall, low: Operand?, high: Operand?) throws {
    let x = try operand(call, call.has("input") ? "input" : "self")
    let dtype = try declaredType(call.output)
    if case .scalar(let low)? = low, dtype == .float32 {
      var kind: Unary.Kind?
      if case .scalar(let high)? = high {
        if (low.double, high.double) == (0, 6) { kind = .relu6 }
        if (low.double, high.double) == (-1, 1) { kind = .reluN1To1 }
      } else if low.double == 0, high == nil {
        kind = .relu
      }
      if let kind {
        let (ids, areImages) = try operands(call, [x], as: [dtype])
        try define(call, Unary(kind), ids, areImages: areImages)
        return
      }
    }
    let list = [x] + [low, high].compactMap { $0 }
    let (ids, areImages) = try operands(call, list, as: list.map { _ in dtype })
    switch (low, high) {
    case (nil, nil):
      try define(call, Reshape(graph[ids[0]].type.shape.dims), ids, areImages: areImages)
    case (_?, nil): try define(call, Binary(.maximum), ids, areImages: areImages)
    case (nil, _?): try define(call, Binary(.minimum), ids, areImages: areImages)
    case (_?, _?):
      let raised = try step(call, "raised", Binary(.maximum), [ids[0], ids[1]])
      try define(call, Binary(.minimum), [raised, ids[2]], areImages: areImages)
    }
  }
}
