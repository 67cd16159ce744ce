import AssayBase
import AssayGraph
import AssayTensor

extension TransposeConv2D: KerasExportable {
  func write(_ node: KerasNode, to model: inout KerasExporter) throws {
    let (image, filter) = (node.shape(0), node.shape(1))
    let window = KerasExportWindow(size: Size2D(filter[1], filter[2]), strides: strides)
    // The border is that of the forward convolution, whose image is this one's output.
    let forward: Shape = [image[0], outputSize.height, outputSize.width, filter[0]]
    let border = window.border(padding, image: forward)
    let isSame =
      padding == .same && outputSize.height == image[1] * strides.height
      && outputSize.width == image[2] * strides.width
    // Without a border the layer makes this much, of which the border is cut off.
    let full = [
      image[1] * strides.height + max(filter[1] - strides.height, 0),
      image[2] * strides.width + max(filter[2] - strides.width, 0),
    ]
    let rest = [
      full[0] - border[0].before - outputSize.height, full[1] - border[1].before - outputSize.width,
    ]
    guard isSame || rest.allSatisfy({ $0 >= 0 }) else {
      throw Diagnostic("KER111", "Keras's layer cannot make an output of \(outputSize.text)")
    }
    let (fused, after) = model.fused(activation)
    var weights = [
      // The graph: [output, height, width, input]; Keras: [height, width, output, input].
      (name: "kernel", tensor: try model.weight(node, 1).permutedWeight([1, 2, 0, 3]))
    ]
    if node.has(2) { weights.append(("bias", try model.weight(node, 2).flattened)) }
    var result = model.add(
      "Conv2DTranspose",
      [try model.input(node)],
      [("filters", JSON(filter[0]))] + window.config(isSame ? "same" : "valid") + [
        ("data_format", "channels_last"), ("activation", fused), ("use_bias", .bool(node.has(2))),
      ],
      weights: weights,
      output: isSame
        ? node.outputs[0] : TensorType(.float32, [image[0], full[0], full[1], filter[0]]),
      for: node
    )
    if !isSame, full != [outputSize.height, outputSize.width] {
      result = model.add(
        "Cropping2D",
        [result],
        [
          (
            "cropping",
            [[JSON(border[0].before), JSON(rest[0])], [JSON(border[1].before), JSON(rest[1])]]
          )
        ],
        output: node.outputs[0],
        for: node
      )
    }
    model.finish(node, result, activation: after)
  }
}
