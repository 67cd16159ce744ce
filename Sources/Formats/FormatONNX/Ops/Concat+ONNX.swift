import AssayFormat
import AssayGraph
import AssayTensor

extension Concat: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    let inputs = node.inputs.indices.map { file.real(node, $0) }
    file.finish(node, "Concat", inputs, [.int("axis", file.axis(axis, node))])
  }
}

extension GraphExporter {
  /// Where an axis of input 0 lies in the node's layout.
  func axis(_ axis: Int, _ view: NodeView) -> Int {
    let normalized = view.input(0).shape.normalized(axis: axis) ?? 0
    return inputLayout(view).position(ofAxis: normalized)
  }
}

// MARK: - Import

let concatReaders: [String: ONNXReader] = ["Concat": readConcat]

private func readConcat(_ call: OperatorCall, _ into: inout GraphImporter) throws {
  let shape = try into.type(call.input(0)).shape
  guard let axis = shape.normalized(axis: call.int("axis", default: 1)) else {
    throw call.unsupported("axis \(call.int("axis", default: 1)) of \(shape)")
  }
  let constants = call.node.inputs.compactMap { into.constant($0) }
  if constants.count == call.node.inputs.count, shape.rank == 1,
    constants.allSatisfy({ $0.dtype == .int64 && $0.count < 64 })
  {
    let values = constants.flatMap { $0.integers().map { Int64($0) } }
    into.defineConstant(call, Tensor(values, [values.count], dtype: .int64))
    return
  }
  if shape.rank == 4, call.node.inputs.contains(where: { into.isImage($0) }) {
    let images = try call.node.inputs.map { try into.image($0) }
    try into.defineImage(call, Concat(axis: imageAxis(axis)), images)
    return
  }
  try into.define(call, Concat(axis: axis), try call.node.inputs.map { try into.plain($0) })
}

/// Where an axis of an NCHW image lies when its channels are last.
func imageAxis(_ axis: Int) -> Int { [0, 3, 1, 2][axis] }
