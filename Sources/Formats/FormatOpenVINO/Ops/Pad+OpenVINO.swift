import AssayFormat
import AssayGraph
import AssayTensor

extension Pad: OpenVINOExportable {
  var keepsQuantizedElements: Bool { mode != .constant || value == 0 }

  func write(_ node: NodeView, to file: inout IRExporter) throws {
    let layout = file.inputLayout(node)
    let x = file.real(node, 0)
    var inputs = [
      x, file.constant(ints: layout.arrange(before)), file.constant(ints: layout.arrange(after)),
    ]
    if mode == .constant { inputs.append(file.constant(value, file.type(of: x).dtype)) }
    let result = file.result("Pad", inputs, [("pad_mode", mode.rawValue)], for: node)
    file.finish(node, result)
  }
}
