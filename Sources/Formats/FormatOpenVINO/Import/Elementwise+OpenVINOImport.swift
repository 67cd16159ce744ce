import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

let irElementwiseReaders: [String: IRReader] = [
  "ReLU": unary(.relu), "Relu": unary(.relu), "Sigmoid": unary(.sigmoid), "Tanh": unary(.tanh),
  "Exp": unary(.exp), "Log": unary(.log), "Sqrt": unary(.sqrt), "Abs": unary(.abs),
  "Negative": unary(.negative), "Floor": unary(.floor), "Ceiling": unary(.ceil),
  "Sin": unary(.sin), "Cos": unary(.cos), "Tan": unary(.tan), "Asin": unary(.asin),
  "Acos": unary(.acos), "Atan": unary(.atan), "Sinh": unary(.sinh), "Cosh": unary(.cosh),
  "Asinh": unary(.asinh), "Acosh": unary(.acosh), "Atanh": unary(.atanh), "Erf": unary(.erf),
  "HSwish": unary(.hardSwish), "LogicalNot": unary(.logicalNot), "Sign": unary(.sign),
  "IsNaN": unary(.isNaN), "IsInf": unary(.isInfinite), "BitwiseNot": unary(.bitwiseNot),
  "Elu": { call, into in
    guard try call.float("alpha", default: 1) == 1 else { throw call.unsupported("alpha") }
    try unary(.elu)(call, &into)
  },
  "Round": { call, into in
    guard call.string("mode", default: "half_to_even") == "half_to_even" else {
      throw call.unsupported("mode")
    }
    try unary(.round)(call, &into)
  },
  "Gelu": { call, into in
    let isTanh = call.string("approximation_mode", default: "ERF").uppercased() == "TANH"
    try unary(isTanh ? .geluApproximate : .gelu)(call, &into)
  },
  "Clamp": readClamp, "Swish": readSwish, "SoftPlus": readSoftPlus, "HSigmoid": readHardSigmoid,
  "Add": binary(.add), "Subtract": binary(.subtract), "Multiply": binary(.multiply),
  "Maximum": binary(.maximum), "Minimum": binary(.minimum), "Power": binary(.power),
  "SquaredDifference": binary(.squaredDifference), "FloorMod": binary(.floorModulo),
  "Mod": binary(.truncatedModulo), "Equal": binary(.equal), "NotEqual": binary(.notEqual),
  "Less": binary(.less), "LessEqual": binary(.lessEqual), "Greater": binary(.greater),
  "GreaterEqual": binary(.greaterEqual), "LogicalAnd": binary(.logicalAnd),
  "LogicalOr": binary(.logicalOr), "LogicalXor": binary(.logicalXor),
  "BitwiseAnd": binary(.bitwiseAnd), "BitwiseOr": binary(.bitwiseOr),
  "BitwiseXor": binary(.bitwiseXor), "BitwiseLeftShift": binary(.shiftLeft),
  "BitwiseRightShift": binary(.shiftRight),
  "Divide": { call, into in
    let isInteger = try into.type(call.input(0)).dtype.isInteger
    let isFloor = isInteger && call.bool("m_pythondiv", default: true)
    try binary(isFloor ? .floorDivide : .divide)(call, &into)
  },
  "PRelu": readPReLU,
  "Select": { call, into in
    let (ids, areImages) = try into.operands(call)
    try into.define(call, Select(), ids.map { $0 }, isImage: areImages)
  },
  "Convert": readConvert, "FakeQuantize": readFakeQuantize,
]

private func unary(_ kind: Unary.Kind) -> IRReader {
  { call, into in
    let (x, isImage) = try into.operand(call)
    try into.define(call, Unary(kind), [x], isImage: isImage)
  }
}

private func binary(_ kind: Binary.Kind) -> IRReader {
  { call, into in
    guard call.inputs.count == 2, call.string("auto_broadcast", default: "numpy") != "pdpd" else {
      throw call.unsupported("auto_broadcast")
    }
    // Weights that are stored as integers: the floats that they stand for.
    if kind == .subtract || kind == .multiply, let a = into.constant(call.input(0)),
      let b = into.constant(call.input(1)), a.dtype == .float32, b.dtype == .float32,
      let folded = combined(a, b, kind)
    {
      into.defineConstant(call, folded)
      return
    }
    let (ids, areImages) = try into.operands(call)
    try into.define(call, Binary(kind), ids.map { $0 }, isImage: areImages)
  }
}

/// The difference or the product of two Constants, the second of which is broadcast to the first.
private func combined(_ a: Tensor, _ b: Tensor, _ kind: Binary.Kind) -> Tensor? {
  let dims = [Int](repeating: 1, count: max(a.shape.rank - b.shape.rank, 0)) + b.shape.dims
  guard a.shape.broadcast(with: b.shape) == a.shape, dims.count == a.shape.rank else { return nil }
  let (x, y) = (a.floats(), b.floats())
  let strides = Shape(dims).strides
  var places = [Int](repeating: 0, count: 1)
  for (axis, extent) in a.shape.dims.enumerated() {
    let step = dims[axis] == 1 ? 0 : strides[axis]
    places = places.flatMap { place in (0..<extent).map { place + $0 * step } }
  }
  let result = zip(x, places).map { kind == .subtract ? $0 - y[$1] : $0 * y[$1] }
  return Tensor(result, a.shape)
}

