import AssayBase
import AssayGraph
import AssayTensor

let gatherReaders: [String: TFReader] = [
  "Gather": { call, into in
    try into.emit(call, AssayGraph.Gather(axis: 0), Array(try into.tensors(call).prefix(2)))
  },
  "GatherV2": readGather,
  "ResourceGather": readResourceGather,
]

private func readGather(_ call: TFCall, _ into: inout TensorFlowImporter) throws -> [TFValue] {
  guard call.int("batch_dims") == 0 else {
    throw call.unsupported("batch_dims \(call.int("batch_dims"))")
  }
  let ids = Array(try into.tensors(call).prefix(2))
  return try into.emit(call, AssayGraph.Gather(axis: try into.integer(call, 2)), ids)
}

/// ResourceGather: rows of a variable.
private func readResourceGather(
  _ call: TFCall,
  _ into: inout TensorFlowImporter
) throws -> [TFValue] {
  guard call.int("batch_dims") == 0 else {
    throw call.unsupported("batch_dims \(call.int("batch_dims"))")
  }
  let rows = try into.variable(call, 0)
  return try into.emit(call, AssayGraph.Gather(axis: 0), [rows, try into.tensor(call, 1)])
}
