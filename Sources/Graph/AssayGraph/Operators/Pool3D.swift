import AssayTensor

/// Maximum or average over windows of volumes `[N, D, H, W, C]`.
///
/// Padding never takes part: an average divides by the number of elements inside the volume.
public struct Pool3D: Operator {
  /// What is taken over a window.
  public var kind: Pool2D.Kind
  /// The window.
  public var window: Size3D
  /// Steps of the window.
  public var strides: Size3D
  /// The border's treatment.
  public var padding: Padding3D
  /// Applied to the result.
  public var activation: Activation

  /// Makes a pooling.
  public init(
    _ kind: Pool2D.Kind,
    window: Size3D,
    strides: Size3D,
    padding: Padding3D = .valid,
    activation: Activation = .none
  ) {
    self.kind = kind
    self.window = window
    self.strides = strides
    self.padding = padding
    self.activation = activation
  }

  public var name: String { kind == .max ? "MaxPool3D" : "AveragePool3D" }
  public var tolerance: Tolerance { kind == .max ? .exact : .rounding }
  public var attributes: [(name: String, value: String)] {
    [
      ("window", window.text), ("strides", strides.text), ("padding", padding.text),
      ("activation", activation.rawValue),
    ]
  }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let x = try required(inputs, 1, of: name)[0]
    guard x.shape.rank == 5 else { throw shapeFault(name, "volume \(x.shape) has not five axes") }
    let extents = try padding.output(
      x.shape,
      window: window,
      strides: strides,
      dilations: .one,
      of: name
    )
    return [TensorType(x.dtype, Shape([x.shape[0]] + extents + [x.shape[4]]))]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost {
    Cost(
      elementwise: outputs[0].shape.count &* window.depth &* window.height &* window.width
    )
  }
}

extension Pool3D: ActivatingOperator {}
