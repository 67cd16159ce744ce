import AssayBase
import AssayGraph
import AssayTensor

let gatherNDReaders: [String: TFReader] = [
  "GatherNd": { call, into in
    try into.emit(call, GatherND(), [try into.tensor(call, 0), try into.tensor(call, 1)])
  },
  "ResourceGatherNd": { call, into in
    try into.emit(call, GatherND(), [try into.variable(call, 0), try into.tensor(call, 1)])
  },
]

// MARK: - Export

extension GatherND: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    guard batchAxes == 0 else { throw node.unsupported("batch axes") }
    return [
      file.add(
        "GatherNd",
        node.name,
        [file.input(node, 0), file.indices(node, 1)],
        ["Tparams": node.type, "Tindices": .type(file.indexType(node, 1))]
      )
    ]
  }
}
