import AssayBase
import AssayGraph
import AssayTensor

let controlReaders: [String: TFReader] = {
  var readers: [String: TFReader] = [
    "PartitionedCall": readFunctionCall,
    "StatefulPartitionedCall": readFunctionCall,
    "If": readIf,
    "StatelessIf": readIf,
    "While": readWhile,
    "StatelessWhile": readWhile,
    "Switch": readSwitch,
    "RefSwitch": readSwitch,
    "Merge": readMerge,
    "RefMerge": readMerge,
    "PlaceholderWithDefault": readIdentity,
    "NoOp": { _, _ in [] },
    "Placeholder": readPlaceholder,
    "PlaceholderV2": readPlaceholder,
    "OptimizationBarrier": readIdentity,
    "IdentityN": { call, _ in call.inputs },
  ]
  for name in [
    "Identity", "StopGradient", "PreventGradient", "CheckNumerics", "Snapshot", "EnsureShape",
    "RefIdentity", "DebugIdentity",
  ] {
    readers[name] = readIdentity
  }
  return readers
}()

private func readIdentity(_ call: TFCall, _ into: inout TensorFlowImporter) throws -> [TFValue] {
  guard let value = call.inputs.first else { throw call.missingInput(0) }
  return [value]
}

/// A placeholder that is no input of the network: a truth value says whether it is being trained.
private func readPlaceholder(_ call: TFCall, _ into: inout TensorFlowImporter) throws -> [TFValue] {
  // The path of the checkpoint, which the user's own files stand for.
  if call.dtype("dtype") == .string { return [.texts([])] }
  guard call.dtype("dtype") == .bool else {
    throw Diagnostic(
      "TFG013",
      "'\(call.name)' is fed while the network runs, but is no input of it",
      remedy: "name it among the inputs, or give its value a default"
    )
  }
  into.notes.append(
    Diagnostic(
      "TFG014",
      "'\(call.name)' is taken as false: the network is not being trained",
      severity: .note
    )
  )
  return [.tensor(into.addConstant(call.name, Tensor([UInt8(0)], [], dtype: .bool)))]
}

private func readFunctionCall(
  _ call: TFCall,
  _ into: inout TensorFlowImporter
) throws -> [TFValue] {
  try into.call(try call.function("f"), call.inputs)
}

// MARK: - Branches

extension TensorFlowImporter {
  /// The truth of a Constant: numbers are true unless they are 0, as tensors of several elements are
  /// unless they have none.
  fileprivate func truth(_ id: ValueID) -> Bool? {
    guard let tensor = graph[id].constant else { return nil }
    if tensor.count != 1 { return tensor.count > 0 }
    return tensor.floats().first.map { $0 != 0 }
  }
}

/// If: one branch where the condition is constant, else both and a Select for each result.
private func readIf(_ call: TFCall, _ into: inout TensorFlowImporter) throws -> [TFValue] {
  let condition = try into.tensor(call, 0)
  let arguments = Array(call.inputs.dropFirst())
  let (yes, no) = (try call.function("then_branch"), try call.function("else_branch"))
  if let truth = into.truth(condition) { return try into.call(truth ? yes : no, arguments) }
  let (a, b) = (try into.call(yes, arguments), try into.call(no, arguments))
  guard into.graph[condition].type.dtype == .bool, into.graph[condition].type.shape.count == 1,
    a.count == b.count
  else { throw call.unsupported("a condition that is computed while the network runs") }
  return try zip(a, b).enumerated().map { index, pair in
    guard case (.tensor(let first), .tensor(let second)) = pair,
      into.graph[first].type == into.graph[second].type
    else { throw call.unsupported("a branch whose results have other shapes than the other's") }
    if first == second { return pair.0 }
    return .tensor(try into.step(call, "\(index)", Select(), [condition, first, second]))
  }
}

/// Switch: the value leaves by output 0 when the condition is false, by output 1 when it is true.
private func readSwitch(_ call: TFCall, _ into: inout TensorFlowImporter) throws -> [TFValue] {
  guard let truth = into.truth(try into.tensor(call, 1)) else {
    throw call.unsupported("a condition that is computed while the network runs")
  }
  return truth ? [.dead, call.inputs[0]] : [call.inputs[0], .dead]
}

/// Merge: whichever value arrives, and its number.
private func readMerge(_ call: TFCall, _ into: inout TensorFlowImporter) throws -> [TFValue] {
  let alive = call.inputs.indices.filter {
    if case .dead = call.inputs[$0] { return false }
    return true
  }
  guard let first = alive.first else { return [.dead] }
  guard alive.count == 1 else { throw call.unsupported("more than one value that arrives") }
  let index = into.addIntegers("\(call.name):1", [first], [], .int32)
  return [call.inputs[first], .tensor(index)]
}

// MARK: - Loops

/// While: a recurrent layer where it is one, else unrolled, as long as its condition is constant.
private func readWhile(_ call: TFCall, _ into: inout TensorFlowImporter) throws -> [TFValue] {
  if let loop = try RecurrentLoop(call, into), let results = try loop.layer(&into) {
    return results
  }
  let (condition, body) = (try call.function("cond"), try call.function("body"))
  let limit = 20_000
  var state = call.inputs
  for _ in 0..<limit {
    let results = try into.call(condition, state)
    guard results.count == 1, case .tensor(let id) = results[0] else {
      if case .missing = results.first { return [.missing] }
      throw call.unsupported("a condition that is no tensor")
    }
    guard let truth = into.truth(id) else {
      throw call.unsupported(
        "a loop whose end is computed while the network runs",
        remedy: "save the network with a fixed number of steps"
      )
    }
    guard truth else { return state }
    state = try into.call(body, state)
    if state.contains(where: { if case .missing = $0 { true } else { false } }) {
      return [TFValue](repeating: .missing, count: state.count)
    }
  }
  throw call.unsupported("a loop of more than \(limit) steps")
}
