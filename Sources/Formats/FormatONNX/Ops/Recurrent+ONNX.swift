import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

extension Recurrent: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    for input in [Input.projection, .projectionBias, .mask] where node.has(input.rawValue) {
      throw Diagnostic("ONX115", "ONNX's recurrent layers have no \(input)")
    }
    guard cellClip == nil, projectionClip == nil, coupling != .inputFollowsForget else {
      throw Diagnostic("ONX115", "ONNX's recurrent layers do not clip or couple states in this way")
    }
    let shape = node.input(0).shape
    let units = node.input(1).shape[0] / cell.gates
    // Steps before the batch; one direction in front of all parameters.
    let sequence = file.add(
      "Transpose",
      [file.real(node, 0)],
      [.ints("perm", [1, 0, 2])],
      for: node
    )
    func parameter(_ input: Input, _ order: [Int], _ dims: [Int]) -> String {
      let value = file.real(node, input.rawValue)
      let turned = ordered(value, order, units, node, &file)
      return file.add("Reshape", [turned, file.constant(ints: [1] + dims)], for: node)
    }
    let places = cell.gateOrder.indices.map { place in
      cell.gateOrder.firstIndex(of: place) ?? place
    }
    let rows = cell.gates * units
    var inputs = [
      sequence, parameter(.weights, places, [rows, shape[2]]),
      parameter(.recurrentWeights, places, [rows, units]),
    ]
    if node.has(Input.bias.rawValue) || node.has(Input.recurrentBias.rawValue) {
      let halves = [Input.bias, .recurrentBias].map { input in
        node.has(input.rawValue)
          ? parameter(input, places, [rows])
          : file.constant(
            Tensor([Float](repeating: 0, count: rows), [1, rows]),
            hint: "const/zeros_\(rows)"
          )
      }
      inputs.append(file.add("Concat", halves, [.int("axis", 1)], for: node))
    } else {
      inputs.append("")
    }
    inputs.append("")
    for (input, dims) in [
      (Input.initialOutput, [shape[0], units]), (.initialCell, [shape[0], units]),
      (.peepholes, [3 * units]),
    ] {
      guard node.has(input.rawValue) else {
        inputs.append("")
        continue
      }
      inputs.append(parameter(input, input == .peepholes ? [0, 2, 1] : [], dims))
    }
    while inputs.last?.isEmpty ?? false { inputs.removeLast() }
    let names = (0..<node.outputs.count).map { _ in file.unique("\(node.node.name)/onnx") }
    file.add(onnxType, inputs, to: names, try onnxAttributes(units))
    // Without the axis of directions, the batch first.
    let all = file.constant(ints: [shape[1], shape[0], units])
    let flat = file.add("Reshape", [names[0], all], for: node)
    file.finish(node, "Transpose", [flat], [.ints("perm", [1, 0, 2])])
    for output in 1..<node.outputs.count {
      let last = file.constant(ints: [shape[0], units])
      file.finish(node, output: output, "Reshape", [names[output], last])
    }
  }

  /// Rows of gates in ONNX's order.
  private func ordered(
    _ value: String,
    _ order: [Int],
    _ units: Int,
    _ node: NodeView,
    _ file: inout GraphExporter
  ) -> String {
    if order == Array(order.indices) { return value }
    let positions = order.flatMap { gate in (0..<units).map { Int64(gate * units + $0) } }
    let table = Tensor(positions, [positions.count], dtype: .int64)
    let indices = file.constant(table, hint: "const/gates_\(order.count)x\(units)")
    return file.add("Gather", [value, indices], [.int("axis", 0)], for: node)
  }

  private var onnxType: String {
    switch cell {
    case .lstm: "LSTM"
    case .gru: "GRU"
    case .simple: "RNN"
    }
  }

  private func onnxAttributes(_ units: Int) throws -> [ONNXAttribute] {
    let functions =
      switch cell {
      case .lstm: [recurrentActivation, activation, outputActivation]
      case .gru: [recurrentActivation, activation]
      case .simple: [activation]
      }
    var names: [String] = []
    var (alphas, betas): ([Float], [Float]) = ([], [])
    for function in functions {
      switch function.kind {
      case .sigmoid: names.append("Sigmoid")
      case .tanh: names.append("Tanh")
      case .relu: names.append("Relu")
      case .softsign: names.append("Softsign")
      case .softplus: names.append("Softplus")
      case .linear:
        names.append("Affine")
        alphas.append(1)
        betas.append(0)
      case .affine, .scaledTanh, .hardSigmoid:
        let name =
          function.kind == .affine
          ? "Affine" : function.kind == .scaledTanh ? "ScaledTanh" : "HardSigmoid"
        names.append(name)
        alphas.append(function.alpha)
        betas.append(function.beta)
      case .elu, .leakyReLU, .thresholdedReLU:
        let name =
          function.kind == .elu
          ? "Elu" : function.kind == .leakyReLU ? "LeakyRelu" : "ThresholdedRelu"
        names.append(name)
        alphas.append(function.alpha)
      default:
        throw Diagnostic("ONX115", "ONNX's recurrent layers have no activation \(function.text)")
      }
    }
    var attributes: [ONNXAttribute] = [
      .int("hidden_size", units), .string("direction", isReversed ? "reverse" : "forward"),
      ONNXAttribute(name: "activations", payload: .strings(names)),
    ]
    if !alphas.isEmpty {
      attributes.append(ONNXAttribute(name: "activation_alpha", payload: .floats(alphas)))
    }
    if !betas.isEmpty {
      attributes.append(ONNXAttribute(name: "activation_beta", payload: .floats(betas)))
    }
    if let gateClip { attributes.append(.float("clip", gateClip)) }
    if cell == .gru { attributes.append(.int("linear_before_reset", resetsAfter ? 1 : 0)) }
    if coupling == .forgetFollowsInput { attributes.append(.int("input_forget", 1)) }
    return attributes
  }
}

