import AssayFormat
import AssayGraph
import AssayTensor

extension Concat: OpenVINOExportable {
  var keepsQuantizedElements: Bool { true }

  func write(_ node: NodeView, to file: inout IRExporter) throws {
    let inputs = node.inputs.indices.map { file.real(node, $0) }
    let axis = file.axis(axis, node)
    file.finish(node, file.result("Concat", inputs, [("axis", "\(axis)")], for: node))
  }
}
