import AssayFormat
import AssayGraph
import AssayTensor

extension Softmax: ONNXExportable {
  func layoutRule(_ node: NodeView) -> LayoutRule {
    // Kernels are written for the last axis.
    var rule = LayoutRule.agnostic
    if node.input(0).shape.normalized(axis: axis) == 3 { rule.preference = .channelsLast }
    return rule
  }

  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    var x = file.real(node, 0)
    if beta != 1 { x = file.add("Mul", [x, file.constant(beta)], for: node) }
    file.finish(node, "Softmax", [x], [.int("axis", file.axis(axis, node))])
  }
}

// MARK: - Import

let softmaxReaders: [String: ONNXReader] = [
  "Softmax": readSoftmax,
  "LogSoftmax": { call, into in
    var node = call.node
    node.outputs = [into.valueName("\(call.output)/softmax")]
    into.open(node.outputs[0])
    try readSoftmax(OperatorCall(node: node, opset: call.opset), &into)
    try into.define(call, Unary(.log), [try into.plain(node.outputs[0])])
  },
]

/// Softmax: over one axis since operator set 13, before over all axes from one on.
private func readSoftmax(_ call: OperatorCall, _ into: inout GraphImporter) throws {
  let shape = try into.type(call.input(0)).shape
  let given = call.int("axis", default: call.opset >= 13 ? -1 : 1)
  guard let axis = shape.normalized(axis: given) else {
    throw call.unsupported("axis \(given) of \(shape)")
  }
  if call.opset < 13, shape.dims.dropFirst(axis + 1).contains(where: { $0 != 1 }) {
    let rows = [
      Shape(Array(shape.dims.prefix(axis))).count, Shape(Array(shape.dims.dropFirst(axis))).count,
    ]
    let source = try into.plain(call.input(0))
    let flat = try into.step(call, "rows", Reshape(rows), [source])
    let result = try into.step(call, "softmax", Softmax(), [flat])
    try into.define(call, Reshape(shape.dims), [result])
    return
  }
  if shape.rank == 4, let image = into.knownImage(call.input(0)) {
    try into.defineImage(call, Softmax(axis: imageAxis(axis)), [image])
    return
  }
  try into.define(call, Softmax(axis: axis), [try into.plain(call.input(0))])
}
