import AssayBase
import AssayGraph
import AssayTensor

let cumulativeSumReaders: [String: TFReader] = [
  "Cumsum": { call, into in
    let op = CumulativeSum(
      axis: try into.integer(call, 1),
      isExclusive: call.bool("exclusive"),
      isReversed: call.bool("reverse")
    )
    return try into.emit(call, op, [try into.tensor(call, 0)])
  }
]

// MARK: - Export

extension CumulativeSum: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    [
      file.add(
        "Cumsum",
        node.name,
        [file.input(node, 0), file.integers([axis], [])],
        [
          "T": node.type, "Tidx": .type(.int32), "exclusive": .bool(isExclusive),
          "reverse": .bool(isReversed),
        ]
      )
    ]
  }
}