private func readClamp(_ call: IRCall, _ into: inout IRImporter) throws {
  let (x, isImage) = try into.operand(call)
  let low = try call.float("min", default: -.infinity)
  let high = try call.float("max", default: .infinity)
  for kind in [Unary.Kind.relu, .relu6, .reluN1To1] {
    guard let bounds = kind.activation?.bounds, bounds == (low, high) else { continue }
    try into.define(call, Unary(kind), [x], isImage: isImage)
    return
  }
  let dtype = try into.type(call.input(0)).dtype
  let floor = try into.step(call, "low", Binary(.maximum), [x, into.addConstant(low, dtype)])
  let ceiling = into.addConstant(high, dtype)
  try into.define(call, Binary(.minimum), [floor, ceiling], isImage: isImage)
}

private func readSwish(_ call: IRCall, _ into: inout IRImporter) throws {
  guard !call.has(1) || into.constant(call.input(1))?.floats() == [1] else {
    throw call.unsupported("beta other than 1")
  }
  let (x, isImage) = try into.operand(call)
  let gate = try into.step(call, "gate", Unary(.sigmoid), [x])
  try into.define(call, Binary(.multiply), [x, gate], isImage: isImage)
}

private func readSoftPlus(_ call: IRCall, _ into: inout IRImporter) throws {
  let (x, isImage) = try into.operand(call)
  // log(1 + exp(x)), without overflow.
  let size = try into.step(call, "abs", Unary(.abs), [x])
  let negative = try into.step(call, "negative", Unary(.negative), [size])
  let power = try into.step(call, "exp", Unary(.exp), [negative])
  let sum = try into.step(call, "increment", Binary(.add), [power, into.addConstant(1)])
  let rest = try into.step(call, "log", Unary(.log), [sum])
  let positive = try into.step(call, "positive", Unary(.relu), [x])
  try into.define(call, Binary(.add), [positive, rest], isImage: isImage)
}

private func readHardSigmoid(_ call: IRCall, _ into: inout IRImporter) throws {
  let (x, isImage) = try into.operand(call)
  let shifted = try into.step(call, "shifted", Binary(.add), [x, into.addConstant(3)])
  let clamped = try into.step(call, "clamped", Unary(.relu6), [shifted])
  let sixth = into.addConstant(1 / 6)
  try into.define(call, Binary(.multiply), [clamped, sixth], isImage: isImage)
}

private func readPReLU(_ call: IRCall, _ into: inout IRImporter) throws {
  let shape = try into.type(call.input(0)).shape
  let slopes = try into.type(call.input(1)).shape
  if slopes.count == 1, let slope = into.constant(call.input(1))?.floats().first {
    let (x, isImage) = try into.operand(call)
    try into.define(call, LeakyReLU(alpha: slope), [x], isImage: isImage)
    return
  }
  // A list of slopes belongs to axis 1.
  if slopes.rank == 1, shape.rank == 4, slopes[0] == shape[1],
    let tensor = into.constant(call.input(1))
  {
    let list = into.addConstant(into.valueName("\(call.input(1))/channels"), tensor)
    try into.defineImage(call, PReLU(), [into.image(call.input(0)), list])
    return
  }
  guard slopes.rank != 1 || shape.rank <= 2 else { throw call.unsupported("slopes \(slopes)") }
  let (ids, areImages) = try into.operands(call)
  try into.define(call, PReLU(), ids.map { $0 }, isImage: areImages)
}

private func readConvert(_ call: IRCall, _ into: inout IRImporter) throws {
  guard
    let dtype = call.layer["destination_type"].flatMap(DType.init(irElementType:))
  else { throw call.unsupported("destination_type") }
  if let tensor = into.constant(call.input(0)) {
    if [.float16, .bfloat16].contains(tensor.dtype), dtype == .float32 {
      let stored = try into.plain(call.input(0))
      try into.define(call, Dequantize(), [stored])
      into.twins.noteDequantized(try into.plain(call.output), from: stored)
      return
    }
    if let converted = tensor.converted(to: dtype) {
      into.defineConstant(call, converted)
      return
    }
  }
  let (x, isImage) = try into.operand(call)
  guard try into.type(call.input(0)).dtype != dtype else {
    try into.twins.alias(call.output, to: call.input(0))
    return
  }
  try into.define(call, Cast(dtype), [x], isImage: isImage)
}

/// A rounding to evenly spaced numbers: as integers of 8 or 16 bits and back.
private func readFakeQuantize(_ call: IRCall, _ into: inout IRImporter) throws {
  let bounds = (1..<5).map { into.constant(call.input($0))?.floats() ?? [] }
  let levels = try call.int("levels", default: 256)
  guard bounds.allSatisfy({ $0.count == 1 }), bounds[0] == bounds[2], bounds[1] == bounds[3],
    levels == 256 || levels == 65536, bounds[1][0] > bounds[0][0]
  else { throw call.unsupported("a range of \(bounds) in \(levels) levels") }
  let (low, high) = (bounds[0][0], bounds[1][0])
  let scale = (high - low) / Float(levels - 1)
  let least = levels == 256 ? -128 : -32768
  let zero = (Float(least) - low / scale).rounded()
  guard scale > 0, abs(zero) < 0x1p20, abs(scale * (Float(least) - zero) - low) <= scale * 0.01
  else { throw call.unsupported("a range from \(low) to \(high) without zero") }
  let quantization = Quantization(scale: scale, zeroPoint: Int32(zero))
  let (x, isImage) = try into.operand(call)
  let op = Quantize(levels == 256 ? .int8 : .int16, quantization)
  let codes = try into.step(call, "codes", op, [x])
  try into.define(call, Dequantize(), [codes], isImage: isImage)
}
