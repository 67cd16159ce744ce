import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

/// Operators of other sets than ONNX's own, by domain: those of ONNX Runtime (`com.microsoft`) that its
/// tools and exporters write into models.
let onnxContributedReaders: [String: [String: ONNXReader]] = [
  "com.microsoft": contributedReaders.merging(contributedQuantizedReaders) { first, _ in first }
]

private let contributedReaders: [String: ONNXReader] = [
  "FusedConv": { call, into in
    var kept = call.node.attributes
    kept.removeAll { $0.name.hasPrefix("activation") }
    var nodes = [
      ONNXNode("Conv", Array(call.node.inputs.prefix(3)), "%c", kept)
    ]
    var last = "%c"
    if call.has(3) {
      nodes.append(ONNXNode("Add", [last, call.input(3)], "%a"))
      last = "%a"
    }
    let parameters = call.floats("activation_params") ?? []
    let activation = call.string("activation", default: "")
    switch activation {
    case "": break
    case "Clip" where parameters.count == 2:
      let bounds = parameters.map { value in
        into.bind(into.addConstant(into.valueName("\(call.output)/bound"), Tensor([value], [])))
      }
      nodes.append(ONNXNode("Clip", [last] + bounds, "%y"))
      last = "%y"
    case "LeakyRelu":
      let alpha = ONNXAttribute.float("alpha", parameters.first ?? 0.01)
      nodes.append(ONNXNode("LeakyRelu", [last], "%y", [alpha]))
      last = "%y"
    case "HardSigmoid" where parameters.count == 2:
      let line: [ONNXAttribute] = [.float("alpha", parameters[0]), .float("beta", parameters[1])]
      nodes.append(ONNXNode("HardSigmoid", [last], "%y", line))
      last = "%y"
    case "Relu", "Tanh", "Sigmoid":
      nodes.append(ONNXNode(activation, [last], "%y"))
      last = "%y"
    default: throw call.unsupported("activation \(activation)")
    }
    try into.expand(call, nodes, results: [last], opset: max(call.opset, 11))
  },
  "FusedMatMul": { call, into in
    guard call.int("transBatchA", default: 0) == 0, call.int("transBatchB", default: 0) == 0 else {
      throw call.unsupported("transBatchA or transBatchB")
    }
    let ids = [try into.plain(call.input(0)), try into.plain(call.input(1))]
    let op = MatMul(
      transposesA: call.int("transA", default: 0) != 0,
      transposesB: call.int("transB", default: 0) != 0
    )
    let product = try into.step(call, "product", op, ids)
    let alpha = Double(call.float("alpha") ?? 1)
    into.conclude(
      call,
      alpha == 1 ? product : try into.binary(call, .multiply, product, alpha)
    )
  },
  "Gelu": { call, into in
    into.conclude(call, try into.unary(call, .gelu, try into.plain(call.input(0))))
  },
  "BiasGelu": { call, into in
    let ids = [try into.plain(call.input(0)), try into.plain(call.input(1))]
    let sum = try into.binary(call, .add, ids[0], ids[1])
    into.conclude(call, try into.unary(call, .gelu, sum))
  },
  "FastGelu": { call, into in
    var x = try into.plain(call.input(0))
    if call.has(1) { x = try into.binary(call, .add, x, into.plain(call.input(1))) }
    into.conclude(call, try into.unary(call, .geluApproximate, x))
  },
  "QuickGelu": { call, into in
    let x = try into.plain(call.input(0))
    let scaled = try into.binary(call, .multiply, x, Double(call.float("alpha") ?? 1.702))
    let gate = try into.unary(call, .sigmoid, scaled)
    into.conclude(call, try into.binary(call, .multiply, x, gate))
  },
  "LayerNormalization": { call, into in try readLayerNormalization(call, &into) },
  "SkipLayerNormalization": { call, into in
    var sum = try into.binary(
      call,
      .add,
      into.plain(call.input(0)),
      into.plain(call.input(1))
    )
    if call.has(4) { sum = try into.binary(call, .add, sum, into.plain(call.input(4))) }
    var node = call.node
    node.outputs = Array(node.outputs.prefix(1))
    node.attributes = node.attributes.map { attribute in
      var attribute = attribute
      if attribute.name == "epsilon" { return attribute }
      attribute.name = "unused"
      return attribute
    }
    if call.float("epsilon") == nil { node.attributes.append(.float("epsilon", 1e-12)) }
    let plain = OperatorCall(node: node, opset: call.opset, scope: call.scope)
    try readLayerNormalization(plain, &into, of: sum, parameters: (2, 3))
    into.conclude(call, sum, output: 3)
  },
  "MatMulNBits": readMatMulNBits,
]

/// MatMulNBits: weights of a few bits in blocks along each column, widened at import.
private func readMatMulNBits(_ call: OperatorCall, _ into: inout GraphImporter) throws {
  let (depth, columns) = (call.int("K", default: 0), call.int("N", default: 0))
  let (bits, block) = (call.int("bits", default: 4), call.int("block_size", default: 0))
  guard (1...1 << 20).contains(depth), (1...1 << 20).contains(columns), bits == 4 || bits == 8,
    block >= 16, block <= 1 << 16, depth * columns <= 1 << 28, !call.has(4)
  else { throw call.unsupported("\(depth)x\(columns) of \(bits) bits in blocks of \(block)") }
  let packed = try into.known(call.input(1), call)
  let scales = try into.known(call.input(2), call).floats()
  let blocks = (depth + block - 1) / block
  let blob = block * bits / 8
  guard packed.dtype == .uint8, packed.count == columns * blocks * blob,
    scales.count == columns * blocks
  else { throw call.unsupported("weights \(packed.type) with \(scales.count) scales") }
  var zeros = [Float](repeating: Float(1 << (bits - 1)), count: columns * blocks)
  if call.has(3) {
    let given = try into.known(call.input(3), call)
    let row = (blocks * bits + 7) / 8
    if given.dtype.isFloat {
      guard given.count == zeros.count else { throw call.unsupported("zero points \(given.type)") }
      zeros = given.floats()
    } else {
      guard given.dtype == .uint8, given.count == columns * row else {
        throw call.unsupported("zero points \(given.type)")
      }
      let bytes = given.codes()
      for column in 0..<columns {
        for number in 0..<blocks {
          let byte = bytes[column * row + number * bits / 8]
          let code = bits == 8 ? byte : number % 2 == 0 ? byte & 15 : byte >> 4
          zeros[column * blocks + number] = Float(code)
        }
      }
    }
  }
  let bytes = packed.codes()
  var weights = [Float](repeating: 0, count: columns * depth)
  for column in 0..<columns {
    for index in 0..<depth {
      let number = column * blocks + index / block
      let place = index % block
      let byte = bytes[number * blob + place * bits / 8]
      let code = bits == 8 ? byte : place % 2 == 0 ? byte & 15 : byte >> 4
      weights[column * depth + index] = (Float(code) - zeros[number]) * scales[number]
    }
  }
  let table = into.addConstant(
    into.valueName("\(call.input(1))/float"),
    Tensor(weights, [columns, depth])
  )
  let bias = call.has(5) ? try into.plain(call.input(5)) : nil
  try into.define(call, FullyConnected(), [try into.plain(call.input(0)), table, bias])
}
