/// What a comparison can find, and how long it must be to find what is wanted.
public enum DetectableEffect {
  /// The true difference, in standard errors, that a test with this critical value finds with
  /// probability `power`.
  public static func shift(power: Double, critical: Double, freedom: Double) -> Double {
    SpecialFunctions.solve(power, in: 0...(critical + 200)) {
      StudentT.power(shift: $0, critical: critical, freedom: freedom)
    }
  }

  /// The difference that a t test of `count` units with this standard deviation finds.
  public static func smallest(
    deviation: Double,
    count: Int,
    confidence: Double = 0.95,
    power: Double = 0.9
  ) -> Double {
    guard count >= 2 else { return .infinity }
    let freedom = Double(count - 1)
    let critical = StudentT.quantile(1 - (1 - confidence) / 2, freedom: freedom)
    let error = deviation / Double(count).squareRoot()
    return error * shift(power: power, critical: critical, freedom: freedom)
  }

  /// The probability that a t test of `count` units with this standard deviation finds a difference.
  public static func power(
    of difference: Double,
    deviation: Double,
    count: Int,
    confidence: Double = 0.95
  ) -> Double {
    guard count >= 2 else { return 0 }
    guard deviation > 0 else { return difference == 0 ? 0 : 1 }
    let freedom = Double(count - 1)
    let critical = StudentT.quantile(1 - (1 - confidence) / 2, freedom: freedom)
    let shift = abs(difference) / deviation * Double(count).squareRoot()
    return StudentT.power(shift: shift, critical: critical, freedom: freedom)
  }

  /// The fewest units with which a t test finds a difference with probability `power`; `nil` when a
  /// million do not suffice.
  public static func count(
    toFind difference: Double,
    deviation: Double,
    confidence: Double = 0.95,
    power: Double = 0.9
  ) -> Int? {
    guard difference != 0 else { return nil }
    func suffices(_ count: Int) -> Bool {
      self.power(of: difference, deviation: deviation, count: count, confidence: confidence)
        >= power
    }
    var high = 2
    while !suffices(high) {
      high *= 2
      if high > 1 << 20 { return nil }
    }
    var low = high / 2
    while high - low > 1 {
      let middle = (low + high) / 2
      if suffices(middle) { high = middle } else { low = middle }
    }
    return high
  }
}
