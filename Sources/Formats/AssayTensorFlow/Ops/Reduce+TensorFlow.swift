import AssayBase
import AssayGraph
import AssayTensor

let reduceReaders: [String: TFReader] = [
  "Mean": { try readReduce($0, &$1, .mean) },
  "Sum": { try readReduce($0, &$1, .sum) },
  "Max": { try readReduce($0, &$1, .max) },
  "Min": { try readReduce($0, &$1, .min) },
  "Prod": { try readReduce($0, &$1, .product) },
  "Any": { try readReduce($0, &$1, .any) },
  "All": { try readReduce($0, &$1, .all) },
]

private func readReduce(
  _ call: TFCall,
  _ into: inout TensorFlowImporter,
  _ kind: Reduce.Kind
) throws -> [TFValue] {
  let x = try into.tensor(call, 0)
  let axes = try into.integers(call, 1)
  // No axes: every element stays by itself.
  if axes.isEmpty { return [.tensor(x)] }
  let rank = into.graph[x].type.shape.rank
  let op = Reduce(
    kind,
    axes: axes.map { $0 < 0 ? $0 &+ rank : $0 },
    keepsAxes: call.bool("keep_dims")
  )
  return try into.emit(call, op, [x])
}

// MARK: - Export

extension Reduce: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    let name: String
    switch kind {
    case .mean: name = "Mean"
    case .sum: name = "Sum"
    case .max: name = "Max"
    case .min: name = "Min"
    case .product: name = "Prod"
    case .any: name = "Any"
    case .all: name = "All"
    }
    var attributes: [String: TFAttribute] = [
      "keep_dims": .bool(keepsAxes), "Tidx": .type(.int32),
    ]
    if kind != .any && kind != .all { attributes["T"] = node.type }
    // TensorFlow takes no axes for none.
    if axes.isEmpty {
      return [file.add("Identity", node.name, [file.input(node, 0)], ["T": node.type])]
    }
    let inputs = [file.input(node, 0), file.integers(axes)]
    return [file.add(name, node.name, inputs, attributes)]
  }
}
