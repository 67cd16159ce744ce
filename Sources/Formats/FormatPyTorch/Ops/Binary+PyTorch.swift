import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

let binaryReaders: [String: ATenReader] = [
  "add": { try scaledSum($0, .add, &$1) }, "sub": { try scaledSum($0, .subtract, &$1) },
  "subtract": { try scaledSum($0, .subtract, &$1) },
  "rsub": { call, into in
    guard try call.double("alpha", default: 1) == 1 else { throw call.unsupported("alpha") }
    try binary(.subtract, swapped: true)(call, &into)
  },
  "mul": readProduct, "multiply": readProduct,
  "div": readQuotient, "divide": readQuotient, "true_divide": readQuotient,
  "floor_divide": binary(.floorDivide),
  "remainder": binary(.floorModulo), "fmod": binary(.truncatedModulo),
  "maximum": binary(.maximum), "minimum": binary(.minimum), "atan2": binary(.atan2),
  "eq": comparison(.equal), "ne": comparison(.notEqual), "lt": comparison(.less),
  "le": comparison(.lessEqual), "gt": comparison(.greater), "ge": comparison(.greaterEqual),
  "logical_and": logical(.logicalAnd), "logical_or": logical(.logicalOr),
  "logical_xor": logical(.logicalXor),
  "bitwise_and": bitwise(.bitwiseAnd, .logicalAnd), "bitwise_or": bitwise(.bitwiseOr, .logicalOr),
  "bitwise_xor": bitwise(.bitwiseXor, .logicalXor),
  "__and__": bitwise(.bitwiseAnd, .logicalAnd), "__or__": bitwise(.bitwiseOr, .logicalOr),
  "pow": readPower,
  "where": { call, into in
    guard call.has("self"), call.has("other") else { throw call.unsupported("one argument") }
    let dtype = try into.declaredType(call.output)
    try into.choose(
      call,
      condition: call.tensor("condition"),
      into.operand(call, "self"),
      into.operand(call, "other"),
      dtype
    )
  },
  "masked_fill": { call, into in
    let dtype = try into.declaredType(call.output)
    let value = try into.operand(call, "value")
    let source = try into.operand(call, "self")
    try into.choose(call, condition: call.tensor("mask"), value, source, dtype)
  },
  "lerp": { call, into in
    let list = [
      try into.operand(call, "self"), try into.operand(call, "end"),
      try into.operand(call, "weight"),
    ]
    let (ids, areImages) = try into.operands(call, list, as: [nil, nil, .float32])
    let way = try into.step(call, "way", Binary(.subtract), [ids[1], ids[0]])
    let part = try into.step(call, "part", Binary(.multiply), [way, ids[2]])
    try into.define(call, Binary(.add), [ids[0], part], areImages: areImages)
  },
  "addcmul": { try readAddProduct($0, .multiply, &$1) },
  "addcdiv": { try readAddProduct($0, .divide, &$1) },
]

/// A function of two operands in the type that the program declares for its result.
private func binary(_ kind: Binary.Kind, swapped: Bool = false) -> ATenReader {
  { call, into in
    let dtype = try into.declaredType(call.output)
    let list = [try into.operand(call, "self"), try into.operand(call, "other")]
    let (ids, areImages) = try into.operands(call, list, as: [dtype, dtype])
    try into.define(call, Binary(kind), swapped ? ids.reversed() : ids, areImages: areImages)
  }
}

private func comparison(_ kind: Binary.Kind) -> ATenReader {
  { call, into in
    let list = [try into.operand(call, "self"), try into.operand(call, "other")]
    let dtype = try into.promoted(list)
    let (ids, areImages) = try into.operands(call, list, as: [dtype, dtype])
    try into.define(call, Binary(kind), ids, areImages: areImages)
  }
}

