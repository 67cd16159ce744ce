import AssayBase
import AssayGraph
import AssayTensor

let tileReaders: [String: TFReader] = [
  "Tile": { call, into in
    let repeats = try into.integers(call, 1)
    let x = try into.tensor(call, 0)
    if repeats.allSatisfy({ $0 == 1 }) { return [.tensor(x)] }
    return try into.emit(call, Tile(repeats), [x])
  },
  "BroadcastTo": { call, into in
    let dims = try into.integers(call, 1)
    let x = try into.tensor(call, 0)
    if into.graph[x].type.shape.dims == dims { return [.tensor(x)] }
    return try into.emit(call, BroadcastTo(dims), [x])
  },
]

// MARK: - Export

extension Tile: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    [
      file.add(
        "Tile",
        node.name,
        [file.input(node, 0), file.integers(repeats)],
        ["T": node.type, "Tmultiples": .type(.int32)]
      )
    ]
  }
}

extension BroadcastTo: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    [
      file.add(
        "BroadcastTo",
        node.name,
        [file.input(node, 0), file.integers(shape)],
        ["T": node.type, "Tidx": .type(.int32)]
      )
    ]
  }
}
