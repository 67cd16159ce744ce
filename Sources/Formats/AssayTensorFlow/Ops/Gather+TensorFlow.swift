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
  let ids = Array(try into.tensors(call).prefix(2))
  let axis = try into.integer(call, 2)
  let batchAxes = call.int("batch_dims")
  if batchAxes == 0 { return try into.emit(call, AssayGraph.Gather(axis: axis), ids) }
  // Each entry of the batch has rows of its own.
  let shape = into.graph[ids[0]].type.shape
  guard shape.normalized(axis: axis) == batchAxes else {
    throw call.unsupported("batch_dims \(batchAxes) along axis \(axis)")
  }
  let dims = into.graph[ids[1]].type.shape.dims + [1]
  let places = try into.reshaped(call, ids[1], to: dims, as: "places")
  return try into.emit(call, GatherND(batchAxes: batchAxes), [ids[0], places])
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

// MARK: - Export

extension AssayGraph.Gather: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    [
      file.add(
        "GatherV2",
        node.name,
        [file.input(node, 0), file.indices(node, 1), file.integers([axis], [])],
        ["Tparams": node.type, "Tindices": .type(file.indexType(node, 1)), "Taxis": .type(.int32)]
      )
    ]
  }
}

extension TensorFlowExporter {
  /// Integers of the two types that TensorFlow takes as positions.
  mutating func indices(_ node: TFNodeView, _ index: Int) -> String {
    let value = input(node, index)
    guard ![.int32, .int64].contains(node.input(index).dtype) else { return value }
    return step(
      node,
      "indices",
      "Cast",
      [value],
      ["SrcT": node.type(index), "DstT": .type(.int64)]
    )
  }

  /// The type of what `indices` gives.
  func indexType(_ node: TFNodeView, _ index: Int) -> TFDataType {
    node.input(index).dtype == .int32 ? .int32 : .int64
  }
}
