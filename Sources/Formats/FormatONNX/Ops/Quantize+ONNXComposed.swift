import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

// Quantization whose steps are computed, blockwise or of floats, as arithmetic; and the operators that
// quantize inside of themselves (QOperator models), as the three nodes that QDQ models have for them.

extension GraphImporter {
  /// Whether a QuantizeLinear or DequantizeLinear is one that a Graph's types can say: constant steps of
  /// float32, for the whole tensor or along an axis, of integers.
  func hasKnownSteps(_ call: OperatorCall) throws -> Bool {
    let isDequantization = call.node.opType == "DequantizeLinear"
    guard call.int("block_size", default: 0) == 0, let scale = constant(call.input(1)),
      scale.dtype == .float32, scale.shape.rank <= 1,
      scale.floats().allSatisfy({ $0 > 0 && $0 < .infinity })
    else { return false }
    if call.has(2) {
      guard let zero = constant(call.input(2)), zero.count == scale.count,
        zero.dtype.integerRange != nil, zero.dtype.bitWidth >= 8
      else { return false }
    }
    let type = try type(call.input(0))
    if isDequantization { return type.dtype.integerRange != nil && type.dtype.bitWidth >= 4 }
    return type.dtype == .float32 && call.int("output_dtype", default: 0) == 0
  }

  /// Scales or zero points brought to the axes of what they belong to.
  fileprivate mutating func steps(
    _ call: OperatorCall,
    _ index: Int,
    _ shape: Shape
  ) throws -> ValueID {
    let id = try plain(call.input(index))
    let own = self.shape(id)
    if own.count == 1 { return try reshaped(call, id, []) }
    let given = call.int("axis", default: 1)
    guard let axis = shape.normalized(axis: given) else { throw call.unsupported("axis \(given)") }
    let block = call.int("block_size", default: 0)
    guard block == 0 else {
      guard own.rank == shape.rank, block > 0, block < 1 << 24,
        (shape[axis] + block - 1) / block == own[axis]
      else { throw call.unsupported("blocks of \(block) in \(shape) with steps \(own)") }
      return try gathered(call, id, axis: axis, (0..<shape[axis]).map { $0 / block })
    }
    guard own.rank == 1, own[0] == shape[axis] else {
      throw call.unsupported("\(own) steps along axis \(given) of \(shape)")
    }
    let dims = shape.dims.indices.map { $0 == axis ? own[0] : 1 }
    return try reshaped(call, id, dims)
  }
}

/// `saturate(round(x / scale) + zero)`; floats of at most 8 bits have no zero point.
func readComposedQuantize(_ call: OperatorCall, _ into: inout GraphImporter) throws {
  let x = try into.plain(call.input(0))
  let shape = into.shape(x)
  var dtype = DType.uint8
  if let given = call.int("output_dtype"), given != 0 {
    guard let wanted = DType(onnx: Int32(truncatingIfNeeded: given)) else {
      throw call.unsupported("output_dtype \(given)")
    }
    dtype = wanted
  } else if call.has(2) {
    dtype = try into.type(call.input(2)).dtype
  }
  let scale = try into.cast(call, into.steps(call, 1, shape), .float32)
  let scaled = try into.binary(call, .divide, into.cast(call, x, .float32), scale)
  guard let range = dtype.integerRange else {
    let saturates = call.int("saturate", default: 1) != 0
    into.conclude(call, try into.cast(call, scaled, dtype, saturates: saturates))
    return
  }
  var level = try into.unary(call, .round, scaled)
  if call.has(2) {
    let zero = try into.cast(call, into.steps(call, 2, shape), .float32)
    level = try into.binary(call, .add, level, zero)
  }
  level = try into.binary(call, .maximum, level, Double(range.lowerBound))
  level = try into.binary(call, .minimum, level, Double(range.upperBound))
  into.conclude(call, try into.cast(call, level, dtype))
}

/// `(x - zero) * scale`.
func readComposedDequantize(_ call: OperatorCall, _ into: inout GraphImporter) throws {
  let x = try into.plain(call.input(0))
  let shape = into.shape(x)
  let scale = try into.steps(call, 1, shape)
  var level = try into.cast(call, x, .float32)
  if call.has(2) {
    let zero = try into.cast(call, into.steps(call, 2, shape), .float32)
    level = try into.binary(call, .subtract, level, zero)
  }
  let result = try into.binary(call, .multiply, level, into.cast(call, scale, .float32))
  into.conclude(call, try into.cast(call, result, into.dtype(scale)))
}

