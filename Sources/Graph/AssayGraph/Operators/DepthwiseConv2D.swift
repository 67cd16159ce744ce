import AssayTensor

/// Depthwise convolution of NHWC images: every channel has filters of its own.
///
/// Inputs: image `[N, H, W, C]`; filter `[1, KH, KW, C*M]` with multiplier M, output channel
/// `c*M + m`; bias `[C*M]`, optional. Output: `[N, H', W', C*M]`.
public struct DepthwiseConv2D: Operator {
  /// Steps of the window.
  public var strides: Size2D
  /// Distance of the filter's taps.
  public var dilations: Size2D
  /// The border's treatment.
  public var padding: Padding
  /// Applied to the result.
  public var activation: Activation

  /// Makes a depthwise convolution.
  public init(
    strides: Size2D = .one,
    dilations: Size2D = .one,
    padding: Padding = .valid,
    activation: Activation = .none
  ) {
    self.strides = strides
    self.dilations = dilations
    self.padding = padding
    self.activation = activation
  }

  public var name: String { "DepthwiseConv2D" }
  public var tolerance: Tolerance { .rounding }
  public var attributes: [(name: String, value: String)] {
    windowAttributes(strides, dilations, padding, activation)
  }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let types = try required(inputs, 2, of: name)
    let (image, filter) = (types[0].shape, types[1].shape)
    guard image.rank == 4, filter.rank == 4, filter[0] == 1 else {
      throw shapeFault(name, "image \(image) and filter \(filter) do not fit")
    }
    guard image[3] > 0, filter[3] % image[3] == 0 else {
      throw shapeFault(name, "filter \(filter) does not fit \(image[3]) channels")
    }
    try checkBias(inputs, count: filter[3], of: name)
    let (height, width) = try windowOutput(
      image,
      window: Size2D(filter[1], filter[2]),
      strides: strides,
      dilations: dilations,
      padding: padding,
      of: name
    )
    return [TensorType(types[0].dtype, [image[0], height, width, filter[3]])]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost {
    guard let filter = inputs[1]?.shape else { return Cost() }
    return Cost(macs: outputs[0].shape.count &* filter[1] &* filter[2])
  }
}
