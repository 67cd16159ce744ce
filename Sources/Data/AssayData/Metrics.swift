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

/// Sums up how far values are from reference values.
public struct ErrorSum: Sendable, Equatable {
  private var signal = 0.0
  private var noise = 0.0
  private var product = 0.0
  private var power = 0.0
  private var greatestError = 0.0
  private var greatestReference = 0.0
  /// The number of values.
  public private(set) var count = 0
  /// Whether one side had a NaN or an infinity that the other had not.
  public private(set) var hasForeignNonFinite = false

  /// Sums up nothing yet.
  public init() {}

  /// Adds one tensor's values; both have as many.
  public mutating func add(_ values: [Float], reference: [Float]) {
    for (value, expected) in zip(values, reference) {
      count += 1
      guard value.isFinite, expected.isFinite else {
        if value.bitPattern != expected.bitPattern, !(value.isNaN && expected.isNaN) {
          hasForeignNonFinite = true
        }
        continue
      }
      let x = Double(value)
      let y = Double(expected)
      signal += y * y
      power += x * x
      product += x * y
      noise += (x - y) * (x - y)
      greatestError = max(greatestError, abs(x - y))
      greatestReference = max(greatestReference, abs(y))
    }
    if values.count != reference.count { hasForeignNonFinite = true }
  }

  /// Signal to noise, 10 log10(sum ref^2 / sum err^2); infinite when there is no error, `nil` when
  /// there are no values or values that no figure is made of.
  public var snrDb: Double? {
    guard count > 0, !hasForeignNonFinite else { return nil }
    if noise == 0 { return .infinity }
    return signal == 0 ? nil : 10 * log10(signal / noise)
  }

  /// The cosine of the angle between both; `nil` when one of them is zero.
  public var cosine: Double? {
    guard !hasForeignNonFinite, signal > 0, power > 0 else { return nil }
    return product / (signal * power).squareRoot()
  }

  /// The greatest |a - b|; infinite when one side had a NaN or infinity that the other had not.
  public var maxAbs: Double { hasForeignNonFinite ? .infinity : greatestError }

  /// The greatest |a - b| by the greatest |b|; `nil` when all reference values are 0.
  public var maxRelative: Double? {
    if hasForeignNonFinite { return .infinity }
    return greatestReference > 0 ? greatestError / greatestReference : nil
  }
}
