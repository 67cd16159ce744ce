import AssayBase
import AssayGraph
import AssayTensor

let unaryReaders: [String: TFReader] = {
  var readers: [String: TFReader] = [
    "LeakyRelu": { call, into in
      let op = LeakyReLU(alpha: call.float("alpha", default: 0.2))
      return try into.emit(call, op, [try into.tensor(call, 0)])
    },
    "Selu": readSelu,
    "Softplus": readSoftplus,
    "Softsign": readSoftsign,
    "Expm1": { try readSteps($0, &$1, Unary(.exp), .subtract) },
    "Log1p": readLog1p,
    "Erfc": readErfc,
    "IsFinite": readIsFinite,
    "Reciprocal": readReciprocal,
    "Inv": readReciprocal,
  ]
  for (name, kind) in unaryKinds {
    readers[name] = { call, into in
      try into.emit(call, Unary(kind), [try into.tensor(call, 0)])
    }
  }
  return readers
}()

/// TensorFlow's functions of one element that a Graph has too.
let unaryKinds: [String: Unary.Kind] = [
  "Relu": .relu, "Relu6": .relu6, "Sigmoid": .sigmoid, "Tanh": .tanh, "Exp": .exp, "Log": .log,
  "Sqrt": .sqrt, "Rsqrt": .rsqrt, "Abs": .abs, "Neg": .negative, "Square": .square,
  "Floor": .floor, "Ceil": .ceil, "Round": .round, "Rint": .round, "Sin": .sin, "Cos": .cos,
  "Elu": .elu, "Erf": .erf, "LogicalNot": .logicalNot, "Sign": .sign, "Tan": .tan, "Asin": .asin,
  "Acos": .acos, "Atan": .atan, "Sinh": .sinh, "Cosh": .cosh, "Asinh": .asinh, "Acosh": .acosh,
  "Atanh": .atanh, "IsNan": .isNaN, "IsInf": .isInfinite, "Invert": .bitwiseNot,
]

/// `scale * (relu(x) + alpha * elu(min(x, 0)))` (Klambauer et al., 2017).
private func readSelu(_ call: TFCall, _ into: inout TensorFlowImporter) throws -> [TFValue] {
  let x = try into.tensor(call, 0)
  let zero = into.addNumber(0, like: x)
  let alpha = into.addNumber(1.673_263_2, like: x)
  let scale = into.addNumber(1.050_701, like: x)
  let low = try into.step(call, "low", Binary(.minimum), [x, zero])
  let bent = try into.step(call, "elu", Unary(.elu), [low])
  let scaled = try into.step(call, "bent", Binary(.multiply), [bent, alpha])
  let high = try into.step(call, "high", Unary(.relu), [x])
  let sum = try into.step(call, "sum", Binary(.add), [high, scaled])
  return try into.emit(call, Binary(.multiply), [sum, scale])
}

/// `relu(x) + log(1 + exp(-|x|))`, which does not overflow.
private func readSoftplus(_ call: TFCall, _ into: inout TensorFlowImporter) throws -> [TFValue] {
  let x = try into.tensor(call, 0)
  let size = try into.step(call, "abs", Unary(.abs), [x])
  let negative = try into.step(call, "neg", Unary(.negative), [size])
  let power = try into.step(call, "exp", Unary(.exp), [negative])
  let one = into.addNumber(1, like: x)
  let sum = try into.step(call, "sum", Binary(.add), [power, one])
  let soft = try into.step(call, "log", Unary(.log), [sum])
  let high = try into.step(call, "high", Unary(.relu), [x])
  return try into.emit(call, Binary(.add), [high, soft])
}

private func readSoftsign(_ call: TFCall, _ into: inout TensorFlowImporter) throws -> [TFValue] {
  let x = try into.tensor(call, 0)
  let size = try into.step(call, "abs", Unary(.abs), [x])
  let one = into.addNumber(1, like: x)
  let sum = try into.step(call, "sum", Binary(.add), [size, one])
  return try into.emit(call, Binary(.divide), [x, sum])
}

/// A function of the element, and one taken from or added to it.
private func readSteps(
  _ call: TFCall,
  _ into: inout TensorFlowImporter,
  _ function: Unary,
  _ kind: Binary.Kind
) throws -> [TFValue] {
  let x = try into.tensor(call, 0)
  let value = try into.step(call, function.name, function, [x])
  return try into.emit(call, Binary(kind), [value, into.addNumber(1, like: x)])
}

private func readLog1p(_ call: TFCall, _ into: inout TensorFlowImporter) throws -> [TFValue] {
  let x = try into.tensor(call, 0)
  let sum = try into.step(call, "sum", Binary(.add), [x, into.addNumber(1, like: x)])
  return try into.emit(call, Unary(.log), [sum])
}

private func readErfc(_ call: TFCall, _ into: inout TensorFlowImporter) throws -> [TFValue] {
  let x = try into.tensor(call, 0)
  let erf = try into.step(call, "erf", Unary(.erf), [x])
  return try into.emit(call, Binary(.subtract), [into.addNumber(1, like: x), erf])
}

