import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

extension Quantize: OpenVINOExportable {
  func write(_ node: NodeView, to file: inout IRExporter) throws {
    // Quantized values are floats of the right values in the file; `finish` rounds them.
    file.finish(node, file.real(node, 0))
  }
}

extension Dequantize: OpenVINOExportable {
  func write(_ node: NodeView, to file: inout IRExporter) throws {
    let type = node.input(0)
    guard type.isQuantizedInteger || type.dtype.isFloat else {
      throw Diagnostic("OVI113", "\(type) has no quantization to undo")
    }
    file.finish(node, file.converted(file.real(node, 0), to: .float32))
  }
}

extension Cast: OpenVINOExportable {
  func write(_ node: NodeView, to file: inout IRExporter) throws {
    var source = file.real(node, 0)
    // A cast of quantized integers is one of the integers themselves.
    if node.input(0).isQuantizedInteger { source = file.codes(source, node.input(0)) }
    file.finish(node, file.converted(source, to: dtype))
  }
}
