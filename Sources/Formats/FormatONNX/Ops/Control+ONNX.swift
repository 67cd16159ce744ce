import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

/// Operators that hold graphs.
///
/// A Graph has no control flow: what is decided by constants is decided
/// at import, loops of a known number of steps are unrolled, everything else is refused.
let controlReaders: [String: ONNXReader] = ["If": readIf, "Loop": readLoop, "Scan": readScan]

private func readIf(_ call: OperatorCall, _ into: inout GraphImporter) throws {
  let condition = try into.known(call.input(0), call)
  guard condition.count == 1 else { throw call.unsupported("a condition of \(condition.type)") }
  let branch = condition.integers() == [0] ? "else_branch" : "then_branch"
  let outputs = try into.inline(try call.graph(branch), branch, [], call)
  guard outputs.count >= call.node.outputs.count else {
    throw call.unsupported("a \(branch) of \(outputs.count) outputs")
  }
  for (name, output) in zip(call.node.outputs, outputs) where !name.isEmpty {
    try into.twins.alias(name, to: output)
  }
}

/// Steps that a loop is unrolled to at most.
private let mostSteps = 4096

/// Loop: inputs are the trip count, the condition and what is carried from step to step.
private func readLoop(_ call: OperatorCall, _ into: inout GraphImporter) throws {
  let body = try call.graph("body")
  var steps = Int.max
  if call.has(0) {
    steps = try into.integers(call.input(0), call).first ?? 0
    guard steps <= mostSteps else {
      throw call.unsupported("\(steps) steps: at most \(mostSteps) are unrolled; a longer loop")
    }
  }
  var goesOn = true
  if call.has(1) { goesOn = try into.known(call.input(1), call).integers() != [0] }
  var carried = Array(call.node.inputs.dropFirst(2))
  guard body.inputs.count == carried.count + 2, body.outputs.count >= carried.count + 1 else {
    throw call.unsupported("a body of \(body.inputs.count) inputs")
  }
  var collected = [[String]](repeating: [], count: body.outputs.count - 1 - carried.count)
  var step = 0
  while goesOn, step < steps {
    guard step < mostSteps else { throw call.unsupported("more than \(mostSteps) steps") }
    let number = Tensor([Int64(step)], [], dtype: .int64)
    let truth = Tensor([UInt8(1)], [], dtype: .bool)
    let index = into.bind(into.addConstant(into.valueName("\(call.output)/step"), number))
    let isOn = into.bind(into.addConstant(into.valueName("\(call.output)/on"), truth))
    let outputs = try into.inline(body, "body", [index, isOn] + carried, call)
    goesOn = try into.known(outputs[0], call).integers() != [0]
    carried = Array(outputs[1..<1 + carried.count])
    for (place, name) in outputs.dropFirst(1 + carried.count).enumerated() {
      collected[place].append(name)
    }
    step += 1
  }
  for (name, value) in zip(call.node.outputs, carried) where !name.isEmpty {
    try into.twins.alias(name, to: value)
  }
  for (name, values) in zip(call.node.outputs.dropFirst(carried.count), collected)
  where !name.isEmpty {
    guard !values.isEmpty else {
      throw call.unsupported("a loop of no steps with collected values")
    }
    try into.stack(values, axis: 0, as: name, call)
  }
}

/// Scan: since operator set 9 the states first, then the sequences; in 8 over an axis of batches.
private func readScan(_ call: OperatorCall, _ into: inout GraphImporter) throws {
  let body = try call.graph("body")
  let count = call.int("num_scan_inputs", default: 0)
  let isBatched = call.opset < 9
  if isBatched, call.has(0) { throw call.unsupported("sequence_lens") }
  let values = Array(call.node.inputs.dropFirst(isBatched ? 1 : 0))
  guard count > 0, count <= values.count, body.inputs.count == values.count,
    body.outputs.count >= values.count - count
  else { throw call.unsupported("\(count) sequences among \(values.count) values") }
  let stateCount = values.count - count
  if isBatched {
    // One entry of the batch after the other, each as in operator set 9.
    let batch = try into.type(values[0]).shape[0]
    guard (1...256).contains(batch) else { throw call.unsupported("a batch of \(batch)") }
    var results = [[String]](repeating: [], count: body.outputs.count)
    for entry in 0..<batch {
      let parts = try values.map { try into.part(of: $0, axis: 0, entry, call) }
      let made = try scanned(call, body, parts, stateCount, isBatched: true, &into)
      for (place, name) in made.enumerated() { results[place].append(name) }
    }
    for (name, parts) in zip(call.node.outputs, results) where !name.isEmpty {
      try into.stack(parts, axis: 0, as: name, call)
    }
    return
  }
  let made = try scanned(call, body, values, stateCount, isBatched: false, &into)
  for (name, value) in zip(call.node.outputs, made) where !name.isEmpty {
    try into.twins.alias(name, to: value)
  }
}

