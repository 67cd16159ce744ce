import AssayAccuracy

/// Non-maximum suppression: of finds of one class that overlap, the one that is surest stays.
public struct Suppression: Sendable, Equatable {
  /// Finds below this score are dropped.
  public var score: Double
  /// Finds that overlap a surer one by more than this are dropped.
  public var overlap: Double
  /// The most finds that stay.
  public var limit: Int
  /// The most candidates that are looked at, surest first.
  public var candidates: Int

  /// Makes the rule; the defaults are those for pictures that people look at.
  public init(
    score: Double = 0.25,
    overlap: Double = 0.7,
    limit: Int = 300,
    candidates: Int = 30_000
  ) {
    self.score = score
    self.overlap = overlap
    self.limit = limit
    self.candidates = candidates
  }

  /// The rule for judging by precision and recall, which need the unsure finds too.
  public static let judging = Suppression(score: 0.001)

  /// Which finds stay, surest first; of equals the earlier one.
  func kept(boxes: [Box], scores: [Float], categories: [Int]) -> [Int] {
    let order = scores.indices.filter { Double(scores[$0]) > score }
      .sorted { (scores[$1], $0) < (scores[$0], $1) }.prefix(candidates)
    var result: [Int] = []
    var byCategory: [Int: [Int]] = [:]
    for index in order {
      if result.count == limit { break }
      let box = boxes[index]
      let isHidden = byCategory[categories[index], default: []].contains {
        box.overlap(truth: boxes[$0]) > overlap
      }
      if isHidden { continue }
      byCategory[categories[index], default: []].append(index)
      result.append(index)
    }
    return result
  }
}
