import AssayTensor

/// NHWC images brought to another height and width.
public struct Resize2D: Operator {
  /// How an element between pixels is made.
  public enum Kind: String, Sendable { case nearest, bilinear }

  /// How an element between pixels is made.
  public var kind: Kind
  /// Height and width of the output.
  public var size: Size2D
  /// Whether corner pixels lie on corner pixels.
  public var alignsCorners: Bool
  /// Whether pixels have their centre at one half.
  public var usesHalfPixels: Bool

  /// Makes a resize.
  public init(
    _ kind: Kind,
    size: Size2D,
    alignsCorners: Bool = false,
    usesHalfPixels: Bool = false
  ) {
    self.kind = kind
    self.size = size
    self.alignsCorners = alignsCorners
    self.usesHalfPixels = usesHalfPixels
  }

  public var name: String { kind == .nearest ? "ResizeNearest" : "ResizeBilinear" }
  public var tolerance: Tolerance { kind == .nearest ? .exact : .rounding }
  public var attributes: [(name: String, value: String)] {
    [
      ("size", size.text), ("alignsCorners", "\(alignsCorners)"),
      ("usesHalfPixels", "\(usesHalfPixels)"),
    ]
  }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let x = try required(inputs, 1, of: name)[0]
    guard x.shape.rank == 4, size.height > 0, size.width > 0, size.height < 1 << 20,
      size.width < 1 << 20
    else { throw shapeFault(name, "\(x.shape) to \(size.text)") }
    return [TensorType(x.dtype, [x.shape[0], size.height, size.width, x.shape[3]])]
  }
}
