import AssayFormat
import AssayGraph
import AssayTensor

extension DepthwiseConv2D: ONNXExportable {
  func write(_ node: NodeView, to file: inout GraphExporter) throws {
    let filter = node.input(1).shape
    let window = ConvolutionWindow(
      kernel: Size2D(filter[1], filter[2]),
      strides: strides,
      dilations: dilations,
      padding: padding,
      groups: node.input(0).shape[3]
    )
    var inputs = [file.real(node, 0), file.filter(node, 1, permutation: [3, 0, 1, 2])]
    if node.has(2) { inputs.append(file.bias(node, 2)) }
    file.finish(
      node,
      "Conv",
      inputs,
      window.attributes(image: node.input(0).shape),
      activation: activation
    )
  }
}
