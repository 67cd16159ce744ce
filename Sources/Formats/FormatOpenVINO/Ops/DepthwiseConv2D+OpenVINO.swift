import AssayFormat
import AssayGraph
import AssayTensor

extension DepthwiseConv2D: OpenVINOExportable {
  func write(_ node: NodeView, to file: inout IRExporter) throws {
    let filter = node.input(1).shape
    let channels = node.input(0).shape[3]
    let window = IRWindow(
      kernel: Size2D(filter[1], filter[2]),
      strides: strides,
      dilations: dilations,
      padding: padding
    )
    let shape = [channels, filter[3] / max(channels, 1), 1, filter[1], filter[2]]
    let weights = file.filter(node, 1, permutation: [3, 0, 1, 2], shape: shape)
    let sums = file.result(
      "GroupConvolution",
      [file.real(node, 0), weights],
      window.convolution(image: node.input(0).shape),
      for: node
    )
    file.finish(node, file.biased(sums, node, 2, axis: 1), activation: activation)
  }
}
