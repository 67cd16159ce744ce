import AssayFormat
import AssayGraph
import AssayTensor

extension GraphExporter {
  /// Integers as int64, which ONNX's gathers and scatters of coordinates take.
  mutating func coordinates(_ node: NodeView, _ index: Int) -> String {
    let indices = stored(node, index)
    if node.input(index).dtype == .int64 { return indices }
    return add("Cast", [indices], [.int("to", Int(DType.int64.onnx))], for: node)
  }
}

extension GatherND: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    let inputs = [file.real(node, 0), file.coordinates(node, 1)]
    file.finish(node, "GatherND", inputs, [.int("batch_dims", batchAxes)])
  }
}

extension GatherElements: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    let axis = node.input(0).shape.normalized(axis: axis) ?? 0
    let inputs = [file.real(node, 0), file.coordinates(node, 1)]
    file.finish(node, "GatherElements", inputs, [.int("axis", axis)])
  }
}

// MARK: - Import

let gatherNDReaders: [String: ONNXReader] = [
  "GatherND": { call, into in
    let ids = [try into.plain(call.input(0)), try into.plain(call.input(1))]
    try into.define(call, GatherND(batchAxes: call.int("batch_dims", default: 0)), ids)
  },
  "GatherElements": { call, into in
    let ids = [try into.plain(call.input(0)), try into.plain(call.input(1))]
    let axis = try into.axis(call, into.shape(ids[0]), default: 0)
    try into.define(call, GatherElements(axis: axis), ids)
  },
]
