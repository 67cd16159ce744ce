import AssayTensor

/// Transposed convolution of volumes (the gradient of `Conv3D` with respect to its volume).
///
/// Inputs: volume `[N, D, H, W, C]`; filter `[O, KD, KH, KW, C]`; bias `[O]`, optional. `padding` and
/// `dilations` are those of the forward convolution. The output's extents are an attribute,
/// because several outputs lead to one input.
public struct TransposeConv3D: Operator {
  /// Steps of the forward convolution's window.
  public var strides: Size3D
  /// Distance of the filter's taps.
  public var dilations: Size3D
  /// The forward convolution's border.
  public var padding: Padding3D
  /// Depth, height and width of the output.
  public var outputSize: Size3D
  /// Applied to the result.
  public var activation: Activation

  /// Makes a transposed convolution.
  public init(
    strides: Size3D,
    dilations: Size3D = .one,
    padding: Padding3D,
    outputSize: Size3D,
    activation: Activation = .none
  ) {
    self.strides = strides
    self.dilations = dilations
    self.padding = padding
    self.outputSize = outputSize
    self.activation = activation
  }

  public var name: String { "TransposeConv3D" }
  public var tolerance: Tolerance { .rounding }
  public var attributes: [(name: String, value: String)] {
    windowAttributes(strides, dilations, padding, activation) + [("output", outputSize.text)]
  }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let types = try required(inputs, 2, of: name)
    let (volume, filter) = (types[0].shape, types[1].shape)
    guard volume.rank == 5, filter.rank == 5, filter[4] == volume[4] else {
      throw shapeFault(name, "volume \(volume) and filter \(filter) do not fit")
    }
    try checkBias(inputs, count: filter[0], of: name)
    let output = Shape([volume[0]] + outputSize.all + [filter[0]])
    let forward = try padding.output(
      output,
      window: Size3D(filter[1], filter[2], filter[3]),
      strides: strides,
      dilations: dilations,
      of: name
    )
    guard forward == Array(volume.dims[1...3]) else {
      throw shapeFault(name, "an output of \(outputSize.text) does not belong to \(volume)")
    }
    return [TensorType(types[0].dtype, output)]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost {
    guard let volume = inputs[0]?.shape, let filter = inputs[1]?.shape else { return Cost() }
    return Cost(macs: volume.count &* filter[0] &* filter[1] &* filter[2] &* filter[3])
  }
}

extension TransposeConv3D: ActivatingOperator {}