// MARK: - Import

/// LSTM, GRU and RNN; both directions of a bidirectional layer are a layer each.
let recurrentReaders: [String: ONNXReader] = [
  "LSTM": { try readRecurrent($0, &$1, .lstm) }, "GRU": { try readRecurrent($0, &$1, .gru) },
  "RNN": { try readRecurrent($0, &$1, .simple) },
]

extension Recurrent.Cell {
  /// The place in ONNX's stack of gates of each gate in ours: i, o, f, c against i, f, c, o.
  fileprivate var gateOrder: [Int] { self == .lstm ? [0, 2, 3, 1] : Array(0..<gates) }
}

private func readRecurrent(
  _ call: OperatorCall,
  _ into: inout GraphImporter,
  _ cell: Recurrent.Cell
) throws {
  let begin = into.graph.nodes.count
  let isBatchFirst = call.int("layout", default: 0) != 0
  let given = try into.plain(call.input(0))
  let sequence = isBatchFirst ? given : try into.turned(call, given, [1, 0, 2])
  let shape = into.shape(sequence)
  let directions: [Bool]
  switch call.string("direction", default: "forward") {
  case "forward": directions = [false]
  case "reverse": directions = [true]
  case "bidirectional": directions = [false, true]
  case let other: throw call.unsupported("direction \(other)")
  }
  let weights = try into.type(call.input(1)).shape
  guard shape.rank == 3, weights.rank == 3, weights[0] == directions.count,
    weights[1] % cell.gates == 0
  else { throw call.unsupported("weights \(weights) for \(shape)") }
  let units = weights[1] / cell.gates
  var mask: ValueID?
  if call.has(4) {
    let lengths = try into.reshaped(call, into.plain(call.input(4)), [shape[0], 1])
    let steps = (0..<shape[1]).map { Double($0) }
    let numbers = into.constant(call, steps, [1, shape[1]], into.dtype(lengths))
    mask = try into.binary(call, .less, numbers, lengths)
  }
  var made: [[ValueID]] = []
  for (direction, isReversed) in directions.enumerated() {
    let op = try cellOperator(call, cell, direction, isReversed: isReversed, masked: mask != nil)
    func part(_ index: Int, _ dims: [Int]) throws -> ValueID? {
      guard call.has(index) else { return nil }
      var id = try into.plain(call.input(index))
      let axis = isBatchFirst && (index == 5 || index == 6) ? 1 : 0
      if directions.count > 1 {
        id = try into.sliced(call, id, axis: axis, direction..<direction + 1)
      }
      return try into.reshaped(call, id, dims)
    }
    func gates(_ id: ValueID?, _ order: [Int]) throws -> ValueID? {
      guard let id, order != Array(order.indices) else { return id }
      let positions = order.flatMap { gate in (0..<units).map { gate * units + $0 } }
      return try into.gathered(call, id, axis: 0, positions)
    }
    let order = cell.gateOrder
    let rows = cell.gates * units
    let input = try gates(part(1, [rows, weights[2]]), order)
    let recurrent = try gates(part(2, [rows, units]), order)
    var biases: [ValueID?] = [nil, nil]
    if let both = try part(3, [2 * rows]) {
      biases = try (0..<2).map { half in
        try gates(into.sliced(call, both, axis: 0, half * rows..<(half + 1) * rows), order)
      }
    }
    let output = try part(5, [shape[0], units])
    let state = cell == .lstm ? try part(6, [shape[0], units]) : nil
    let peepholes = cell == .lstm ? try gates(part(7, [3 * units]), [0, 2, 1]) : nil
    let inputs: [ValueID?] = [
      sequence, input, recurrent, biases[0], biases[1], output, state, peepholes, nil, nil, mask,
    ]
    try into.foldConstants(from: begin)
    let names = (0..<(cell == .lstm ? 3 : 2)).map {
      into.valueName(
        "\(call.output.isEmpty ? into.nodeName(call) : call.output)/direction\(direction)/\($0)"
      )
    }
    made.append(
      try into.addNode("\(into.nodeName(call))/\(direction)", op, inputs, names)
    )
  }
  try concludeRecurrent(call, made, units, isBatchFirst: isBatchFirst, &into)
}

