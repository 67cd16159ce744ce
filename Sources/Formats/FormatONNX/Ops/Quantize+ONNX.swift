import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

extension Quantize: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    var type = node.outputs[0]
    type.quantization = type.quantization ?? quantization
    let source = file.real(node, 0)
    file.quantize(source, to: type, name: file.define(node))
  }
}

extension Dequantize: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    let source = file.stored(node, 0)
    let type = node.input(0)
    guard let quantization = type.quantization, type.dtype.isInteger else {
      guard type.dtype.isFloat else {
        throw Diagnostic("ONX113", "\(type) has no quantization to undo")
      }
      file.finish(node, "Cast", [source], [.int("to", Int(DType.float32.onnx))])
      return
    }
    let (inputs, attributes) = file.quantizationInputs(quantization, type)
    file.finish(node, "DequantizeLinear", [source] + inputs, attributes)
  }
}

extension Cast: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    let rest = saturates ? [] : [ONNXAttribute.int("saturate", 0)]
    file.finish(node, "Cast", [file.stored(node, 0)], [.int("to", Int(dtype.onnx))] + rest)
  }
}

// MARK: - Import

let quantizationReaders: [String: ONNXReader] = [
  "QuantizeLinear": { call, into in
    guard try into.hasKnownSteps(call) else {
      try readComposedQuantize(call, &into)
      return
    }
    let shape = try into.type(call.input(0)).shape
    let zero = call.has(2) ? try into.type(call.input(2)).dtype : .uint8
    let quantization = try into.quantization(call, shape)
    let op = Quantize(zero, quantization)
    if quantization.axis == nil, let image = into.knownImage(call.input(0)) {
      try into.defineImage(call, op, [image])
      return
    }
    try into.define(call, op, [try into.plain(call.input(0))])
  },
  "DequantizeLinear": readDequantize,
  "DynamicQuantizeLinear": { call, into in
    // A graph holds the floats; operators with integer weights quantize them themselves.
    let products: Set = ["MatMulInteger", "ConvInteger"]
    let readers = call.node.outputs.map { into.fileReaders[$0] ?? [] }
    guard readers.count == 3, readers.allSatisfy({ !$0.isEmpty }), readers[1] == ["Mul"],
      readers[0].isSubset(of: products), readers[2].isSubset(of: products)
    else {
      try readDynamicQuantize(call, &into)
      return
    }
    try into.alias(call, to: call.input(0))
    let one = into.addConstant(1)
    let zero = into.addConstant(0, .uint8)
    into.alias(call.node.outputs[1], plain: one)
    into.alias(call.node.outputs[2], plain: zero)
    into.markDynamic(call.output, readBy: products)
    into.markDynamic(call.node.outputs[1], readBy: ["Mul"])
    into.markDynamic(call.node.outputs[2], readBy: products)
  },
  "MatMulInteger": { call, into in
    guard into.isDynamic(call.input(0)) else {
      try readIntegerProduct(call, &into)
      return
    }
    let weights = try into.integerWeights(call, [1, 0])
    try into.define(call, FullyConnected(), [try into.plain(call.input(0)), weights, nil])
    into.markDynamic(call.output, readBy: ["Cast"])
  },
  "ConvInteger": { call, into in
    guard into.isDynamic(call.input(0)) else {
      try readIntegerProduct(call, &into)
      return
    }
    let weights = try into.integerWeights(call, [0, 2, 3, 1])
    let (image, filter) = (try into.type(call.input(0)).shape, try into.type(call.input(1)).shape)
    guard image.rank == 4, filter.rank == 4, call.int("group", default: 1) == 1 else {
      throw call.unsupported("\(image), \(filter) or groups")
    }
    let window = try CallWindow(call, image: image, kernel: [filter[2], filter[3]])
    let op = Conv2D(strides: window.strides, dilations: window.dilations, padding: window.padding)
    try into.defineImage(call, op, [try into.image(call.input(0)), weights, nil])
    into.markDynamic(call.output, readBy: ["Cast"])
  },
  "Cast": { call, into in
    guard let dtype = DType(onnx: Int32(truncatingIfNeeded: call.int("to", default: 0))),
      dtype != .string
    else { throw call.unsupported("type \(call.int("to", default: 0))") }
    if let tensor = into.constant(call.input(0)) {
      if tensor.dtype == .float16, dtype == .float32 {
        try into.defineDequantized(call, try into.plain(call.input(0)))
        return
      }
      let saturates = call.int("saturate", default: 1) != 0
      if let converted = tensor.with(quantization: nil).converted(to: dtype, saturates: saturates) {
        into.defineConstant(call, converted)
        if tensor.dtype == .int8, dtype == .float32 { into.noteWidened(call.output, from: tensor) }
        return
      }
    }
    if try into.type(call.input(0)).dtype == dtype || into.isDynamic(call.input(0)) {
      try into.alias(call, to: call.input(0))
      return
    }
    let (ids, areImages) = try into.operands(call, count: 1)
    let op = Cast(dtype, saturates: call.int("saturate", default: 1) != 0)
    try into.defineElementwise(call, op, ids, areImages: areImages)
  },
]

