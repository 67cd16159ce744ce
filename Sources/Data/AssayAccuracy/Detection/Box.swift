/// An upright rectangle in a picture: pixels from the upper left corner.
public struct Box: Sendable, Equatable {
  /// The left edge.
  public var x: Double
  /// The upper edge.
  public var y: Double
  /// From the left edge to the right one.
  public var width: Double
  /// From the upper edge to the lower one.
  public var height: Double

  /// Makes a box.
  public init(x: Double, y: Double, width: Double, height: Double) {
    self.x = x
    self.y = y
    self.width = width
    self.height = height
  }

  /// A box of its edges.
  public init(left: Double, top: Double, right: Double, bottom: Double) {
    self.init(x: left, y: top, width: right - left, height: bottom - top)
  }

  /// The right edge.
  public var right: Double { x + width }
  /// The lower edge.
  public var bottom: Double { y + height }
  /// Its area in square pixels.
  public var area: Double { width * height }
  /// Whether every edge is a number.
  public var isFinite: Bool { x.isFinite && y.isFinite && width.isFinite && height.isFinite }

  /// The area that two boxes share.
  public func intersection(_ other: Box) -> Double {
    let w = min(right, other.right) - max(x, other.x)
    guard w > 0 else { return 0 }
    let h = min(bottom, other.bottom) - max(y, other.y)
    return h > 0 ? w * h : 0
  }

  /// Intersection over union, 0...1.
  ///
  /// - Parameter isCrowd: whether `truth` stands for a crowd, of which a part is enough: then it is the
  ///   intersection over this box's own area (COCO's rule).
  public func overlap(truth: Box, isCrowd: Bool = false) -> Double {
    let shared = intersection(truth)
    guard shared > 0 else { return 0 }
    return shared / (isCrowd ? area : area + truth.area - shared)
  }

  /// The part of the box that lies within a picture.
  public func clipped(width limitX: Double, height limitY: Double) -> Box {
    Box(
      left: min(max(x, 0), limitX),
      top: min(max(y, 0), limitY),
      right: min(max(right, 0), limitX),
      bottom: min(max(bottom, 0), limitY)
    )
  }
}