private func logical(_ kind: Binary.Kind) -> ATenReader {
  { call, into in
    let list = [try into.operand(call, "self"), try into.operand(call, "other")]
    let (ids, areImages) = try into.operands(call, list, as: [.bool, .bool])
    try into.define(call, Binary(kind), ids, areImages: areImages)
  }
}

private func bitwise(_ kind: Binary.Kind, _ truth: Binary.Kind) -> ATenReader {
  { call, into in
    let isBool = try into.declaredType(call.output) == .bool
    try (isBool ? logical(truth) : binary(kind))(call, &into)
  }
}

/// `self + alpha * other`.
private func scaledSum(
  _ call: ATenCall,
  _ kind: Binary.Kind,
  _ into: inout ProgramImporter
) throws {
  let alpha = try call.double("alpha", default: 1)
  if alpha == 1 {
    try binary(kind)(call, &into)
    return
  }
  let dtype = try into.declaredType(call.output)
  let list = [try into.operand(call, "self"), try into.operand(call, "other")]
  let (ids, areImages) = try into.operands(call, list, as: [dtype, dtype])
  let factor = into.scalar(.float(alpha), dtype ?? .float32)
  let scaled = try into.step(call, "scaled", Binary(.multiply), [ids[1], factor])
  try into.define(call, Binary(kind), [ids[0], scaled], areImages: areImages)
}

private func readProduct(_ call: ATenCall, _ into: inout ProgramImporter) throws {
  let isBool = try into.declaredType(call.output) == .bool
  try (isBool ? logical(.logicalAnd) : binary(.multiply))(call, &into)
}

private func readQuotient(_ call: ATenCall, _ into: inout ProgramImporter) throws {
  switch call.string("rounding_mode") {
  case nil: try binary(.divide)(call, &into)
  case "floor":
    try binary(.floorDivide)(call, &into)
  case let mode?:
    guard mode == "trunc", try into.declaredType(call.output)?.isInteger ?? false else {
      throw call.unsupported("rounding_mode '\(mode)'")
    }
    try binary(.divide)(call, &into)
  }
}

/// `self + value * (tensor1 ∘ tensor2)`.
private func readAddProduct(
  _ call: ATenCall,
  _ kind: Binary.Kind,
  _ into: inout ProgramImporter
) throws {
  let list = try ["self", "tensor1", "tensor2"].map { try into.operand(call, $0) }
  let (ids, areImages) = try into.operands(call, list, as: [nil, nil, nil])
  var product = try into.step(call, "product", Binary(kind), [ids[1], ids[2]])
  let value = try call.double("value", default: 1)
  if value != 1 {
    let factor = into.addConstant(Float(value))
    product = try into.step(call, "scaled", Binary(.multiply), [product, factor])
  }
  try into.define(call, Binary(.add), [ids[0], product], areImages: areImages)
}

private func readPower(_ call: ATenCall, _ into: inout ProgramImporter) throws {
  let dtype = try into.declaredType(call.output)
  let list = [try into.operand(call, "self"), try into.operand(call, "exponent")]
  if case .scalar(let exponent) = list[1], dtype == .float32 {
    let kind: Unary.Kind? =
      switch exponent.double {
      case 2: .square
      case 0.5: .sqrt
      case -0.5: .rsqrt
      default: nil
      }
    if let kind {
      let (ids, areImages) = try into.operands(call, [list[0]], as: [dtype])
      try into.define(call, Unary(kind), ids, areImages: areImages)
      return
    }
  }
  let (ids, areImages) = try into.operands(call, list, as: [dtype, dtype])
  try into.define(call, Binary(.power), ids, areImages: areImages)
}

extension ProgramImporter {
  /// One of two operands for each element of a mask.
  fileprivate mutating func choose(
    _ call: ATenCall,
    condition: String,
    _ first: Operand,
    _ second: Operand,
    _ dtype: DType?
  ) throws {
    let list = [.tensor(condition), first, second]
    let (ids, areImages) = try operands(call, list, as: [.bool, dtype, dtype])
    try define(call, Select(), ids, areImages: areImages)
  }
}
