import AssayBase
import AssayGraph
import AssayTensor

extension Conv2D: KerasExportable {
  func write(_ node: KerasNode, to model: inout KerasExporter) throws {
    let filter = node.shape(1)
    let groups = node.shape(0)[3] / max(filter[3], 1)
    let window = KerasExportWindow(
      size: Size2D(filter[1], filter[2]),
      strides: strides,
      dilations: dilations
    )
    // The graph: output first; Keras: [height, width, input channels of a group, output channels].
    let kernel = try model.weight(node, 1).permutedWeight([1, 2, 3, 0])
    try model.convolution(node, kernel, groups: groups, window, padding, activation)
  }
}

/// The window of a layer that is being written.
struct KerasExportWindow {
  var size: Size2D
  var strides: Size2D
  var dilations: Size2D = .one

  /// Its attributes.
  func config(_ padding: JSON) -> [(name: String, value: JSON)] {
    [
      ("kernel_size", pair(size)), ("strides", pair(strides)), ("padding", padding),
      ("dilation_rate", pair(dilations)),
    ]
  }

  /// The border before and after each axis.
  func border(_ padding: Padding, image: Shape) -> [(before: Int, after: Int)] {
    let height = padding.amounts(
      extent: image[1],
      window: size.height,
      stride: strides.height,
      dilation: dilations.height,
      isHeight: true
    )
    let width = padding.amounts(
      extent: image[2],
      window: size.width,
      stride: strides.width,
      dilation: dilations.width,
      isHeight: false
    )
    return [height, width]
  }

  /// Keras's name of a padding; `nil` when zeros must be added before.
  func name(_ padding: Padding, image: Shape) -> JSON? {
    func isEqual(_ other: Padding) -> Bool {
      zip(border(padding, image: image), border(other, image: image)).allSatisfy { $0 == $1 }
    }
    if isEqual(.valid) { return "valid" }
    return isEqual(.same) ? "same" : nil
  }
}

/// Two extents as Keras has them.
func pair(_ size: Size2D) -> JSON { [JSON(size.height), JSON(size.width)] }

extension KerasExporter {
  /// An image with zeros around it, where the layer that follows cannot add them.
  mutating func padded(
    _ node: KerasNode,
    _ window: KerasExportWindow,
    _ padding: Padding
  ) throws -> (image: KerasResult, padding: JSON) {
    let image = try input(node)
    let shape = node.shape(0)
    if let name = window.name(padding, image: shape) { return (image, name) }
    let border = window.border(padding, image: shape)
    let padded = add(
      "ZeroPadding2D",
      [image],
      [("padding", .array(border.map { [JSON($0.before), JSON($0.after)] }))],
      output: TensorType(
        .float32,
        [
          shape[0], shape[1] + border[0].before + border[0].after,
          shape[2] + border[1].before + border[1].after, shape[3],
        ]
      ),
      for: node
    )
    return (padded, "valid")
  }

  /// A convolution with a kernel as Keras has it.
  mutating func convolution(
    _ node: KerasNode,
    _ kernel: Tensor,
    groups: Int,
    _ window: KerasExportWindow,
    _ padding: Padding,
    _ activation: Activation
  ) throws {
    guard window.strides == .one || window.dilations == .one else {
      throw Diagnostic("KER110", "Keras's layer cannot step and dilate at once")
    }
    let (image, name) = try padded(node, window, padding)
    let (fused, rest) = self.fused(activation)
    var weights = [(name: "kernel", tensor: kernel)]
    if node.has(2) { weights.append(("bias", try weight(node, 2).flattened)) }
    let result = add(
      "Conv2D",
      [image],
      [("filters", JSON(kernel.shape[-1]))] + window.config(name) + [
        ("data_format", "channels_last"), ("groups", JSON(groups)), ("activation", fused),
        ("use_bias", .bool(node.has(2))),
      ],
      weights: weights,
      output: node.outputs[0],
      for: node
    )
    finish(node, result, activation: rest)
  }
}

extension Tensor {
  /// The same elements in one row.
  var flattened: Tensor { reshaped([count]) }
}
