import AssayFormat
import AssayGraph
import AssayTensor

extension Conv2D: OpenVINOExportable {
  func write(_ node: NodeView, to file: inout IRExporter) throws {
    let filter = node.input(1).shape
    let groups = node.input(0).shape[3] / max(filter[3], 1)
    let window = IRWindow(
      kernel: Size2D(filter[1], filter[2]),
      strides: strides,
      dilations: dilations,
      padding: padding
    )
    let x = file.real(node, 0)
    let attributes = window.convolution(image: node.input(0).shape)
    let sums: IRValue
    if groups == 1 {
      let weights = file.filter(node, 1, permutation: [0, 3, 1, 2])
      sums = file.result("Convolution", [x, weights], attributes, for: node)
    } else {
      let shape = [groups, filter[0] / groups, filter[3], filter[1], filter[2]]
      let weights = file.filter(node, 1, permutation: [0, 3, 1, 2], shape: shape)
      sums = file.result("GroupConvolution", [x, weights], attributes, for: node)
    }
    file.finish(node, file.biased(sums, node, 2, axis: 1), activation: activation)
  }
}

/// The attributes that OpenVINO's window operations share.
struct IRWindow {
  var kernel: Size2D
  var strides: Size2D
  var dilations: Size2D
  var padding: Padding

  /// Borders as attributes.
  func borders(image: Shape) -> [(name: String, value: String)] {
    let (top, bottom) = padding.amounts(
      extent: image[1],
      window: kernel.height,
      stride: strides.height,
      dilation: dilations.height,
      isHeight: true
    )
    let (left, right) = padding.amounts(
      extent: image[2],
      window: kernel.width,
      stride: strides.width,
      dilation: dilations.width,
      isHeight: false
    )
    return [
      ("strides", ir([strides.height, strides.width])), ("pads_begin", ir([top, left])),
      ("pads_end", ir([bottom, right])), ("auto_pad", "explicit"),
    ]
  }

  /// The attributes of a convolution.
  func convolution(image: Shape) -> [(name: String, value: String)] {
    borders(image: image) + [("dilations", ir([dilations.height, dilations.width]))]
  }
}
