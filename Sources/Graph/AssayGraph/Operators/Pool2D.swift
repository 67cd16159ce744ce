import AssayTensor

/// Maximum or average over windows of NHWC images.
///
/// Padding never takes part: an average divides by the number of elements inside the image.
public struct Pool2D: Operator {
  /// What is taken over a window.
  public enum Kind: String, Sendable { case max, average }

  /// What is taken over a window.
  public var kind: Kind
  /// The window.
  public var window: Size2D
  /// Steps of the window.
  public var strides: Size2D
  /// The border's treatment.
  public var padding: Padding
  /// Applied to the result.
  public var activation: Activation

  /// Makes a pooling.
  public init(
    _ kind: Kind,
    window: Size2D,
    strides: Size2D,
    padding: Padding = .valid,
    activation: Activation = .none
  ) {
    self.kind = kind
    self.window = window
    self.strides = strides
    self.padding = padding
    self.activation = activation
  }

  public var name: String { kind == .max ? "MaxPool2D" : "AveragePool2D" }
  public var tolerance: Tolerance { kind == .max ? .exact : .rounding }
  public var attributes: [(name: String, value: String)] {
    [
      ("window", window.text), ("strides", strides.text), ("padding", padding.text),
      ("activation", activation.rawValue),
    ]
  }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let x = try required(inputs, 1, of: name)[0]
    guard x.shape.rank == 4 else { throw shapeFault(name, "image \(x.shape) has not four axes") }
    let (height, width) = try windowOutput(
      x.shape,
      window: window,
      strides: strides,
      dilations: .one,
      padding: padding,
      of: name
    )
    return [TensorType(x.dtype, [x.shape[0], height, width, x.shape[3]])]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost {
    Cost(elementwise: outputs[0].shape.count &* window.height &* window.width)
  }
}
