import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

extension GraphImporter {
  /// Operands of an operator that works element by element with broadcasting: as images when one of
  /// them stands as an image and all can be turned, otherwise in the file's axes.
  ///
  /// - Parameter count: how many there must be; any number but none, if `nil`.
  mutating func operands(
    _ call: OperatorCall,
    count: Int? = nil
  ) throws -> (ids: [ValueID], areImages: Bool) {
    let names = call.node.inputs
    guard !names.isEmpty, names.count == count ?? names.count else {
      throw call.unsupported("\(names.count) operands")
    }
    let shapes = try names.map { try type($0).shape }
    let rank = shapes.map(\.rank).max() ?? 0
    let canTurn = zip(names, shapes).allSatisfy { name, shape in
      shape.rank == 4 || shape.count == 1 && shape.rank == 0 || constant(name) != nil
    }
    guard rank == 4, canTurn, names.contains(where: { isImage($0) }) else {
      return (try names.map { try plain($0) }, false)
    }
    let ids = try zip(names, shapes).map { name, shape in
      if shape.rank == 4 { return try image(name) }
      let id = try plain(name)
      guard shape.count != 1, let tensor = graph[id].constant else { return id }
      let missing = [Int](repeating: 1, count: 4 - shape.rank)
      let turned = tensor.reshapedKeepingAxis(missing + shape.dims).rearranged([0, 2, 3, 1])
      let dims = Array(turned.shape.dims.drop { $0 == 1 })
      return addConstant(valueName(name, "nhwc"), turned.reshapedKeepingAxis(dims))
    }
    return (ids, true)
  }

  /// Adds the last node of an elementwise call.
  mutating func defineElementwise(
    _ call: OperatorCall,
    _ op: any Operator,
    _ ids: [ValueID],
    areImages: Bool
  ) throws {
    if areImages { try defineImage(call, op, ids) } else { try define(call, op, ids) }
  }
}

let unaryReaders: [String: ONNXReader] = [
  "Relu": unary(.relu), "Sigmoid": unary(.sigmoid), "Tanh": unary(.tanh), "Exp": unary(.exp),
  "Log": unary(.log), "Sqrt": unary(.sqrt), "Abs": unary(.abs), "Neg": unary(.negative),
  "Floor": unary(.floor), "Ceil": unary(.ceil), "Round": unary(.round), "Sin": unary(.sin),
  "Cos": unary(.cos), "Erf": unary(.erf), "HardSwish": unary(.hardSwish), "Not": unary(.logicalNot),
  "Sign": unary(.sign), "Tan": unary(.tan), "Asin": unary(.asin), "Acos": unary(.acos),
  "Atan": unary(.atan), "Sinh": unary(.sinh), "Cosh": unary(.cosh), "Asinh": unary(.asinh),
  "Acosh": unary(.acosh), "Atanh": unary(.atanh), "IsNaN": unary(.isNaN),
  "BitwiseNot": unary(.bitwiseNot),
  "Gelu": { call, into in
    let isApproximate = call.string("approximate", default: "none") == "tanh"
    try unary(isApproximate ? .geluApproximate : .gelu)(call, &into)
  },
  "LeakyRelu": { call, into in
    let (ids, areImages) = try into.operands(call, count: 1)
    let op = LeakyReLU(alpha: call.float("alpha") ?? 0.01)
    try into.defineElementwise(call, op, ids, areImages: areImages)
  },
  "PRelu": { call, into in
    let (ids, areImages) = try into.operands(call, count: 2)
    try into.defineElementwise(call, PReLU(), ids, areImages: areImages)
  },
  "Clip": readClip,
]

private func unary(_ kind: Unary.Kind) -> ONNXReader {
  { call, into in
    let (ids, areImages) = try into.operands(call, count: 1)
    try into.defineElementwise(call, Unary(kind), ids, areImages: areImages)
  }
}

/// Clip: bounds are attributes before operator set 11, inputs since.
private func readClip(_ call: OperatorCall, _ into: inout GraphImporter) throws {
  var low = call.float("min") ?? -.infinity
  var high = call.float("max") ?? .infinity
  var node = call.node
  node.inputs = [call.input(0)]
  let alone = OperatorCall(node: node, opset: call.opset, scope: call.scope)
  if call.opset >= 11 {
    let bounds = [1, 2].filter { call.has($0) }
    guard bounds.allSatisfy({ into.constant(call.input($0)) != nil }) else {
      try readComputedClip(call, bounds, &into)
      return
    }
    if call.has(1) { low = try into.number(call.input(1), call) }
    if call.has(2) { high = try into.number(call.input(2), call) }
  }
  let (ids, areImages) = try into.operands(alone, count: 1)
  try into.defineClipped(alone, ids[0], low, high, areImages: areImages)
}

/// Clip with bounds that are computed while the network runs.
private func readComputedClip(
  _ call: OperatorCall,
  _ bounds: [Int],
  _ into: inout GraphImporter
) throws {
  let first = try into.plain(call.input(0))
  let kinds = bounds.map { $0 == 1 ? Binary.Kind.maximum : .minimum }
  let last = try into.plain(call.input(bounds[bounds.count - 1]))
  guard bounds.count == 2 else {
    try into.define(call, Binary(kinds[0]), [first, last])
    return
  }
  let low = try into.plain(call.input(1))
  let raised = try into.step(call, "raised", Binary(.maximum), [first, low])
  try into.define(call, Binary(.minimum), [raised, last])
}

