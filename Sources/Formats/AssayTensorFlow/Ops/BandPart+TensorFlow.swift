import AssayBase
import AssayGraph
import AssayTensor

let bandPartReaders: [String: TFReader] = [
  "MatrixBandPart": { call, into in
    // Negative numbers keep the whole triangle.
    let (below, above) = (try into.integer(call, 1), try into.integer(call, 2))
    let op = BandPart(lowest: below < 0 ? nil : -below, highest: above < 0 ? nil : above)
    return try into.emit(call, op, [try into.tensor(call, 0)])
  }
]

// MARK: - Export

extension BandPart: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    let (below, above) = (lowest.map { -$0 }, highest)
    guard (below ?? 0) >= 0, (above ?? 0) >= 0 else {
      throw node.unsupported("a band beside the diagonal")
    }
    return [
      file.add(
        "MatrixBandPart",
        node.name,
        [
          file.input(node, 0), file.integers([below ?? -1], [], .int64),
          file.integers([above ?? -1], [], .int64),
        ],
        ["T": node.type, "Tindex": .type(.int64)]
      )
    ]
  }
}
