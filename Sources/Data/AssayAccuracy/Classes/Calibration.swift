/// Whether a classifier is right as often as it says.
///
/// The expected calibration error: samples are sorted into bins of equal width by their confidence, and
/// the distances between confidence and accuracy of the bins are averaged by their sizes (Guo et al.,
/// 2017, https://arxiv.org/abs/1706.04599, with 15 bins).
public struct Calibration: Sendable, Equatable {
  /// One bin.
  public struct Bin: Sendable, Equatable {
    /// How many samples fell in it.
    public var count = 0
    /// How many of them were right.
    public var right = 0
    /// The sum of their confidences.
    public var confidence = 0.0
  }

  /// The bins, from 0 to 1.
  public private(set) var bins: [Bin]

  /// Counts nothing yet.
  public init(bins: Int = 15) { self.bins = [Bin](repeating: Bin(), count: max(bins, 1)) }

  /// Counts one sample; one without a confidence is left out.
  public mutating func add(_ outcome: ClassOutcome) {
    guard let confidence = outcome.confidence, confidence >= 0, confidence <= 1 else { return }
    // A bin holds its upper end, as the paper has it.
    let place = (confidence * Double(bins.count)).rounded(.up) - 1
    let index = min(max(Int(place), 0), bins.count - 1)
    bins[index].count += 1
    bins[index].confidence += confidence
    if outcome.predicted == outcome.label { bins[index].right += 1 }
  }

  /// The expected calibration error; `nil` when nothing was counted.
  public var error: Double? {
    let total = bins.reduce(0) { $0 + $1.count }
    guard total > 0 else { return nil }
    return bins.reduce(0) { $0 + abs(Double($1.right) - $1.confidence) } / Double(total)
  }
}