private func concludeRecurrent(
  _ call: OperatorCall,
  _ made: [[ValueID]],
  _ units: Int,
  isBatchFirst: Bool,
  _ into: inout GraphImporter
) throws {
  if into.wants(call, 0) {
    // Steps first, then directions; or the batch first, then steps and directions.
    let parts = try made.map { outputs in
      let own = into.shape(outputs[0])
      return isBatchFirst
        ? try into.reshaped(call, outputs[0], [own[0], own[1], 1, units])
        : try into.reshaped(
          call,
          into.turned(call, outputs[0], [1, 0, 2]),
          [own[1], 1, own[0], units]
        )
    }
    into.conclude(call, try into.joined(call, parts, axis: isBatchFirst ? 2 : 1))
  }
  for output in 1...2 where into.wants(call, output) && made[0].count > output {
    let parts = try made.map { outputs in
      let batch = into.shape(outputs[output])[0]
      let dims = isBatchFirst ? [batch, 1, units] : [1, batch, units]
      return try into.reshaped(call, outputs[output], dims)
    }
    let joined = try into.joined(call, parts, axis: isBatchFirst ? 1 : 0)
    into.conclude(call, joined, output: output)
  }
}

/// The layer of one direction.
private func cellOperator(
  _ call: OperatorCall,
  _ cell: Recurrent.Cell,
  _ direction: Int,
  isReversed: Bool,
  masked: Bool
) throws -> Recurrent {
  let count = cell == .lstm ? 3 : cell == .gru ? 2 : 1
  let usual = cell == .simple ? ["Tanh"] : ["Sigmoid", "Tanh", "Tanh"]
  let names = call.strings("activations")
  var alphas = (call.floats("activation_alpha") ?? [])[...]
  var betas = (call.floats("activation_beta") ?? [])[...]
  var functions: [RecurrentFunction] = []
  // The lists of parameters serve the functions of all directions in order.
  for index in 0..<(direction + 1) * count {
    let name =
      names.flatMap { $0.indices.contains(index) ? $0[index] : nil } ?? usual[index % count]
    let function = try recurrentFunction(name, &alphas, &betas, call)
    if index >= direction * count { functions.append(function) }
  }
  var op = Recurrent(
    cell,
    isReversed: isReversed,
    activation: functions[cell == .simple ? 0 : 1],
    recurrentActivation: functions[0],
    outputActivation: cell == .lstm ? functions[2] : nil,
    resetsAfter: call.int("linear_before_reset", default: 0) != 0,
    coupling: call.int("input_forget", default: 0) != 0 ? .forgetFollowsInput : .none,
    gateClip: call.float("clip"),
    zerosMaskedOutputs: masked
  )
  if cell == .simple { op.recurrentActivation = .sigmoid }
  return op
}

private func recurrentFunction(
  _ name: String,
  _ alphas: inout ArraySlice<Float>,
  _ betas: inout ArraySlice<Float>,
  _ call: OperatorCall
) throws -> RecurrentFunction {
  func alpha(_ value: Float) -> Float { alphas.popFirst() ?? value }
  func beta(_ value: Float) -> Float { betas.popFirst() ?? value }
  switch name.lowercased() {
  case "relu": return RecurrentFunction(.relu)
  case "tanh": return .tanh
  case "sigmoid": return .sigmoid
  case "affine": return RecurrentFunction(.affine, alpha: alpha(1), beta: beta(0))
  case "leakyrelu": return RecurrentFunction(.leakyReLU, alpha: alpha(0.01))
  case "thresholdedrelu": return RecurrentFunction(.thresholdedReLU, alpha: alpha(1))
  case "scaledtanh": return RecurrentFunction(.scaledTanh, alpha: alpha(1), beta: beta(1))
  case "hardsigmoid": return RecurrentFunction(.hardSigmoid, alpha: alpha(0.2), beta: beta(0.5))
  case "elu": return RecurrentFunction(.elu, alpha: alpha(1))
  case "softsign": return RecurrentFunction(.softsign)
  case "softplus": return RecurrentFunction(.softplus)
  default: throw call.unsupported("activation \(name)")
  }
}
