import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

extension Gather: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    var indices = file.stored(node, 1)
    if ![.int32, .int64].contains(node.input(1).dtype) {
      indices = file.add("Cast", [indices], [.int("to", Int(DType.int64.onnx))], for: node)
    }
    let axis = node.input(0).shape.normalized(axis: axis) ?? 0
    file.finish(node, "Gather", [file.real(node, 0), indices], [.int("axis", axis)])
  }
}

// MARK: - Import

let gatherReaders: [String: ONNXReader] = ["Gather": readGather]

private func readGather(_ call: OperatorCall, _ into: inout GraphImporter) throws {
  let shape = try into.type(call.input(0)).shape
  guard let axis = shape.normalized(axis: call.int("axis", default: 0)) else {
    throw call.unsupported("axis \(call.int("axis", default: 0)) of \(shape)")
  }
  let extent = shape[axis]
  guard let constant = into.constant(call.input(1)), constant.dtype.isInteger else {
    let ids = [try into.plain(call.input(0)), try into.plain(call.input(1))]
    try into.define(call, Gather(axis: axis), ids)
    return
  }
  let indices = constant.integers().map {
    $0 < 0 ? $0.addingReportingOverflow(extent).partialValue : $0
  }
  guard indices.allSatisfy({ (0..<extent).contains($0) }) else {
    throw call.unsupported("an index outside \(shape)")
  }
  if let tensor = into.constant(call.input(0)), tensor.dtype == .int64, shape.rank == 1 {
    let values = tensor.elements(as: Int64.self)
    let picked = indices.map { values[$0] }
    into.defineConstant(call, Tensor(picked, constant.shape, dtype: .int64))
    return
  }
  if indices == constant.integers() {
    let ids = [try into.plain(call.input(0)), try into.plain(call.input(1))]
    try into.define(call, Gather(axis: axis), ids)
    return
  }
  let name = into.valueName("\(call.input(1))/counted")
  let counted = into.addConstant(
    name,
    Tensor(indices.map { Int32(clamping: $0) }, constant.shape)
  )
  try into.define(call, Gather(axis: axis), [try into.plain(call.input(0)), counted])
}
