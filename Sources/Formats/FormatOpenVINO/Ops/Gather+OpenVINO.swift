import AssayFormat
import AssayGraph
import AssayTensor

extension Gather: OpenVINOExportable {
  var keepsQuantizedElements: Bool { true }

  func write(_ node: NodeView, to file: inout IRExporter) throws {
    var indices = file.real(node, 1)
    if ![.int32, .int64].contains(node.input(1).dtype) {
      indices = file.converted(indices, to: .int64)
    }
    let axis = node.input(0).shape.normalized(axis: axis) ?? 0
    let inputs = [file.real(node, 0), indices, file.constant(int: axis)]
    file.finish(node, file.result("Gather", inputs, for: node))
  }
}
