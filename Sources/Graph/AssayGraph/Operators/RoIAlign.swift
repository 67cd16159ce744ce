import AssayTensor

/// Regions of images brought to one size by averaging or maximizing samples in each bin (He et al.,
/// Mask R-CNN, 2017).
///
/// Inputs: images `[N, H, W, C]`; regions `[R, 4]` (x1, y1, x2, y2); the image of each region,
/// integers `[R]`. Output: `[R, H', W', C]`.
public struct RoIAlign: Operator {
  /// What is taken over the samples of a bin.
  public enum Kind: String, Sendable { case average, max }

  /// What is taken over the samples of a bin.
  public var kind: Kind
  /// Height and width of the output.
  public var size: Size2D
  /// From the regions' coordinates to pixels.
  public var scale: Float
  /// Samples along each side of a bin; 0 means as many as pixels, rounded up.
  public var samples: Int
  /// Whether pixels have their center at one half; otherwise regions are at least one pixel large.
  public var usesHalfPixels: Bool

  /// Makes a pooling of regions.
  public init(
    _ kind: Kind = .average,
    size: Size2D,
    scale: Float,
    samples: Int = 0,
    usesHalfPixels: Bool = true
  ) {
    self.kind = kind
    self.size = size
    self.scale = scale
    self.samples = samples
    self.usesHalfPixels = usesHalfPixels
  }

  public var name: String { "RoIAlign" }
  public var tolerance: Tolerance { .approximate }
  public var attributes: [(name: String, value: String)] {
    [
      ("kind", kind.rawValue), ("size", size.text), ("scale", "\(scale)"),
      ("samples", "\(samples)"),
      ("usesHalfPixels", "\(usesHalfPixels)"),
    ]
  }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let types = try required(inputs, 3, of: name)
    let (image, regions) = (types[0].shape, types[1].shape)
    guard image.rank == 4, regions.rank == 2, regions[1] == 4, types[2].shape.dims == [regions[0]],
      types[2].dtype.isInteger, (1..<1 << 16).contains(size.height),
      (1..<1 << 16).contains(size.width), (0..<1 << 10).contains(samples), scale.isFinite
    else { throw shapeFault(name, "\(image) in regions \(regions)") }
    return [TensorType(types[0].dtype, [regions[0], size.height, size.width, image[3]])]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost {
    Cost(elementwise: outputs[0].shape.count &* max(samples, 1) &* max(samples, 1) &* 4)
  }
}
