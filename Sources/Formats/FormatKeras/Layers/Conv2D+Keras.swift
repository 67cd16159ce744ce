import AssayBase
import AssayGraph
import AssayTensor

extension KerasLayerKind {
  /// Conv1D, Conv2D and their separable forms.
  static let convolutions: [String: KerasLayerKind] = {
    let plain: @Sendable (KerasLayer) throws -> KerasWeightNames = { layer in
      KerasWeightNames(trained: try ["kernel"] + layer.biasNames)
    }
    let separable: @Sendable (KerasLayer) throws -> KerasWeightNames = { layer in
      KerasWeightNames(trained: try ["depthwise_kernel", "pointwise_kernel"] + layer.biasNames)
    }
    func check(_ axes: Int) -> @Sendable (KerasLayer) throws -> Void {
      { layer in
        _ = try layer.window(axes: axes)
        try layer.checkActivation()
      }
    }
    let conv1D = KerasLayerKind(weights: plain, check: check(1)) { context, inputs in
      try context.onImage(context.image(inputs, rank: 3)) { context, x in
        let image = try context.widened(x)
        return try context.narrowed(context.convolution(image, axes: 1), thenActivation: true)
      }
    }
    let conv2D = KerasLayerKind(weights: plain, check: check(2)) { context, inputs in
      try context.onImage(context.image(inputs, rank: 4)) { context, x in
        try context.activated(context.convolution(x, axes: 2))
      }
    }
    let separable1D = KerasLayerKind(weights: separable, check: check(1)) { context, inputs in
      try context.onImage(context.image(inputs, rank: 3)) { context, x in
        let image = try context.widened(x)
        return try context.narrowed(context.separable(image, axes: 1), thenActivation: true)
      }
    }
    let separable2D = KerasLayerKind(weights: separable, check: check(2)) { context, inputs in
      try context.onImage(context.image(inputs, rank: 4)) { context, x in
        try context.activated(context.separable(x, axes: 2))
      }
    }
    return [
      "Conv1D": conv1D, "Convolution1D": conv1D, "Conv2D": conv2D, "Convolution2D": conv2D,
      "SeparableConv1D": separable1D, "SeparableConvolution1D": separable1D,
      "SeparableConv2D": separable2D, "SeparableConvolution2D": separable2D,
    ]
  }()
}

/// The attributes of a layer that slides a window.
struct KerasWindow {
  var strides: Size2D
  var dilations: Size2D
  var padding: Padding
}

extension KerasLayer {
  /// `bias`, unless the layer has none.
  var biasNames: [String] { get throws { try bool("use_bias", default: true) ? ["bias"] : [] } }

  /// Strides, dilations and padding over one or two axes.
  func window(axes: Int) throws -> KerasWindow {
    let kernel = try ints("kernel_size", count: axes)
    let strides = try ints("strides", count: axes, default: 1)
    let dilations = try ints("dilation_rate", count: axes, default: 1)
    guard (kernel + strides + dilations).allSatisfy({ (1..<1 << 16).contains($0) }) else {
      throw unsupported("kernel_size", "window, strides and dilations must be positive")
    }
    if axes == 1 {
      return KerasWindow(
        strides: Size2D(1, strides[0]),
        dilations: Size2D(1, dilations[0]),
        padding: try padding(causal: (kernel[0] - 1) * dilations[0])
      )
    }
    return KerasWindow(
      strides: Size2D(strides[0], strides[1]),
      dilations: Size2D(dilations[0], dilations[1]),
      padding: try padding()
    )
  }
}

extension KerasContext {
  /// The layer's bias; `nil` when it has none.
  mutating func bias() throws -> ValueID? {
    try layer.biasNames.isEmpty ? nil : weight("bias")
  }

  /// The layer's convolution, without its activation unless that is fused.
  fileprivate mutating func convolution(_ x: ValueID, axes: Int) throws -> ValueID {
    let window = try layer.window(axes: axes)
    // Keras: [height, width, input channels of a group, output channels]; the graph: output first.
    let filter = try weight("kernel") { kernel in
      try kernel.permutedWeight(axes == 1 ? [2, 0, 1] : [3, 0, 1, 2]).withUnitHeight(axes)
    }
    let op = Conv2D(
      strides: window.strides,
      dilations: window.dilations,
      padding: window.padding,
      activation: layer.fusedActivation
    )
    return try node("conv", op, [x, filter, bias()])
  }

  /// The layer's depthwise and pointwise convolutions.
  fileprivate mutating func separable(_ x: ValueID, axes: Int) throws -> ValueID {
    let window = try layer.window(axes: axes)
    let depthwise = try weight("depthwise_kernel") { try $0.depthwiseFilter(axes) }
    let pointwise = try weight("pointwise_kernel") { kernel in
      try kernel.permutedWeight(axes == 1 ? [2, 0, 1] : [3, 0, 1, 2]).withUnitHeight(axes)
    }
    let op = DepthwiseConv2D(
      strides: window.strides,
      dilations: window.dilations,
      padding: window.padding
    )
    let channels = try node("depthwise", op, [x, depthwise])
    let last = Conv2D(activation: layer.fusedActivation)
    return try node("pointwise", last, [channels, pointwise, bias()])
  }

  /// A one-dimensional layer's result without the extent of 1, activated.
  mutating func narrowed(_ x: ValueID, thenActivation: Bool) throws -> ValueID {
    let y = try narrowed(x)
    return thenActivation ? try activated(y) : y
  }
}

extension Tensor {
  /// The filter of a one-dimensional layer, `[O, K, C]`, as one of height 1.
  func withUnitHeight(_ axes: Int) throws -> Tensor {
    guard axes == 1 else { return self }
    return try reshapedWeight([shape[0], 1, shape[1], shape[2]])
  }

  /// Keras's depthwise filter, `[height, width, channels, multiplier]`, as the graph has it: the
  /// same elements.
  func depthwiseFilter(_ axes: Int) throws -> Tensor {
    guard shape.rank == axes + 2 else {
      throw Diagnostic("KER006", "a depthwise filter has extents \(shape)")
    }
    let (channels, overflow) = shape[-2].multipliedReportingOverflow(by: shape[-1])
    guard !overflow else { throw Diagnostic("KER006", "a depthwise filter has extents \(shape)") }
    return try reshapedWeight([1, axes == 1 ? 1 : shape[0], shape[axes - 1], channels])
  }
}