/// DynamicQuantizeLinear: uint8 over the range that the value has and zero.
func readDynamicQuantize(_ call: OperatorCall, _ into: inout GraphImporter) throws {
  let x = try into.plain(call.input(0))
  let axes = Array(0..<into.shape(x).rank)
  let least = try into.reduced(call, .min, x, axes, keeps: false)
  let greatest = try into.reduced(call, .max, x, axes, keeps: false)
  let low = try into.binary(call, .minimum, least, 0)
  let high = try into.binary(call, .maximum, greatest, 0)
  let scale = try into.binary(call, .divide, into.binary(call, .subtract, high, low), 255)
  let offset = try into.unary(call, .negative, into.binary(call, .divide, low, scale))
  var zero = try into.unary(call, .round, offset)
  zero = try into.binary(call, .maximum, zero, 0)
  zero = try into.binary(call, .minimum, zero, 255)
  var level = try into.unary(call, .round, into.binary(call, .divide, x, scale))
  level = try into.binary(call, .add, level, zero)
  level = try into.binary(call, .maximum, level, 0)
  level = try into.binary(call, .minimum, level, 255)
  into.conclude(call, try into.cast(call, level, .uint8))
  into.conclude(call, scale, output: 1)
  into.conclude(call, try into.cast(call, zero, .uint8), output: 2)
}

/// MatMulInteger and ConvInteger: the operator over the integers less their zero points.
///
/// Sums are exact as long as floats hold them (2^24).
func readIntegerProduct(_ call: OperatorCall, _ into: inout GraphImporter) throws {
  let begin = into.graph.nodes.count
  let isProduct = call.node.opType == "MatMulInteger"
  func centered(_ index: Int, _ zero: Int) throws -> String {
    let x = try into.cast(call, into.plain(call.input(index)), .float32)
    guard call.has(zero) else { return into.bind(x) }
    var offset = try into.cast(call, into.plain(call.input(zero)), .float32)
    let (shape, own) = (into.shape(x), into.shape(offset))
    if own.count > 1, own.rank == 1 {
      // A zero point for each row of a matrix on the left, each filter of a convolution.
      if isProduct {
        if index == 0 { offset = try into.reshaped(call, offset, [own[0], 1]) }
      } else {
        let ones = [Int](repeating: 1, count: max(shape.rank - 1, 0))
        offset = try into.reshaped(call, offset, [own[0]] + ones)
      }
    } else if own.count == 1 {
      offset = try into.reshaped(call, offset, [])
    }
    return into.bind(try into.binary(call, .subtract, x, offset))
  }
  let inputs = [try centered(0, 2), try centered(1, 3)]
  try into.foldConstants(from: begin)
  let nodes = [
    ONNXNode(
      opType: isProduct ? "MatMul" : "Conv",
      inputs: inputs,
      outputs: ["%sum"],
      attributes: call.node.attributes
    ),
    ONNXNode("Cast", ["%sum"], "%y", [.int("to", Int(DType.int32.onnx))]),
  ]
  try into.expand(call, nodes, results: ["%y"])
}

/// Writes a QOperator call as DequantizeLinear, the operator and QuantizeLinear.
///
/// - Parameters:
///   - inputs: positions of value, scale and zero point of each operand.
///   - output: positions of the result's scale and zero point.
///   - nodes: the operator's nodes from `%x0`, `%x1`, … to `%r`.
private func expandQuantized(
  _ call: OperatorCall,
  _ into: inout GraphImporter,
  inputs: [(value: Int, scale: Int, zero: Int)],
  output: (scale: Int, zero: Int),
  _ nodes: [ONNXNode]
) throws {
  var all: [ONNXNode] = []
  for (number, place) in inputs.enumerated() {
    var axis: [ONNXAttribute] = []
    if try into.type(call.input(place.scale)).shape.count > 1 {
      // Weights of a convolution have a scale for each filter, those of a product for each column.
      let rank = try into.type(call.input(place.value)).shape.rank
      axis = [.int("axis", call.node.opType == "QLinearConv" ? 0 : rank - 1)]
    }
    let sources = [place.value, place.scale, place.zero].map { call.input($0) }
    all.append(ONNXNode("DequantizeLinear", sources.trimmed, "%x\(number)", axis))
  }
  all += nodes
  let sources = ["%r", call.input(output.scale), call.input(output.zero)]
  all.append(ONNXNode("QuantizeLinear", sources.trimmed, "%y"))
  try into.expand(call, all, results: ["%y"])
}

extension [String] {
  /// Without absent inputs at the end.
  fileprivate var trimmed: [String] {
    var list = self
    while list.last?.isEmpty ?? false { list.removeLast() }
    return list
  }
}

let quantizedOperatorReaders: [String: ONNXReader] = [
  "QLinearConv": { call, into in
    var nodes: [ONNXNode] = []
    var inputs = ["%x0", "%x1"]
    if call.has(8) {
      // The bias has the scale of the products.
      nodes.append(ONNXNode("Mul", [call.input(1), call.input(4)], "%bs"))
      nodes.append(
        ONNXNode("DequantizeLinear", [call.input(8), "%bs"], "%b", [.int("axis", 0)])
      )
      inputs.append("%b")
    }
    nodes.append(ONNXNode("Conv", inputs, "%r", call.node.attributes))
    try expandQuantized(
      call,
      &into,
      inputs: [(0, 1, 2), (3, 4, 5)],
      output: (6, 7),
      nodes
    )
  },
  "QLinearMatMul": { call, into in
    try expandQuantized(
      call,
      &into,
      inputs: [(0, 1, 2), (3, 4, 5)],
      output: (6, 7),
      [ONNXNode("MatMul", ["%x0", "%x1"], "%r")]
    )
  },
]

