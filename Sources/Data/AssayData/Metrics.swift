import AssayBase

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The index of the greatest value, the first of equals; NaN never wins, and of none it is 0.
public func argmax(_ values: [Float]) -> Int {
  var best = 0
  var greatest = -Float.infinity
  for (index, value) in values.enumerated() where value > greatest {
    greatest = value
    best = index
  }
  return best
}

/// The class that scores stand for.
///
/// A single score is that of class 1 (a logistic output): class 1 above one half, else class 0.
public func predictedClass(_ scores: [Float]) -> Int {
  scores.count == 1 ? (scores[0] > 0.5 ? 1 : 0) : argmax(scores)
}

/// The indices of the `count` greatest values, greatest first, the first of equals first.
public func topIndices(_ values: [Float], count: Int) -> [Int] {
  let ranked = values.indices.sorted { a, b in
    let x = values[a].isNaN ? -Float.infinity : values[a]
    let y = values[b].isNaN ? -Float.infinity : values[b]
    return x == y ? a < b : x > y
  }
  return Array(ranked.prefix(max(count, 0)))
}

/// Counts how often the right class comes first, or among the first five.
public struct AccuracyCounter: Sendable, Equatable {
  private var first = 0
  private var firstFive = 0
  private var count = 0
  private var fewest = Int.max

  /// Counts nothing yet.
  public init() {}

  /// Counts one sample.
  public mutating func add(scores: [Float], label: Int) {
    count += 1
    fewest = min(fewest, scores.count)
    if predictedClass(scores) == label { first += 1 }
    if topIndices(scores, count: 5).contains(label) { firstFive += 1 }
  }

  /// How often the right class came first.
  public var top1: Proportion { Proportion(first, of: count) }
  /// How often it was among the first five; `nil` when there are no more than five classes.
  public var top5: Proportion? { fewest > 5 && count > 0 ? Proportion(firstFive, of: count) : nil }
}

/// Counts how often two networks put the same class first.
public struct AgreementCounter: Sendable, Equatable {
  private var equal = 0
  private var count = 0

  /// Counts nothing yet.
  public init() {}

  /// Counts one sample.
  public mutating func add(_ scores: [Float], reference: [Float]) {
    count += 1
    if predictedClass(scores) == predictedClass(reference) { equal += 1 }
  }

  /// How often they agree.
  public var proportion: Proportion { Proportion(equal, of: count) }
}
