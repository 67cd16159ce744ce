import AssayTensor

/// The best of boxes that overlap (one class of one image), by falling score.
///
/// Inputs: boxes `[N, 4]` of two opposite corners (y1, x1, y2, x2); scores `[N]`. Outputs: the
/// positions of the boxes, int32 `[count]`; their scores `[count]`; how many there are, int32 scalar.
/// Entries behind those are zero. A box is dropped when its intersection over union with a better one
/// is above the threshold or its score not above the other. With `softSigma` above zero scores fall by
/// `exp(-iou² / (2 sigma))` with each overlap instead (Soft-NMS, Bodla et al., 2017, as
/// TensorFlow's NonMaxSuppressionV5 computes it).
public struct NonMaxSuppression: Operator {
  /// The most boxes that are kept.
  public var count: Int
  /// The greatest intersection over union of two boxes that are both kept.
  public var overlapThreshold: Float
  /// Boxes are kept only with scores above it.
  public var scoreThreshold: Float
  /// The width of the decay of scores; 0 drops overlapping boxes at once.
  public var softSigma: Float

  /// Makes a selection.
  public init(
    count: Int,
    overlapThreshold: Float,
    scoreThreshold: Float = -.infinity,
    softSigma: Float = 0
  ) {
    self.count = count
    self.overlapThreshold = overlapThreshold
    self.scoreThreshold = scoreThreshold
    self.softSigma = softSigma
  }

  public var name: String { "NonMaxSuppression" }
  public var tolerance: Tolerance { softSigma == 0 ? .exact : .approximate }
  public var attributes: [(name: String, value: String)] {
    [
      ("count", "\(count)"), ("overlapThreshold", "\(overlapThreshold)"),
      ("scoreThreshold", "\(scoreThreshold)"), ("softSigma", "\(softSigma)"),
    ]
  }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    let types = try required(inputs, 2, of: name)
    let (boxes, scores) = (types[0].shape, types[1].shape)
    guard boxes.rank == 2, boxes[1] == 4, scores.dims == [boxes[0]], (0..<1 << 24).contains(count)
    else { throw shapeFault(name, "boxes \(boxes) with scores \(scores)") }
    return [
      TensorType(.int32, [count]), TensorType(types[1].dtype, [count]), TensorType(.int32, []),
    ]
  }

  public func cost(inputs: [TensorType?], outputs: [TensorType]) -> Cost {
    Cost(elementwise: (inputs[0]?.shape.count ?? 0) &* max(count, 1))
  }
}
