/// A mean without its extremes, and how well it is known.
///
/// The part `trim` of the values is left out at either end; the standard error is that of Tukey and
/// McLaughlin (1963), from the winsorized variance. A round that something else disturbed moves it by
/// little, where a mean follows it and a median wastes what the others say.
public struct TrimmedMean: Sendable, Equatable {
  /// The mean of what is kept.
  public var value: Double
  /// Its standard error; 0 when all that is kept is equal.
  public var standardError: Double
  /// Degrees of freedom: one less than what is kept.
  public var freedom: Double

  /// The trimmed mean of values in any order.
  ///
  /// - Returns: `nil` for fewer than two values, or one that is not finite.
  public init?(_ values: [Double], trim: Double = 0.2) {
    guard values.count >= 2, values.allSatisfy(\.isFinite) else { return nil }
    self.init(sorted: values.sorted(), trim: trim)
  }

  /// The trimmed mean of at least two finite values in ascending order.
  init(sorted: [Double], trim: Double) {
    let count = sorted.count
    let cut = min(Int(trim * Double(count)), (count - 1) / 2)
    let kept = count - 2 * cut
    var sum = 0.0
    for index in cut..<(count - cut) { sum += sorted[index] }
    value = sum / Double(kept)
    let (low, high) = (sorted[cut], sorted[count - cut - 1])
    let winsorizedMean = (sum + Double(cut) * (low + high)) / Double(count)
    var squares = 0.0
    for index in cut..<(count - cut) {
      let d = sorted[index] - winsorizedMean
      squares += d * d
    }
    squares += Double(cut) * (low - winsorizedMean) * (low - winsorizedMean)
    squares += Double(cut) * (high - winsorizedMean) * (high - winsorizedMean)
    let variance = squares / Double(count - 1)
    let part = Double(kept) / Double(count)
    standardError = (variance / Double(count)).squareRoot() / part
    freedom = Double(kept - 1)
  }
}
