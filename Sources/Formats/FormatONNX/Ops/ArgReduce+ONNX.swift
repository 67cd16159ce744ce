import AssayFormat
import AssayGraph
import AssayTensor

extension ArgReduce: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    let attributes: [ONNXAttribute] = [
      .int("axis", node.input(0).shape.normalized(axis: axis) ?? 0),
      .int("keepdims", keepsAxis ? 1 : 0), .int("select_last_index", selectsLast ? 1 : 0),
    ]
    let opType = kind == .max ? "ArgMax" : "ArgMin"
    let input = file.real(node, 0)
    guard dtype != .int64 else {
      file.finish(node, opType, [input], attributes)
      return
    }
    let positions = file.add(opType, [input], attributes, for: node)
    file.finish(node, "Cast", [positions], [.int("to", Int(dtype.onnx))])
  }
}

// MARK: - Import

let argReduceReaders: [String: ONNXReader] = [
  "ArgMax": { try readArgReduce($0, &$1, .max) }, "ArgMin": { try readArgReduce($0, &$1, .min) },
  "Hardmax": { call, into in
    // One where the first greatest element stands.
    let x = try into.plain(call.input(0))
    let shape = into.shape(x)
    let axis = try into.axis(call, shape, default: call.opset >= 13 ? -1 : 1)
    guard call.opset >= 13 || axis == shape.rank - 1 else { throw call.unsupported("axis \(axis)") }
    let best = try into.step(call, "best", ArgReduce(.max, axis: axis), [x])
    let dtype = into.dtype(x)
    let (on, off) = (into.scalar(1, dtype), into.scalar(0, dtype))
    try into.define(call, OneHot(depth: shape[axis], axis: axis), [best, on, off])
  },
]

private func readArgReduce(
  _ call: OperatorCall,
  _ into: inout GraphImporter,
  _ kind: ArgReduce.Kind
) throws {
  let x = try into.plain(call.input(0))
  let op = ArgReduce(
    kind,
    axis: try into.axis(call, into.shape(x), default: 0),
    keepsAxis: call.int("keepdims", default: 1) != 0,
    selectsLast: call.int("select_last_index", default: 0) != 0
  )
  try into.define(call, op, [x])
}
