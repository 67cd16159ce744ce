import AssayBase
import AssayGraph
import AssayTensor

let nonMaxSuppressionReaders: [String: TFReader] = [
  "NonMaxSuppressionV4": readSuppression,
  "NonMaxSuppressionV5": readSuppression,
]

/// The selections whose outputs have a fixed length; those of older versions depend on the data.
private func readSuppression(
  _ call: TFCall,
  _ into: inout TensorFlowImporter
) throws -> [TFValue] {
  let isNewest = call.node.op == "NonMaxSuppressionV5"
  guard call.bool("pad_to_max_output_size") else {
    throw call.unsupported(
      "a number of boxes that is found while the network runs",
      remedy: "set pad_to_max_output_size"
    )
  }
  let op = NonMaxSuppression(
    count: try into.integer(call, 2),
    overlapThreshold: try into.number(call, 3),
    scoreThreshold: try into.number(call, 4),
    softSigma: isNewest ? try into.number(call, 5) : 0
  )
  let results = try into.emit(call, op, [try into.tensor(call, 0), try into.tensor(call, 1)])
  return isNewest ? results : [results[0], results[2]]
}

// MARK: - Export

extension NonMaxSuppression: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    let dtype = node.input(1).dtype
    let name = file.add(
      "NonMaxSuppressionV5",
      node.name,
      [
        file.input(node, 0), file.input(node, 1), file.integers([count], []),
        file.scalar(overlapThreshold, dtype), file.scalar(scoreThreshold, dtype),
        file.scalar(softSigma, dtype),
      ],
      ["T": node.type(1), "pad_to_max_output_size": .bool(true)]
    )
    return file.outputs(of: name, 3)
  }
}
