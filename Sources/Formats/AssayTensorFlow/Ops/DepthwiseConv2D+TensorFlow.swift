import AssayBase
import AssayGraph
import AssayTensor

let depthwiseReaders: [String: TFReader] = [
  "DepthwiseConv2dNative": readDepthwise
]

/// DepthwiseConv2dNative: the filter is `[KH, KW, C, M]`.
private func readDepthwise(_ call: TFCall, _ into: inout TensorFlowImporter) throws -> [TFValue] {
  let image = try into.image(call, 0)
  let filter = try into.filter(call, 1)
  let dims = into.graph[filter].type.shape.dims
  let shape = [1, dims[0], dims[1], dims[2] &* dims[3]]
  let turned = try into.reshaped(call, filter, to: shape, as: "filter")
  let window = try TFWindow(call, image: into.graph[image].type.shape)
  let op = DepthwiseConv2D(
    strides: window.strides,
    dilations: window.dilations,
    padding: window.padding
  )
  return [try into.emitImage(call, op, [image, turned])]
}

// MARK: - Export

extension DepthwiseConv2D: TensorFlowExportable {
  func write(_ node: TFNodeView, to file: inout TensorFlowExporter) throws -> [String] {
    let (image, filter) = (node.input(0).shape, node.input(1).shape)
    let window = ConvolutionWindow(strides: strides, dilations: dilations, padding: padding)
    // TensorFlow's depthwise kernels have one stride and no dilation; its grouped ones have both.
    let isPlain = dilations == .one && strides.height == strides.width
    let channels = isPlain ? [image[3], filter[3] / max(image[3], 1)] : [1, filter[3]]
    let shape = [filter[1], filter[2]] + channels
    return file.finish(
      node,
      isPlain ? "DepthwiseConv2dNative" : "Conv2D",
      image: file.input(node, 0),
      filter: file.weight(node, 1, shape: shape),
      window,
      activation: activation
    )
  }
}
