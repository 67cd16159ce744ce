import AssayBase
import AssayGraph
import AssayTensor

extension DepthwiseConv2D: KerasExportable {
  func write(_ node: KerasNode, to model: inout KerasExporter) throws {
    let filter = node.shape(1)
    let channels = node.shape(0)[3]
    let window = KerasExportWindow(
      size: Size2D(filter[1], filter[2]),
      strides: strides,
      dilations: dilations
    )
    let kernel = try model.weight(node, 1)
    guard strides.height == strides.width else {
      // Keras's depthwise layer takes one step in both directions; a convolution in groups does not.
      let grouped = try kernel.reshapedWeight([filter[1], filter[2], 1, filter[3]])
      try model.convolution(node, grouped, groups: channels, window, padding, activation)
      return
    }
    guard strides == .one || dilations == .one else {
      throw Diagnostic("KER110", "Keras's layer cannot step and dilate at once")
    }
    let multiplier = filter[3] / max(channels, 1)
    let (image, name) = try model.padded(node, window, padding)
    let (fused, rest) = model.fused(activation)
    var weights = [
      (
        name: model.container == .archive ? "kernel" : "depthwise_kernel",
        tensor: try kernel.reshapedWeight([filter[1], filter[2], channels, multiplier])
      )
    ]
    if node.has(2) { weights.append(("bias", try model.weight(node, 2).flattened)) }
    let result = model.add(
      "DepthwiseConv2D",
      [image],
      [("depth_multiplier", JSON(multiplier))] + window.config(name) + [
        ("data_format", "channels_last"), ("activation", fused), ("use_bias", .bool(node.has(2))),
      ],
      weights: weights,
      output: node.outputs[0],
      for: node
    )
    model.finish(node, result, activation: rest)
  }
}
