import AssayFormat
import AssayGraph
import AssayTensor

extension Reshape: OpenVINOExportable {
  var keepsQuantizedElements: Bool { true }

  func write(_ node: NodeView, to file: inout IRExporter) throws {
    file.finish(node, file.reshaped(file.real(node, 0), file.outputDims(node)))
  }
}