private func readDequantize(_ call: OperatorCall, _ into: inout GraphImporter) throws {
  guard try into.hasKnownSteps(call) else {
    try readComposedDequantize(call, &into)
    return
  }
  let type = try into.type(call.input(0))
  let quantization = try into.quantization(call, type.shape)
  guard type.dtype.integerRange != nil else { throw call.unsupported("\(type)") }
  if let tensor = into.constant(call.input(0)) {
    let name = into.valueName("\(call.input(0))/quantized")
    let id = into.addConstant(name, tensor.with(quantization: quantization))
    try into.defineDequantized(call, id)
    return
  }
  // A boundary of integers learns here what they stand for; elsewhere both ends must agree.
  try into.setQuantization(quantization, of: call)
  if let image = into.knownImage(call.input(0)) {
    try into.defineImage(call, Dequantize(), [image])
  } else {
    try into.define(call, Dequantize(), [try into.plain(call.input(0))])
  }
}

extension GraphImporter {
  /// The int8 weights of an integer product over a dynamically quantized value; their scale is 1,
  /// the file multiplies by the real one afterwards.
  fileprivate mutating func integerWeights(
    _ call: OperatorCall,
    _ permutation: [Int]
  ) throws -> ValueID {
    guard isDynamic(call.input(0)), let weights = constant(call.input(1)), weights.dtype == .int8,
      !call.has(3) || constant(call.input(3))?.integers().allSatisfy({ $0 == 0 }) ?? false,
      weights.shape.rank == permutation.count
    else { throw call.unsupported("integers other than int8 weights and quantized floats") }
    let scaled = weights.with(quantization: Quantization(scale: 1, zeroPoint: 0))
    return addConstant(valueName("\(call.input(1))/turned"), scaled.rearranged(permutation))
  }

  /// The product of widened integers and scales as a dequantization, or `false`.
  mutating func defineWidened(_ call: OperatorCall) throws -> Bool {
    guard call.node.inputs.count == 2 else { return false }
    for (weights, factor) in [(0, 1), (1, 0)] {
      guard let integers = widenedConstant(call.input(weights)),
        let scales = constant(call.input(factor)), scales.dtype == .float32,
        scales.shape.rank == integers.shape.rank || scales.count == 1
      else { continue }
      let values = scales.floats()
      guard values.allSatisfy({ $0 > 0 && $0 < .infinity }) else { return false }
      let long = scales.shape.dims.indices.filter { scales.shape[$0] != 1 }
      guard long.count <= 1, long.allSatisfy({ scales.shape[$0] == integers.shape[$0] }) else {
        return false
      }
      let quantization =
        long.first.map { Quantization(scales: values, axis: $0) }
        ?? Quantization(scale: values.first ?? 1, zeroPoint: 0)
      let name = valueName("\(call.output)/quantized")
      try defineDequantized(call, addConstant(name, integers.with(quantization: quantization)))
      return true
    }
    return false
  }

  /// Scale, zero point and axis of a QuantizeLinear or DequantizeLinear.
  fileprivate func quantization(_ call: OperatorCall, _ shape: Shape) throws -> Quantization {
    guard call.int("block_size", default: 0) == 0 else { throw call.unsupported("block_size") }
    guard let scale = constant(call.input(1)), scale.dtype.isFloat, scale.shape.rank <= 1 else {
      throw call.unsupported("a scale that is no constant number or list")
    }
    let scales = scale.floats()
    var zeros = [Int32](repeating: 0, count: scales.count)
    if call.has(2) {
      guard let zero = constant(call.input(2)), zero.dtype.integerRange != nil,
        zero.count == scales.count
      else { throw call.unsupported("a zero point that is no constant integer") }
      zeros = zero.with(quantization: nil).integers().map { Int32(clamping: $0) }
    }
    guard !scales.isEmpty, scales.allSatisfy({ $0 > 0 && $0 < .infinity }) else {
      throw call.unsupported("a scale that is not positive")
    }
    if scales.count == 1 { return Quantization(scale: scales[0], zeroPoint: zeros[0]) }
    let given = call.int("axis", default: 1)
    guard let axis = shape.normalized(axis: given), shape[axis] == scales.count else {
      throw call.unsupported("\(scales.count) scales along axis \(given) of \(shape)")
    }
    return Quantization(scales: scales, zeroPoints: zeros, axis: axis)
  }

  /// Tells an integer value what its elements stand for.
  fileprivate mutating func setQuantization(
    _ quantization: Quantization,
    of call: OperatorCall
  ) throws {
    let known = try type(call.input(0)).quantization
    guard known == nil || known == quantization else {
      throw call.unsupported("a scale other than that of the integers")
    }
    guard known == nil else { return }
    guard quantization.axis == nil else { throw call.unsupported("scales along an axis") }
    for id in knownIDs(call.input(0)) { declare(quantization, of: id) }
  }
}
