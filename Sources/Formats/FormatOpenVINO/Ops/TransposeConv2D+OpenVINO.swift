import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor

extension TransposeConv2D: OpenVINOExportable {
  func write(_ node: NodeView, to file: inout IRExporter) throws {
    let (image, filter) = (node.input(0).shape, node.input(1).shape)
    let window = IRWindow(
      kernel: Size2D(filter[1], filter[2]),
      strides: strides,
      dilations: .one,
      padding: padding
    )
    // The border is that of the forward convolution, whose image is this one's output.
    let forward: Shape = [image[0], outputSize.height, outputSize.width, filter[0]]
    let (top, bottom) = amounts(forward[1], window.kernel.height, strides.height, true)
    let (left, right) = amounts(forward[2], window.kernel.width, strides.width, false)
    // What OpenVINO's own formula for the output leaves to be added at the end.
    let extra = [
      outputSize.height - (image[1] - 1) * strides.height - filter[1] + top + bottom,
      outputSize.width - (image[2] - 1) * strides.width - filter[2] + left + right,
    ]
    guard extra.allSatisfy({ $0 >= 0 }) else {
      throw Diagnostic("OVI110", "an output of \(outputSize.text) cannot be written")
    }
    let sums = file.result(
      "ConvolutionBackpropData",
      [file.real(node, 0), file.filter(node, 1, permutation: [3, 0, 1, 2])],
      window.convolution(image: forward) + [("output_padding", ir(extra))],
      for: node
    )
    file.finish(node, file.biased(sums, node, 2, axis: 1), activation: activation)
  }

  private func amounts(
    _ extent: Int,
    _ window: Int,
    _ stride: Int,
    _ isHeight: Bool
  ) -> (before: Int, after: Int) {
    padding.amounts(
      extent: extent,
      window: window,
      stride: stride,
      dilation: 1,
      isHeight: isHeight
    )
  }
}