private func scanned(
  _ call: OperatorCall,
  _ body: ONNXGraph,
  _ values: [String],
  _ stateCount: Int,
  isBatched: Bool,
  _ into: inout GraphImporter
) throws -> [String] {
  var states = Array(values.prefix(stateCount))
  let sequences = Array(values.dropFirst(stateCount))
  let inputAxes = isBatched ? [] : call.ints("scan_input_axes") ?? []
  let outputAxes = isBatched ? [] : call.ints("scan_output_axes") ?? []
  let backwards = call.ints(isBatched ? "directions" : "scan_input_directions") ?? []
  let outputBackwards = isBatched ? [] : call.ints("scan_output_directions") ?? []
  var lengths: [Int] = []
  var axes: [Int] = []
  for (place, name) in sequences.enumerated() {
    let shape = try into.type(name).shape
    let given = inputAxes.indices.contains(place) ? inputAxes[place] : 0
    guard let axis = shape.normalized(axis: given) else { throw call.unsupported("axis \(given)") }
    axes.append(axis)
    lengths.append(shape[axis])
  }
  guard let steps = lengths.first, Set(lengths).count == 1, (1...mostSteps).contains(steps) else {
    throw call.unsupported("sequences of \(lengths) steps")
  }
  var collected = [[String]](repeating: [], count: body.outputs.count - stateCount)
  for step in 0..<steps {
    let parts = try sequences.enumerated().map { place, name in
      let isBackwards = backwards.indices.contains(place) && backwards[place] == 1
      let position = isBackwards ? steps - 1 - step : step
      return try into.part(of: name, axis: axes[place], position, call)
    }
    let outputs = try into.inline(body, "body", states + parts, call)
    states = Array(outputs.prefix(stateCount))
    for (place, name) in outputs.dropFirst(stateCount).enumerated() {
      collected[place].append(name)
    }
  }
  let stacked = try collected.enumerated().map { place, parts in
    let isBackwards = outputBackwards.indices.contains(place) && outputBackwards[place] == 1
    let axis = outputAxes.indices.contains(place) ? outputAxes[place] : 0
    let name = into.valueName("\(call.output)/stacked")
    into.open(name)
    try into.stack(isBackwards ? parts.reversed() : parts, axis: axis, as: name, call)
    return name
  }
  return states + stacked
}

extension GraphImporter {
  /// One position of an axis, without the axis.
  fileprivate mutating func part(
    of name: String,
    axis: Int,
    _ position: Int,
    _ call: OperatorCall
  ) throws -> String {
    let source = try plain(name)
    let shape = graph[source].type.shape
    guard shape.normalized(axis: axis) != nil else { throw call.unsupported("axis \(axis)") }
    var (begin, sizes) = ([Int](repeating: 0, count: shape.rank), shape.dims)
    (begin[axis], sizes[axis]) = (position, 1)
    let before = graph.nodes.count
    let slice = try step(call, "part", AssayGraph.Slice(begin: begin, sizes: sizes), [source])
    sizes.remove(at: axis)
    let part = try step(call, "part", Reshape(sizes), [slice])
    try foldConstants(from: before)
    return bind(part)
  }

  /// Joins values along a new axis.
  fileprivate mutating func stack(
    _ names: [String],
    axis: Int,
    as result: String,
    _ call: OperatorCall
  ) throws {
    var parts: [ValueID] = []
    for name in names {
      let part = try plain(name)
      let shape = graph[part].type.shape
      let position = axis < 0 ? axis + shape.rank + 1 : axis
      guard (0...shape.rank).contains(position) else { throw call.unsupported("axis \(axis)") }
      var dims = shape.dims
      dims.insert(1, at: position)
      parts.append(try step(call, "row", Reshape(dims), [part]))
    }
    guard parts.count > 1 else {
      twins.place(result, plain: parts[0])
      return
    }
    let rank = graph[parts[0]].type.shape.rank
    let op = Concat(axis: axis < 0 ? axis + rank : axis)
    twins.place(result, plain: try step(call, "stacked", op, parts))
  }
}
