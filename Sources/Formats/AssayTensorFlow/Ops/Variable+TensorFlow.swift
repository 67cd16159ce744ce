import AssayBase
import AssayGraph
import AssayTensor

let variableReaders: [String: TFReader] = [
  "VarHandleOp": { call, _ in [.variable(call.name)] },
  "VarIsInitializedOp": { call, into in
    [.tensor(into.addConstant(call.name, Tensor([UInt8(1)], [], dtype: .bool)))]
  },
  "ReadVariableOp": { call, into in [.tensor(try into.variable(call, 0))] },
  "VariableShape": { call, into in
    let dims = into.graph[try into.variable(call, 0)].type.shape.dims
    return [
      .tensor(into.addIntegers(call.name, dims, [dims.count], call.dtype("out_type") ?? .int32))
    ]
  },
  "Variable": readReferenceVariable,
  "VariableV2": readReferenceVariable,
  "AutoReloadVariable": readReferenceVariable,
  "RestoreV2": readRestore,
  "RestoreSlice": readRestore,
  "Restore": readRestore,
]

/// A variable of TensorFlow 1: its value flows by itself.
private func readReferenceVariable(
  _ call: TFCall,
  _ into: inout TensorFlowImporter
) throws -> [TFValue] {
  [.tensor(try into.variable(named: call.name))]
}

/// RestoreV2, RestoreSlice and Restore: values of the checkpoint by name.
private func readRestore(_ call: TFCall, _ into: inout TensorFlowImporter) throws -> [TFValue] {
  guard call.inputs.count > 1, case .texts(let names) = call.inputs[1] else {
    throw call.unsupported("a name that is computed while the network runs")
  }
  var slices = [String](repeating: "", count: names.count)
  if call.inputs.count > 2, case .texts(let given) = call.inputs[2], given.count == names.count {
    slices = given
  }
  return try zip(names, slices).map { name, slice in
    if slice.isEmpty { return .saved(name) }
    guard let tensor = try into.checkpoint?(name) else { return .missing }
    let whole = into.addConstant(name, tensor)
    let part = try partition(slice, of: tensor.shape, call)
    return .tensor(try into.step(call, "part", part, [whole]))
  }
}

/// The part of a variable that text such as `10 4 0,5:-` names: extents, then start and length of each
/// axis.
private func partition(_ text: String, of shape: Shape, _ call: TFCall) throws -> Slice {
  let fault = call.unsupported("the part '\(text)' of \(shape)")
  let ranges = (text.split(separator: " ").last ?? "").split(separator: ":")
  guard ranges.count == shape.rank else { throw fault }
  var slice = Slice(begin: [], sizes: [])
  for (axis, range) in ranges.enumerated() {
    let numbers = range.split(separator: ",").compactMap { Int($0) }
    guard range == "-" || numbers.count == 2 else { throw fault }
    slice.begin.append(range == "-" ? 0 : numbers[0])
    slice.sizes.append(range == "-" ? shape[axis] : numbers[1])
    slice.steps.append(1)
  }
  return slice
}

extension TensorFlowImporter {
  /// The value of the variable whose handle an input is; a value of TensorFlow 1 is itself.
  mutating func variable(_ call: TFCall, _ index: Int) throws -> ValueID {
    guard call.inputs.indices.contains(index) else { throw call.missingInput(index) }
    guard case .variable(let name) = call.inputs[index] else { return try tensor(call, index) }
    return try variable(named: name)
  }

  /// The value of a variable, as the checkpoint has it.
  mutating func variable(named name: String) throws -> ValueID {
    if let known = variableIDs[name] { return known }
    let value = try variables[name] ?? checkpoint?(savedNames[name] ?? name)
    guard let value else {
      throw Diagnostic(
        "TFG012",
        "variable '\(name)' has no value",
        remedy: "give a checkpoint, or freeze the graph"
      )
    }
    let id = addConstant(name, value)
    variableIDs[name] = id
    return id
  }
}
