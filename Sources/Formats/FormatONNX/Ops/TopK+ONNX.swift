import AssayFormat
import AssayGraph
import AssayTensor

extension TopK: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    let inputs = [file.real(node, 0), file.constant(ints: [count])]
    let attributes: [ONNXAttribute] = [
      .int("axis", node.input(0).shape.normalized(axis: axis) ?? 0),
      .int("largest", takesLargest ? 1 : 0), .int("sorted", 1),
    ]
    var values = file.define(node)
    let positions = file.define(node, output: 1)
    let made = dtype == .int64 ? positions : file.unique("\(positions)/int64")
    let name = values
    if node.isQuantized { values = file.unique("\(values)/real") }
    file.add("TopK", inputs, to: [values, made], attributes)
    if dtype != .int64 {
      file.add("Cast", [made], to: [positions], [.int("to", Int(dtype.onnx))])
    }
    if node.isQuantized { file.quantize(values, to: node.outputs[0], name: name) }
  }
}

// MARK: - Import

let topKReaders: [String: ONNXReader] = [
  "TopK": { call, into in
    let x = try into.plain(call.input(0))
    let shape = into.shape(x)
    let axis = try into.axis(call, shape, default: -1)
    let count =
      call.opset < 10
      ? call.int("k", default: 0) : try into.integers(call.input(1), call).first ?? 0
    let op = TopK(count, axis: axis, takesLargest: call.int("largest", default: 1) != 0)
    let values = try into.addNode(
      into.nodeName(call),
      op,
      [x],
      [into.valueName("\(call.output)/best"), into.valueName("\(call.output)/positions")]
    )
    into.conclude(call, values[0])
    into.conclude(call, values[1], output: 1)
  }
]
