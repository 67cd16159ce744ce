import AssayBase
import AssayRecord
import AssayStatistics

/// A difference of two measurements in sentences.
public struct DifferenceWords: Sendable {
  /// The difference of B to A.
  public var difference: Difference
  /// What A is called.
  public var a: String
  /// What B is called.
  public var b: String

  /// Makes words for a difference.
  public init(_ difference: Difference, a: String, b: String) {
    self.difference = difference
    self.a = a
    self.b = b
  }

  /// The answer in one sentence.
  public var sentence: String {
    let range = difference.interval
    switch difference.direction {
    case .slower:
      if range.lowerBound >= 0.5 {
        return "\(b) takes \(times(1 + range.lowerBound, 1 + range.upperBound)) as long as \(a)."
      }
      return "\(b) is \(percents(range.lowerBound, range.upperBound)) slower than \(a)."
    case .faster:
      if range.upperBound <= -1.0 / 3 {
        let (low, high) = (1 / (1 + range.upperBound), 1 / (1 + range.lowerBound))
        return "\(b) is \(times(low, high)) as fast as \(a)."
      }
      return "\(b) is \(percents(-range.upperBound, -range.lowerBound)) faster than \(a)."
    case .undecided:
      return "No difference was found between \(a) and \(b): \(b) is between "
        + "\(part(range.lowerBound)) and \(part(range.upperBound)) than \(a)."
    }
  }

  /// What the comparison could have missed.
  public var power: String {
    let odds = Int((difference.power * 100).rounded())
    let size = DifferenceWords.percent(difference.detectable)
    return difference.direction == .undecided
      ? "A difference above \(size) would have been found \(odds) times in 100."
      : "Such a comparison finds differences above \(size) \(odds) times in 100."
  }

  /// How it was compared.
  public var method: String {
    let confidence = Words.short(difference.confidence * 100)
    return difference.isPaired
      ? "\(confidence) % confidence, from \(difference.units) pairs that ran side by side in random order."
      : "\(confidence) % confidence, from \(difference.units) rounds or more a side. The sides did not run "
        + "side by side: what changed on the machine in between is not in the interval."
  }

  private func part(_ value: Double) -> String {
    DifferenceWords.percent(abs(value)) + (value < 0 ? " faster" : " slower")
  }

  private func percents(_ low: Double, _ high: Double) -> String {
    let (a, b) = (DifferenceWords.digits(low, in: high), DifferenceWords.digits(high, in: high))
    return a == b ? "\(a) %" : "\(a) to \(b) %"
  }

  private func times(_ low: Double, _ high: Double) -> String {
    let (a, b) = (Words.significant(low), Words.significant(high))
    return a == b ? "\(a) times" : "\(a) to \(b) times"
  }

  /// A part as percent, with a digit more where it is small.
  public static func percent(_ value: Double) -> String {
    guard value.isFinite else { return "any size" }
    return "\(digits(value, in: value)) %"
  }

  private static func digits(_ value: Double, in scale: Double) -> String {
    Words.fixed(value * 100, abs(scale) < 0.01 ? 2 : abs(scale) < 0.2 ? 1 : 0)
  }
}
