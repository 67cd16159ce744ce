import AssayTensor

/// Transposed convolution of NHWC images (the gradient of `Conv2D` with respect to its image).
///
/// Inputs: image `[N, H, W, C]`; filter `[O, KH, KW, C]`; bias `[O]`, optional. `padding` is that of
/// the forward convolution. The output's height and width are an attribute, because several
/// outputs lead to one input.
public struct TransposeConv2D: Operator {
  /// Steps of the forward convolution's window.
  public var strides: Size2D
  /// The forward convolution's border.
  public var padding: Padding
  /// Height and width of the output.
  public var outputSize: Size2D
  /// Applied to the result.
  public var activation: Activation

  /// Makes a transposed convolution.
  public init(
    strides: Size2D,
    padding: Padding,
    outputSize: Size2D,
    activation: Activation = .none
  ) {
    self.strides = strides
    self.padding = padding
    self.outputSize = outputSize
    self.activation = activation
  }

  public var name: String { "TransposeConv2D" }
  public var tolerance: Tolerance { .rounding }
  public var attributes: [(name: String, value: String)] {
    [
      ("strides", strides.text), ("padding", padding.text), ("output", outputSize.text),
      ("activation", activation.rawValue),
    ]
  }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let types = try required(inputs, 2, of: name)
    let (image, filter) = (types[0].shape, types[1].shape)
    guard image.rank == 4, filter.rank == 4, filter[3] == image[3] else {
      throw shapeFault(name, "image \(image) and filter \(filter) do not fit")
    }
    try checkBias(inputs, count: filter[0], of: name)
    let forward = try windowOutput(
      [image[0], outputSize.height, outputSize.width, filter[0]],
      window: Size2D(filter[1], filter[2]),
      strides: strides,
      dilations: .one,
      padding: padding,
      of: name
    )
    guard forward == (image[1], image[2]) else {
      throw shapeFault(name, "an output of \(outputSize.text) does not belong to image \(image)")
    }
    return [
      TensorType(types[0].dtype, [image[0], outputSize.height, outputSize.width, filter[0]])
    ]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost {
    guard let image = inputs[0]?.shape, let filter = inputs[1]?.shape else { return Cost() }
    return Cost(macs: image.count &* filter[0] &* filter[1] &* filter[2])
  }
}
