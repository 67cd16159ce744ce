import AssayFormat
import AssayGraph
import AssayTensor

extension Softmax: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    var x = file.real(node, 0)
    if beta != 1 { x = file.add("Mul", [x, file.constant(beta)], for: node) }
    file.finish(node, "Softmax", [x], [.int("axis", file.axis(axis, node))])
  }
}

extension LogSoftmax: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    let attributes = [ONNXAttribute.int("axis", file.axis(axis, node))]
    file.finish(node, "LogSoftmax", [file.real(node, 0)], attributes)
  }
}

// MARK: - Import

let softmaxReaders: [String: ONNXReader] = [
  "Softmax": readSoftmax,
  "LogSoftmax": readSoftmax,
]

/// Softmax: over one axis since operator set 13, before over all axes from one on.
private func readSoftmax(_ call: OperatorCall, _ into: inout GraphImporter) throws {
  let isLogarithm = call.node.opType == "LogSoftmax"
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
    let result = try into.step(call, "softmax", isLogarithm ? LogSoftmax() : Softmax(), [flat])
    try into.define(call, Reshape(shape.dims), [result])
    return
  }
  if shape.rank == 4, let image = into.knownImage(call.input(0)) {
    let op: any Operator =
      isLogarithm ? LogSoftmax(axis: imageAxis(axis)) : Softmax(axis: imageAxis(axis))
    try into.defineImage(call, op, [image])
    return
  }
  let op: any Operator = isLogarithm ? LogSoftmax(axis: axis) : Softmax(axis: axis)
  try into.define(call, op, [try into.plain(call.input(0))])
}
