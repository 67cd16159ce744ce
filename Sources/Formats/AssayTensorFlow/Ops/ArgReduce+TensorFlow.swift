import AssayBase
import AssayGraph
import AssayTensor

let argReduceReaders: [String: TFReader] = [
  "ArgMax": { try readArgReduce($0, &$1, .max) },
  "ArgMin": { try readArgReduce($0, &$1, .min) },
]

private func readArgReduce(
  _ call: TFCall,
  _ into: inout TensorFlowImporter,
  _ kind: ArgReduce.Kind
) throws -> [TFValue] {
  let op = ArgReduce(
    kind,
    axis: try into.integer(call, 1),
    dtype: call.dtype("output_type") ?? .int64
  )
  return try into.emit(call, op, [try into.tensor(call, 0)])
}

// MARK: - Export

extension ArgReduce: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    guard !selectsLast else { throw node.unsupported("the last of equal elements") }
    let attributes: [String: TFAttribute] = [
      "T": node.type(0), "Tidx": .type(.int32), "output_type": node.type,
    ]
    let name = kind == .max ? "ArgMax" : "ArgMin"
    let inputs = [file.input(node, 0), file.integers([axis], [])]
    guard keepsAxis else { return [file.add(name, node.name, inputs, attributes)] }
    let positions = file.step(node, "positions", name, inputs, attributes)
    return [
      file.add(
        "Reshape",
        node.name,
        [positions, file.integers(node.outputs[0].shape.dims)],
        ["T": node.type, "Tshape": .type(.int32)]
      )
    ]
  }
}
