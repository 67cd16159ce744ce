import AssayFormat
import AssayGraph
import AssayTensor

extension Pool2D: OpenVINOExportable {
  var keepsQuantizedElements: Bool { kind == .max && activation == .none }

  func write(_ node: NodeView, to file: inout IRExporter) throws {
    let shape = IRWindow(kernel: window, strides: strides, dilations: .one, padding: padding)
    var attributes = shape.borders(image: node.input(0).shape)
    attributes += [
      ("kernel", ir([window.height, window.width])), ("rounding_type", "floor"),
    ]
    if kind == .average { attributes.append(("exclude-pad", "true")) }
    let type = kind == .max ? "MaxPool" : "AvgPool"
    let result = file.result(type, [file.real(node, 0)], attributes, for: node)
    file.finish(node, result, activation: activation)
  }
}
