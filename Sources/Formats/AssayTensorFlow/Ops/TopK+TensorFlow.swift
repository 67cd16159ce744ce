import AssayBase
import AssayGraph
import AssayTensor

let topKReaders: [String: TFReader] = [
  "TopKV2": { call, into in
    try readTopK(call, &into, try into.integer(call, 1))
  },
  "TopK": { call, into in try readTopK(call, &into, call.int("k")) },
]

private func readTopK(
  _ call: TFCall,
  _ into: inout TensorFlowImporter,
  _ count: Int
) throws -> [TFValue] {
  let op = TopK(count, dtype: call.dtype("index_type") ?? .int32)
  return try into.emit(call, op, [try into.tensor(call, 0)])
}

// MARK: - Export

extension TopK: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    let rank = node.input(0).shape.rank
    guard takesLargest, axis == -1 || axis == rank - 1 else {
      throw node.unsupported("another axis than the last, or the least elements")
    }
    let name = file.add(
      "TopKV2",
      node.name,
      [file.input(node, 0), file.integers([count], [])],
      ["T": node.type, "sorted": .bool(true)]
    )
    guard dtype != .int32 else { return ["\(name)", "\(name):1"] }
    let wide = file.step(
      node,
      "positions",
      "Cast",
      ["\(name):1"],
      ["SrcT": .type(.int32), "DstT": .type(TFDataType(dtype))]
    )
    return [name, wide]
  }
}
