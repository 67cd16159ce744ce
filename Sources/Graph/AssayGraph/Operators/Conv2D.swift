import AssayTensor

/// Two-dimensional convolution (cross-correlation) of NHWC images.
///
/// Inputs: image `[N, H, W, C]`; filter `[O, KH, KW, C/groups]` (OHWI); bias `[O]`, optional. Groups
/// follow from the shapes: `C / filter's last extent`. Output: `[N, H', W', O]`.
public struct Conv2D: Operator {
  /// Steps of the window.
  public var strides: Size2D
  /// Distance of the filter's taps.
  public var dilations: Size2D
  /// The border's treatment.
  public var padding: Padding
  /// Applied to the result.
  public var activation: Activation

  /// Makes a convolution.
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

  public var name: String { "Conv2D" }
  public var tolerance: Tolerance { .rounding }
  public var attributes: [(name: String, value: String)] {
    windowAttributes(strides, dilations, padding, activation)
  }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let types = try required(inputs, 2, of: name)
    let (image, filter) = (types[0].shape, types[1].shape)
    guard image.rank == 4, filter.rank == 4 else {
      throw shapeFault(name, "image \(image) and filter \(filter) must have four axes")
    }
    guard filter[3] > 0, image[3] > 0, image[3] % filter[3] == 0,
      filter[0] % (image[3] / filter[3]) == 0
    else {
      throw shapeFault(name, "filter \(filter) does not fit \(image[3]) channels")
    }
    try checkBias(inputs, count: filter[0], of: name)
    let (height, width) = try windowOutput(
      image,
      window: Size2D(filter[1], filter[2]),
      strides: strides,
      dilations: dilations,
      padding: padding,
      of: name
    )
    return [TensorType(types[0].dtype, [image[0], height, width, filter[0]])]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost {
    guard let filter = inputs[1]?.shape else { return Cost() }
    return Cost(macs: outputs[0].shape.count &* filter[1] &* filter[2] &* filter[3])
  }
}

/// The attributes that window operators share.
func windowAttributes(
  _ strides: Size2D,
  _ dilations: Size2D,
  _ padding: Padding,
  _ activation: Activation
) -> [(name: String, value: String)] {
  [
    ("strides", strides.text), ("dilations", dilations.text), ("padding", padding.text),
    ("activation", activation.rawValue),
  ]
}

/// The spatial extents of a window operator's output.
func windowOutput(
  _ image: Shape,
  window: Size2D,
  strides: Size2D,
  dilations: Size2D,
  padding: Padding,
  of name: String
) throws -> (height: Int, width: Int) {
  let height = padding.outputExtent(
    image[1],
    window: window.height,
    stride: strides.height,
    dilation: dilations.height,
    isHeight: true
  )
  let width = padding.outputExtent(
    image[2],
    window: window.width,
    stride: strides.width,
    dilation: dilations.width,
    isHeight: false
  )
  guard let height, let width else {
    throw shapeFault(name, "a window of \(window.text) does not fit the image \(image)")
  }
  return (height, width)
}

/// Throws unless an optional bias (input 2) has `count` elements.
func checkBias(_ inputs: [TensorType?], count: Int, of name: String) throws {
  guard inputs.count > 2, let bias = inputs[2] else { return }
  guard bias.shape.count == count else {
    throw shapeFault(name, "bias \(bias.shape) does not fit \(count) channels")
  }
}
