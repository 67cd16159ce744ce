/// A counted fraction, such as an accuracy, with its uncertainty.
public struct Proportion: Sendable, Equatable {
  /// How many of `count` counted.
  public var successes: Int
  /// How many there were.
  public var count: Int

  /// Makes a proportion; `successes` is kept within 0...count.
  public init(_ successes: Int, of count: Int) {
    self.count = max(count, 0)
    self.successes = min(max(successes, 0), self.count)
  }

  /// The proportion that a fraction of `count` stands for.
  public init(fraction: Double, of count: Int) {
    let successes = (fraction * Double(max(count, 0))).rounded()
    self.init(Int(exactly: successes) ?? 0, of: count)
  }

  /// The fraction; `nil` when nothing was counted.
  public var fraction: Double? { count > 0 ? Double(successes) / Double(count) : nil }

  /// The 95 % score interval (Wilson, 1927); 0...1 when nothing was counted.
  public var interval: ClosedRange<Double> {
    guard let p = fraction else { return 0...1 }
    let n = Double(count)
    let z = 1.959963984540054
    let center = p + z * z / (2 * n)
    let reach = z * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
    let scale = 1 + z * z / n
    return max(0, (center - reach) / scale)...min(1, (center + reach) / scale)
  }

  /// The 95 % interval of `self - other` (Newcombe, 1998, method 10).
  ///
  /// It takes the two as counted on different data; for the same data it is wider than it need be.
  public func difference(from other: Proportion) -> ClosedRange<Double>? {
    guard let p = fraction, let q = other.fraction else { return nil }
    let a = interval
    let b = other.interval
    func reach(_ x: Double, _ y: Double) -> Double { (x * x + y * y).squareRoot() }
    let low = p - q - reach(p - a.lowerBound, b.upperBound - q)
    let high = p - q + reach(a.upperBound - p, q - b.lowerBound)
    return min(low, high)...max(low, high)
  }
}