/// Neither infinite nor no number: the difference from itself is 0.
private func readIsFinite(_ call: TFCall, _ into: inout TensorFlowImporter) throws -> [TFValue] {
  let x = try into.tensor(call, 0)
  let difference = try into.step(call, "difference", Binary(.subtract), [x, x])
  return try into.emit(call, Binary(.equal), [difference, into.addNumber(0, like: x)])
}

private func readReciprocal(_ call: TFCall, _ into: inout TensorFlowImporter) throws -> [TFValue] {
  let x = try into.tensor(call, 0)
  return try into.emit(call, Binary(.divide), [into.addNumber(1, like: x), x])
}

// MARK: - Two operands

let binaryReaders: [String: TFReader] = {
  var readers: [String: TFReader] = [
    "AddN": readAddN,
    "BiasAdd": readBiasAdd,
    "BiasAddV1": readBiasAdd,
    "DivNoNan": readDivNoNan,
    "Select": readSelect,
    "SelectV2": readSelect,
    "ClipByValue": readClip,
  ]
  for (name, kind) in binaryKinds {
    readers[name] = { call, into in
      try into.emit(call, Binary(kind), [try into.tensor(call, 0), try into.tensor(call, 1)])
    }
  }
  return readers
}()

/// TensorFlow's functions of two elements that a Graph has too.
let binaryKinds: [String: Binary.Kind] = [
  "Add": .add, "AddV2": .add, "Sub": .subtract, "Mul": .multiply, "RealDiv": .divide,
  "Div": .divide, "TruncateDiv": .divide, "Maximum": .maximum, "Minimum": .minimum, "Pow": .power,
  "SquaredDifference": .squaredDifference, "FloorDiv": .floorDivide, "FloorMod": .floorModulo,
  "Equal": .equal, "NotEqual": .notEqual, "Less": .less, "LessEqual": .lessEqual,
  "Greater": .greater, "GreaterEqual": .greaterEqual, "LogicalAnd": .logicalAnd,
  "LogicalOr": .logicalOr, "BitwiseAnd": .bitwiseAnd, "BitwiseOr": .bitwiseOr,
  "BitwiseXor": .bitwiseXor, "LeftShift": .shiftLeft, "RightShift": .shiftRight,
  "Mod": .truncatedModulo, "TruncateMod": .truncatedModulo, "Atan2": .atan2,
]

private func readAddN(_ call: TFCall, _ into: inout TensorFlowImporter) throws -> [TFValue] {
  let ids = try into.tensors(call)
  guard var sum = ids.first, let last = ids.last else { throw call.missingInput(0) }
  guard ids.count > 1 else { return [.tensor(sum)] }
  for (index, id) in ids.dropFirst().dropLast().enumerated() {
    sum = try into.step(call, "sum\(index)", Binary(.add), [sum, id])
  }
  return try into.emit(call, Binary(.add), [sum, last])
}

/// BiasAdd: a vector over the channels.
private func readBiasAdd(_ call: TFCall, _ into: inout TensorFlowImporter) throws -> [TFValue] {
  let image = try into.image(call, 0)
  let bias = try into.tensor(call, 1)
  guard into.graph[bias].type.shape.rank == 1 else {
    throw call.unsupported("a bias of type \(into.graph[bias].type)")
  }
  if call.isChannelsFirst, into.graph[image].type.shape.rank == 2 {
    return try into.emit(call, Binary(.add), [image, bias])
  }
  return [try into.emitImage(call, Binary(.add), [image, bias])]
}

/// `a / b`, and 0 where b is 0.
private func readDivNoNan(_ call: TFCall, _ into: inout TensorFlowImporter) throws -> [TFValue] {
  let (a, b) = (try into.tensor(call, 0), try into.tensor(call, 1))
  let zero = into.addNumber(0, like: b)
  let one = into.addNumber(1, like: b)
  let isZero = try into.step(call, "isZero", Binary(.equal), [b, zero])
  let safe = try into.step(call, "divisor", Select(), [isZero, one, b])
  let quotient = try into.step(call, "quotient", Binary(.divide), [a, safe])
  return try into.emit(call, Select(), [isZero, into.addNumber(0, like: a), quotient])
}

/// Select: a vector of truths chooses among rows; all else broadcasts.
private func readSelect(_ call: TFCall, _ into: inout TensorFlowImporter) throws -> [TFValue] {
  var ids = try into.tensors(call)
  guard ids.count == 3 else { throw call.missingInput(ids.count) }
  let (condition, value) = (into.graph[ids[0]].type.shape, into.graph[ids[1]].type.shape)
  if call.node.op == "Select", condition.rank == 1, value.rank > 1 {
    let dims = condition.dims + [Int](repeating: 1, count: value.rank - 1)
    ids[0] = try into.reshaped(call, ids[0], to: dims, as: "rows")
  }
  return try into.emit(call, Select(), ids)
}

private func readClip(_ call: TFCall, _ into: inout TensorFlowImporter) throws -> [TFValue] {
  let ids = try into.tensors(call)
  guard ids.count == 3 else { throw call.missingInput(ids.count) }
  let low = try into.step(call, "low", Binary(.minimum), [ids[0], ids[2]])
  return try into.emit(call, Binary(.maximum), [low, ids[1]])
}