/// The quantized operators of ONNX Runtime's own set that its quantizer writes.
let contributedQuantizedReaders: [String: ONNXReader] = [
  "QLinearAdd": quantizedBinary("Add"), "QLinearMul": quantizedBinary("Mul"),
  "QLinearSigmoid": quantizedUnary("Sigmoid"), "QLinearLeakyRelu": quantizedUnary("LeakyRelu"),
  "QLinearAveragePool": quantizedUnary("AveragePool"),
  "QLinearGlobalAveragePool": quantizedUnary("GlobalAveragePool"),
  "QLinearReduceMean": quantizedUnary("ReduceMean"),
  "QLinearSoftmax": quantizedUnary("Softmax"),
  "QLinearConcat": { call, into in
    let count = (call.node.inputs.count - 2) / 3
    guard count > 0, call.node.inputs.count == 2 + 3 * count else {
      throw call.unsupported("\(call.node.inputs.count) inputs")
    }
    let inputs = (0..<count).map { (2 + $0 * 3, 3 + $0 * 3, 4 + $0 * 3) }
    let concat = ONNXNode("Concat", (0..<count).map { "%x\($0)" }, "%r", call.node.attributes)
    try expandQuantized(call, &into, inputs: inputs, output: (0, 1), [concat])
  },
  "QGemm": { call, into in
    var nodes: [ONNXNode] = []
    var inputs = ["%x0", "%x1"]
    if call.has(6) {
      nodes.append(ONNXNode("Mul", [call.input(1), call.input(4)], "%bs"))
      nodes.append(ONNXNode("DequantizeLinear", [call.input(6), "%bs"], "%b", [.int("axis", 0)]))
      inputs.append("%b")
    }
    nodes.append(ONNXNode("Gemm", inputs, "%r", call.node.attributes))
    guard call.has(7) else {
      // Without a scale of the result it stays a float.
      let operands = [(0, 1, 2), (3, 4, 5)].enumerated().map { number, place in
        let sources = [place.0, place.1, place.2].map { call.input($0) }
        return ONNXNode("DequantizeLinear", sources.trimmed, "%x\(number)")
      }
      try into.expand(call, operands + nodes, results: ["%r"])
      return
    }
    try expandQuantized(call, &into, inputs: [(0, 1, 2), (3, 4, 5)], output: (7, 8), nodes)
  },
  "MatMulIntegerToFloat": { call, into in
    var nodes = [
      ONNXNode("DequantizeLinear", [0, 2, 4].map { call.input($0) }.trimmed, "%a"),
      ONNXNode("DequantizeLinear", [1, 3, 5].map { call.input($0) }.trimmed, "%b"),
      ONNXNode("MatMul", ["%a", "%b"], "%r"),
    ]
    if call.has(6) { nodes.append(ONNXNode("Add", ["%r", call.input(6)], "%y")) }
    try into.expand(call, nodes, results: [call.has(6) ? "%y" : "%r"])
  },
  "DynamicQuantizeMatMul": { call, into in
    // The left side in 8 bits over its own range.
    var quantize = ONNXNode("DynamicQuantizeLinear", [call.input(0)], "%q")
    quantize.outputs += ["%s", "%z"]
    var nodes = [
      quantize, ONNXNode("DequantizeLinear", ["%q", "%s", "%z"], "%a"),
      ONNXNode("DequantizeLinear", [1, 2, 3].map { call.input($0) }.trimmed, "%b"),
      ONNXNode("MatMul", ["%a", "%b"], "%r"),
    ]
    if call.has(4) { nodes.append(ONNXNode("Add", ["%r", call.input(4)], "%y")) }
    try into.expand(call, nodes, results: [call.has(4) ? "%y" : "%r"])
  },
]

private func quantizedBinary(_ opType: String) -> ONNXReader {
  { call, into in
    try expandQuantized(
      call,
      &into,
      inputs: [(0, 1, 2), (3, 4, 5)],
      output: (6, 7),
      [ONNXNode(opType, ["%x0", "%x1"], "%r")]
    )
  }
}

private func quantizedUnary(_ opType: String) -> ONNXReader {
  { call, into in
    guard call.int("channels_last", default: 0) == 0 else {
      throw call.unsupported("channels_last")
    }
    let attributes = call.node.attributes.filter {
      $0.name != "channels_last" && $0.name != "opset"
    }
    try expandQuantized(
      call,
      &into,
      inputs: [(0, 1, 2)],
      output: (3, 4),
      [ONNXNode(opType, ["%x0"], "%r", attributes)]
    )
  }
}
