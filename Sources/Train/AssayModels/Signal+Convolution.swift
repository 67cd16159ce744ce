import AssayBase
import AssayGraph
import AssayTensor

extension Signal {
  /// A convolution of images; kernels and strides are square unless given as `Size2D`.
  ///
  /// - Parameters:
  ///   - filters: channels of the result.
  ///   - groups: parts of the channels that are convolved on their own.
  public func conv(
    _ filters: Int,
    _ kernel: Size2D,
    strides: Size2D = .one,
    dilations: Size2D = .one,
    padding: Padding = .same,
    groups: Int = 1,
    usesBias: Bool = true,
    initializer: Initializer = .glorotUniform,
    activation: Function? = nil,
    name: String? = nil
  ) -> Signal {
    network.layer("Conv2D", name: name, on: self) { layer in
      let depth = channels / max(groups, 1)
      let window = kernel.height * kernel.width
      let filter = layer.weight(
        "kernel",
        [filters, kernel.height, kernel.width, depth],
        initializer,
        fans: Initializer.Fans(input: window * depth, output: window * filters)
      )
      let op = Conv2D(strides: strides, dilations: dilations, padding: padding)
      return try layer.node(op, [id, filter, layer.bias(filters, usesBias)])
    }.activation(activation)
  }

  /// A convolution of images with a square kernel.
  public func conv(
    _ filters: Int,
    _ kernel: Int,
    strides: Int = 1,
    dilation: Int = 1,
    padding: Padding = .same,
    groups: Int = 1,
    usesBias: Bool = true,
    initializer: Initializer = .glorotUniform,
    activation: Function? = nil,
    name: String? = nil
  ) -> Signal {
    conv(
      filters,
      Size2D(kernel, kernel),
      strides: Size2D(strides, strides),
      dilations: Size2D(dilation, dilation),
      padding: padding,
      groups: groups,
      usesBias: usesBias,
      initializer: initializer,
      activation: activation,
      name: name
    )
  }

  /// A convolution along time of a series `[1, T, C]` or of one that lies as `[1, 1, T, C]`.
  ///
  /// - Parameter isCausal: no output sees later inputs: all padding comes first, whatever `padding`.
  public func conv1D(
    _ filters: Int,
    _ kernel: Int,
    dilation: Int = 1,
    padding: Padding = .same,
    isCausal: Bool = false,
    usesBias: Bool = true,
    initializer: Initializer = .glorotUniform,
    activation: Function? = nil,
    name: String? = nil
  ) -> Signal {
    guard shape.rank == 4 else {
      let row = reshape([1] + shape.dims.dropFirst())
      let result = row.conv1D(
        filters,
        kernel,
        dilation: dilation,
        padding: padding,
        isCausal: isCausal,
        usesBias: usesBias,
        initializer: initializer,
        activation: activation,
        name: name
      )
      return result.reshape(Array(result.shape.dims.dropFirst(2)))
    }
    let border: Padding =
      isCausal
      ? .explicit(top: 0, bottom: 0, left: (kernel - 1) * dilation, right: 0) : padding
    return conv(
      filters,
      Size2D(1, kernel),
      dilations: Size2D(1, dilation),
      padding: border,
      usesBias: usesBias,
      initializer: initializer,
      activation: activation,
      name: name ?? "conv1d"
    )
  }

  /// A convolution with filters of each channel's own.
  public func depthwiseConv(
    _ kernel: Int,
    strides: Int = 1,
    dilation: Int = 1,
    multiplier: Int = 1,
    padding: Padding = .same,
    usesBias: Bool = true,
    initializer: Initializer = .glorotUniform,
    activation: Function? = nil,
    name: String? = nil
  ) -> Signal {
    network.layer("DepthwiseConv2D", name: name, on: self) { layer in
      try depthwise(
        layer,
        kernel,
        Size2D(strides, strides),
        Size2D(dilation, dilation),
        multiplier,
        padding,
        initializer,
        bias: usesBias,
        part: nil
      )
    }.activation(activation)
  }

  /// A depthwise convolution without bias and a pointwise one over it, as one layer (Chollet, 2017).
  ///
  /// - Parameter multiplier: filters of each channel's own.
  public func separableConv(
    _ filters: Int,
    _ kernel: Int,
    strides: Int = 1,
    dilation: Int = 1,
    multiplier: Int = 1,
    padding: Padding = .same,
    usesBias: Bool = true,
    initializer: Initializer = .glorotUniform,
    activation: Function? = nil,
    name: String? = nil
  ) -> Signal {
    network.layer("SeparableConv2D", name: name, on: self) { layer in
      let spatial = try depthwise(
        layer,
        kernel,
        Size2D(strides, strides),
        Size2D(dilation, dilation),
        multiplier,
        padding,
        initializer,
        bias: false,
        part: "depthwise"
      )
      let filter = layer.weight(
        "pointwise_kernel",
        [filters, 1, 1, channels * multiplier],
        initializer,
        fans: Initializer.Fans(input: channels * multiplier, output: filters)
      )
      return try layer.node(Conv2D(), [spatial, filter, layer.bias(filters, usesBias)])
    }.activation(activation)
  }

  /// Keras counts the fans of a depthwise kernel `[KH, KW, C, M]` as those of a full one.
  private func depthwise(
    _ layer: LayerScope,
    _ kernel: Int,
    _ strides: Size2D,
    _ dilations: Size2D,
    _ multiplier: Int,
    _ padding: Padding,
    _ initializer: Initializer,
    bias: Bool,
    part: String?
  ) throws -> ValueID {
    let count = channels * multiplier
    let filter = layer.weight(
      "depthwise_kernel",
      [1, kernel, kernel, count],
      initializer,
      fans: Initializer.Fans(
        input: kernel * kernel * channels,
        output: kernel * kernel * multiplier
      )
    )
    let op = DepthwiseConv2D(strides: strides, dilations: dilations, padding: padding)
    return try layer.node(op, [id, filter, layer.bias(count, bias)], part: part)
  }

  /// A transposed convolution: up-sampling by the strides.
  public func transposeConv(
    _ filters: Int,
    _ kernel: Int,
    strides: Int,
    padding: Padding = .same,
    usesBias: Bool = true,
    initializer: Initializer = .glorotUniform,
    activation: Function? = nil,
    name: String? = nil
  ) -> Signal {
    network.layer("Conv2DTranspose", name: name, on: self) { layer in
      let window = kernel * kernel
      let filter = layer.weight(
        "kernel",
        [filters, kernel, kernel, channels],
        initializer,
        fans: Initializer.Fans(input: window * filters, output: window * channels)
      )
      func length(_ extent: Int) -> Int {
        padding == .same ? extent * strides : (extent - 1) * strides + max(kernel, strides)
      }
      let op = TransposeConv2D(
        strides: Size2D(strides, strides),
        padding: padding,
        outputSize: Size2D(length(shape[1]), length(shape[2]))
      )
      return try layer.node(op, [id, filter, layer.bias(filters, usesBias)])
    }.activation(activation)
  }
}
