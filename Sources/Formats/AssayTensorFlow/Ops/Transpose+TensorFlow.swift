import AssayBase
import AssayGraph
import AssayTensor

let transposeReaders: [String: TFReader] = [
  "Transpose": { call, into in
    let x = try into.tensor(call, 0)
    return [.tensor(try into.transposed(call, x, try into.integers(call, 1)))]
  }
]

// MARK: - Export

extension Transpose: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    [
      file.add(
        "Transpose",
        node.name,
        [file.input(node, 0), file.integers(permutation)],
        ["T": node.type, "Tperm": .type(.int32)]
      )
    ]
  }
}
