import AssayFormat
import AssayGraph
import AssayTensor

extension Softmax: OpenVINOExportable {
  func write(_ node: NodeView, to file: inout IRExporter) throws {
    var x = file.real(node, 0)
    if beta != 1 { x = file.add("Multiply", [x, file.constant(beta)], for: node) }
    let axis = file.axis(axis, node)
    file.finish(node, file.result("SoftMax", [x], [("axis", "\(axis)")], for: node))
  }
}

extension LogSoftmax: OpenVINOExportable {
  func write(_ node: NodeView, to file: inout IRExporter) throws {
    let axis = file.axis(axis, node)
    let result = file.result(
      "LogSoftmax",
      set: 5,
      [file.real(node, 0)],
      [("axis", "\(axis)")],
      for: node
    )
    file.finish(node, result)
  }
}