extension GraphImporter {
  /// Adds the nodes that clamp a value.
  fileprivate mutating func defineClipped(
    _ call: OperatorCall,
    _ source: ValueID,
    _ low: Float,
    _ high: Float,
    areImages: Bool
  ) throws {
    let dtype = graph[source].type.dtype
    let isUnbounded = high == .infinity || high == Float.greatestFiniteMagnitude
    switch (low, high) {
    case (0, _) where isUnbounded:
      try defineElementwise(call, Unary(.relu), [source], areImages: areImages)
    case (0, 6): try defineElementwise(call, Unary(.relu6), [source], areImages: areImages)
    case (-1, 1): try defineElementwise(call, Unary(.reluN1To1), [source], areImages: areImages)
    case (-.infinity, _) where isUnbounded: try alias(call, to: call.input(0))
    case (-.infinity, _):
      let ceiling = addConstant(high, dtype)
      try defineElementwise(call, Binary(.minimum), [source, ceiling], areImages: areImages)
    default:
      let floor = addConstant(low, dtype)
      if isUnbounded {
        try defineElementwise(call, Binary(.maximum), [source, floor], areImages: areImages)
        return
      }
      let raised = try step(call, "raised", Binary(.maximum), [source, floor])
      let ceiling = addConstant(high, dtype)
      try defineElementwise(call, Binary(.minimum), [raised, ceiling], areImages: areImages)
    }
  }
}

let binaryReaders: [String: ONNXReader] = [
  "Add": binary(.add), "Sub": binary(.subtract), "Mul": binary(.multiply), "Div": binary(.divide),
  "Pow": binary(.power), "Equal": binary(.equal), "Less": binary(.less),
  "LessOrEqual": binary(.lessEqual), "Greater": binary(.greater),
  "GreaterOrEqual": binary(.greaterEqual), "And": binary(.logicalAnd), "Or": binary(.logicalOr),
  "Xor": binary(.logicalXor), "BitwiseAnd": binary(.bitwiseAnd),
  "BitwiseOr": binary(.bitwiseOr), "BitwiseXor": binary(.bitwiseXor), "Max": binary(.maximum),
  "Min": binary(.minimum), "Sum": binary(.add),
  "Mod": { call, into in
    let truncates = call.int("fmod", default: 0) != 0
    try binary(truncates ? .truncatedModulo : .floorModulo)(call, &into)
  },
  "Mean": { call, into in
    let (ids, areImages) = try into.operands(call)
    guard var sum = ids.first else { throw call.unsupported("no operand") }
    for (index, id) in ids.dropFirst().enumerated() {
      sum = try into.step(call, "sum\(index)", Binary(.add), [sum, id])
    }
    let count = into.scalar(Double(ids.count), into.dtype(sum))
    try into.defineElementwise(call, Binary(.divide), [sum, count], areImages: areImages)
  },
  "Where": { call, into in
    let (ids, areImages) = try into.operands(call, count: 3)
    try into.defineElementwise(call, Select(), ids, areImages: areImages)
  },
]

/// A function of two operands, or of many one after the other (Max, Min, Sum).
private func binary(_ kind: Binary.Kind) -> ONNXReader {
  { call, into in
    if let folded = try into.foldedIntegers(call, kind) {
      into.defineConstant(call, folded)
      return
    }
    if kind == .multiply, try into.defineWidened(call) { return }
    let takesMany = [.maximum, .minimum].contains(kind) || call.node.opType == "Sum"
    let (ids, areImages) = try into.operands(call, count: takesMany ? nil : 2)
    guard var result = ids.first else { throw call.unsupported("no operand") }
    guard ids.count > 1 else {
      try into.alias(call, to: call.input(0))
      return
    }
    for (index, id) in ids[1..<(ids.count - 1)].enumerated() {
      result = try into.step(call, "part\(index)", Binary(kind), [result, id])
    }
    try into.defineElementwise(
      call,
      Binary(kind),
      [result, ids[ids.count - 1]],
      areImages: areImages
    )
  }
}

extension GraphImporter {
  /// The result of arithmetic on constant integers (extents, mostly), or `nil`.
  fileprivate func foldedIntegers(_ call: OperatorCall, _ kind: Binary.Kind) throws -> Tensor? {
    guard call.node.inputs.count == 2, let a = constant(call.input(0)),
      let b = constant(call.input(1)), a.dtype == .int64, b.dtype == .int64, a.count < 64,
      b.count < 64, a.count == b.count || a.count == 1 || b.count == 1
    else { return nil }
    let (x, y) = (a.integers(), b.integers())
    let count = max(x.count, y.count)
    var result: [Int64] = []
    for index in 0..<count {
      let (p, q) = (x[x.count == 1 ? 0 : index], y[y.count == 1 ? 0 : index])
      let (value, isWrong): (Int, Bool)
      switch kind {
      case .add: (value, isWrong) = p.addingReportingOverflow(q)
      case .subtract: (value, isWrong) = p.subtractingReportingOverflow(q)
      case .multiply: (value, isWrong) = p.multipliedReportingOverflow(by: q)
      case .divide: (value, isWrong) = p.dividedReportingOverflow(by: q)
      default: return nil
      }
      guard !isWrong else { throw call.unsupported("\(p) and \(q)") }
      result.append(Int64(value))
    }
    return Tensor(
      result,
      a.shape.rank >= b.shape.rank && a.count == count ? a.shape : b.shape,
      dtype: .int64
    )
  }
}
