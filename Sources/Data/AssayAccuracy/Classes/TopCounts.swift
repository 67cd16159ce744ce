import AssayBase

/// Where the right class stands among a classifier's classes: as few numbers as a sample's outcome needs.
public struct ClassOutcome: Sendable, Equatable {
  /// The class that came first.
  public var predicted: Int
  /// The right class.
  public var label: Int
  /// How many classes came before the right one: ties go to the lower class; `absent` when it is none of
  /// the classifier's.
  public var rank: Int
  /// The rank of a class that has no score: it is among no first classes, however many are counted.
  public static let absent = 1 << 30
  /// How sure the classifier was of its first class, 0...1; `nil` when it gives no probabilities.
  public var confidence: Double?

  /// Makes an outcome.
  public init(predicted: Int, label: Int, rank: Int, confidence: Double? = nil) {
    self.predicted = predicted
    self.label = label
    self.rank = rank
    self.confidence = confidence
  }

  /// The outcome of one sample's scores.
  ///
  /// A single score is that of class 1 (a logistic output). Scores that are no probabilities (some are
  /// below 0 or they do not add up to 1) are taken for logits, whose softmax is the confidence.
  public init(scores: [Float], label: Int) {
    if scores.count == 1 {
      let predicted = scores[0] > 0.5 ? 1 : 0
      let p = Double(scores[0])
      self.init(
        predicted: predicted,
        label: label,
        rank: predicted == label ? 0 : label == 0 || label == 1 ? 1 : Self.absent,
        confidence: p >= 0 && p <= 1 ? max(p, 1 - p) : nil
      )
      return
    }
    var best = 0
    for index in scores.indices where scores[index] > scores[best] || scores[best].isNaN {
      if !scores[index].isNaN { best = index }
    }
    var rank = Self.absent
    if scores.indices.contains(label), !scores[label].isNaN {
      rank = 0
      for index in scores.indices where index != label {
        if scores[index] > scores[label] || (scores[index] == scores[label] && index < label) {
          rank += 1
        }
      }
    }
    self.init(
      predicted: best,
      label: label,
      rank: rank,
      confidence: ClassOutcome.confidence(scores, best)
    )
  }

  /// The probability of a class.
  static func confidence(_ scores: [Float], _ best: Int) -> Double? {
    guard scores.allSatisfy(\.isFinite), scores.indices.contains(best) else { return nil }
    let sum = scores.reduce(0.0) { $0 + Double($1) }
    // Integer outputs round each probability, so that the sum is off by as many half steps.
    if scores.allSatisfy({ $0 >= 0 && $0 <= 1.001 }), abs(sum - 1) < 0.05 {
      return min(Double(scores[best]) / sum, 1)
    }
    let top = Double(scores[best])
    return 1 / scores.reduce(0.0) { $0 + exponential(Double($1) - top) }
  }
}

/// How often the right class is among a classifier's first classes.
public struct TopCounts: Sendable, Equatable {
  /// The numbers of first classes that are counted.
  public static let depths = [1, 3, 5, 10]

  private var hits = [Int](repeating: 0, count: TopCounts.depths.count)
  /// How many samples were counted.
  public private(set) var count = 0
  /// How many classes there are.
  public let classCount: Int

  /// Counts nothing yet.
  public init(classCount: Int) { self.classCount = classCount }

  /// Counts one sample.
  public mutating func add(_ outcome: ClassOutcome) {
    count += 1
    for (index, depth) in TopCounts.depths.enumerated() where outcome.rank < depth {
      hits[index] += 1
    }
  }

  /// The part of the samples whose class is among the first `depth`; `nil` when that is not counted, or
  /// when there are no more classes than that.
  public subscript(depth: Int) -> Proportion? {
    guard let index = TopCounts.depths.firstIndex(of: depth), depth == 1 || depth < classCount
    else {
      return nil
    }
    return Proportion(hits[index], of: count)
  }
}
