import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

let recurrentReaders: [String: ATenReader] = [
  "lstm": { try readLayers($0, Recurrent(.lstm), &$1) },
  "gru": { try readLayers($0, Recurrent(.gru, resetsAfter: true), &$1) },
  "rnn_tanh": { try readLayers($0, Recurrent(.simple), &$1) },
  "rnn_relu": { try readLayers($0, Recurrent(.simple, activation: RecurrentFunction(.relu)), &$1) },
]

/// Layers over one another, each in one direction or both.
///
/// PyTorch stacks gates as a Graph does, but for a GRU, whose first two are the other way round. The
/// parameters come in one list: for each layer and direction input weights, recurrent weights, and
/// both biases and the projection where there are any.
private func readLayers(
  _ call: ATenCall,
  _ cell: Recurrent,
  _ into: inout ProgramImporter
) throws {
  let hasBias = try call.bool("has_biases", default: true)
  let layers = try call.int("num_layers")
  let isBidirectional = try call.bool("bidirectional")
  let isBatchFirst = try call.bool("batch_first")
  guard !(try call.bool("train")), !call.has("batch_sizes") else {
    throw call.unsupported("training or packed sequences", remedy: "call model.eval() first")
  }
  let directions = isBidirectional ? 2 : 1
  let parameters = try call.tensors("params")
  let isLSTM = cell.cell == .lstm
  let states = try isLSTM ? call.tensors("hx") : [call.tensor("hx")]
  guard (1..<1 << 10).contains(layers), parameters.count % (layers * directions) == 0,
    states.count == (isLSTM ? 2 : 1)
  else { throw call.unsupported("\(parameters.count) parameters of \(layers) layers") }
  let each = parameters.count / (layers * directions)
  let hasProjection = each == (hasBias ? 5 : 3)
  guard each == (hasBias ? 4 : 2) || hasProjection && isLSTM else {
    throw call.unsupported("\(each) parameters of a layer")
  }
  var current = try into.plain(call.tensor("input"))
  guard into.graph[current].type.shape.rank == 3 else {
    throw call.unsupported("a sequence \(into.graph[current].type.shape)")
  }
  if !isBatchFirst { current = try into.step(call, "batched", Transpose([1, 0, 2]), [current]) }
  var last: [[ValueID]] = [[], []]
  for layer in 0..<layers {
    var outputs: [ValueID] = []
    for direction in 0..<directions {
      let index = layer * directions + direction
      let names = Array(parameters[index * each..<(index + 1) * each])
      var op = cell
      op.isReversed = direction == 1
      let results = try into.recurrentLayer(
        call,
        op,
        current,
        names,
        hasBias: hasBias,
        hasProjection: hasProjection,
        states: states,
        index: index
      )
      outputs.append(results[0])
      for (state, id) in results.dropFirst().enumerated() { last[state].append(id) }
    }
    current =
      outputs.count == 1
      ? outputs[0] : try into.step(call, "layer\(layer)", Concat(axis: 2), outputs.map { $0 })
  }
  let first = call.with([:], outputs: [call.output])
  if isBatchFirst {
    let dims = into.graph[current].type.shape.dims
    try into.define(first, Reshape(dims), [current])
  } else {
    try into.define(first, Transpose([1, 0, 2]), [current])
  }
  for (state, output) in call.outputs.dropFirst().enumerated() where state < (isLSTM ? 2 : 1) {
    let part = call.with([:], outputs: [output])
    let rows = try last[state].enumerated().map { index, id -> ValueID? in
      let shape = into.graph[id].type.shape
      return try into.step(part, "state\(index)", Reshape([1] + shape.dims), [id])
    }
    try into.define(part, Concat(axis: 0), rows)
  }
}

extension ProgramImporter {
  /// One layer in one direction: all outputs, the last output, and an LSTM's last cell state.
  fileprivate mutating func recurrentLayer(
    _ call: ATenCall,
    _ op: Recurrent,
    _ input: ValueID,
    _ names: [String],
    hasBias: Bool,
    hasProjection: Bool,
    states: [String],
    index: Int
  ) throws -> [ValueID] {
    var ids = try names.map { try plain($0) }
    if op.cell == .gru {
      let count = hasBias ? 4 : 2
      for position in 0..<count { ids[position] = try updateFirst(call, ids[position], index) }
    }
    var inputs = [ValueID?](repeating: nil, count: 9)
    (inputs[0], inputs[1], inputs[2]) = (input, ids[0], ids[1])
    if hasBias {
      if op.cell == .gru {
        (inputs[3], inputs[4]) = (ids[2], ids[3])
      } else {
        inputs[3] = try step(call, "bias\(index)", Binary(.add), [ids[2], ids[3]])
      }
    }
    if hasProjection { inputs[8] = ids[hasBias ? 4 : 2] }
    for (state, name) in states.enumerated() {
      let shape = try type(name).shape
      guard shape.rank == 3, index < shape[0] else { throw call.unsupported("a state \(shape)") }
      if let tensor = constant(name), tensor.floats().allSatisfy({ $0 == 0 }) { continue }
      let cut = Slice(begin: [index, 0, 0], sizes: [1, shape[1], shape[2]])
      let row = try step(call, "initial\(state)_\(index)", cut, [plain(name)])
      inputs[5 + state] = try step(
        call,
        "start\(state)_\(index)",
        Reshape([shape[1], shape[2]]),
        [row]
      )
    }
    while inputs.count > 3, inputs[inputs.count - 1] == nil { inputs.removeLast() }
    let name = valueName("\(call.output)/\(op.name.lowercased())\(index)")
    let count = op.cell == .lstm ? 3 : 2
    let outputs = (0..<count).map { $0 == 0 ? name : valueName("\(name):\($0)") }
    return try emit(name, op, inputs, outputs)
  }

  /// A GRU's parameter with the update gate before the reset gate.
  private mutating func updateFirst(
    _ call: ATenCall,
    _ id: ValueID,
    _ index: Int
  ) throws -> ValueID {
    let shape = graph[id].type.shape
    guard shape.rank > 0, shape[0] % 3 == 0 else { throw call.unsupported("\(shape)") }
    let units = shape[0] / 3
    func gate(_ number: Int) throws -> ValueID {
      var begin = [Int](repeating: 0, count: shape.rank)
      begin[0] = number * units
      let cut = Slice(begin: begin, sizes: [units] + shape.dims.dropFirst())
      return try step(call, "gate\(number)_\(index)", cut, [id])
    }
    let gates = [try gate(1), try gate(0), try gate(2)]
    return try step(call, "gates\(index)", Concat(axis: 0), gates)
  }
}
