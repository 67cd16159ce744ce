import AssayTensor

/// Three-dimensional convolution (cross-correlation) of volumes with their channels last.
///
/// Inputs: volume `[N, D, H, W, C]`; filter `[O, KD, KH, KW, C/groups]`; bias `[O]`, optional. Groups
/// follow from the shapes, as in `Conv2D`. Output: `[N, D', H', W', O]`.
public struct Conv3D: Operator {
  /// Steps of the window.
  public var strides: Size3D
  /// Distance of the filter's taps.
  public var dilations: Size3D
  /// The border's treatment.
  public var padding: Padding3D
  /// Applied to the result.
  public var activation: Activation

  /// Makes a convolution.
  public init(
    strides: Size3D = .one,
    dilations: Size3D = .one,
    padding: Padding3D = .valid,
    activation: Activation = .none
  ) {
    self.strides = strides
    self.dilations = dilations
    self.padding = padding
    self.activation = activation
  }

  public var name: String { "Conv3D" }
  public var tolerance: Tolerance { .rounding }
  public var attributes: [(name: String, value: String)] {
    windowAttributes(strides, dilations, padding, activation)
  }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let types = try required(inputs, 2, of: name)
    let (volume, filter) = (types[0].shape, types[1].shape)
    guard volume.rank == 5, filter.rank == 5 else {
      throw shapeFault(name, "volume \(volume) and filter \(filter) must have five axes")
    }
    guard filter[4] > 0, volume[4] > 0, volume[4] % filter[4] == 0,
      filter[0] % (volume[4] / filter[4]) == 0
    else { throw shapeFault(name, "filter \(filter) does not fit \(volume[4]) channels") }
    try checkBias(inputs, count: filter[0], of: name)
    let extents = try padding.output(
      volume,
      window: Size3D(filter[1], filter[2], filter[3]),
      strides: strides,
      dilations: dilations,
      of: name
    )
    return [TensorType(types[0].dtype, Shape([volume[0]] + extents + [filter[0]]))]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost {
    guard let filter = inputs[1]?.shape else { return Cost() }
    return Cost(
      macs: outputs[0].shape.count &* filter[1] &* filter[2] &* filter[3] &* filter[4]
    )
  }
}

extension Conv3D: ActivatingOperator {}
