#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The functions that distributions are made of.
enum SpecialFunctions {
  /// The natural logarithm.
  static func logarithm(_ x: Double) -> Double { log(x) }

  /// The exponential function.
  static func exponential(_ x: Double) -> Double { exp(x) }

  /// The complementary error function.
  static func complementaryError(_ x: Double) -> Double { erfc(x) }

  /// The logarithm of the gamma function of a positive number.
  ///
  /// Lanczos 1964, g = 7, nine terms: about 1e-15 relative. The system's `lgamma` writes a global
  /// variable, which threads would share.
  static func logGamma(_ x: Double) -> Double {
    if x < 0.5 {
      // The reflection, so that the series is used where it holds.
      return log(Double.pi / abs(sin(Double.pi * x))) - logGamma(1 - x)
    }
    let terms = [
      0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313,
      -176.61502916214059, 12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6,
      1.5056327351493116e-7,
    ]
    let shifted = x - 1
    var sum = terms[0]
    for index in 1..<terms.count { sum += terms[index] / (shifted + Double(index)) }
    let base = shifted + 7.5
    return 0.5 * log(2 * Double.pi) + (shifted + 0.5) * log(base) - base + log(sum)
  }

  /// The regularized incomplete beta function I_x(a, b) for positive a and b, by its continued fraction
  /// (DLMF 8.17.22, evaluated by Lentz's method).
  static func regularizedBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
    if x <= 0 { return 0 }
    if x >= 1 { return 1 }
    // The fraction converges fast on this side only.
    if x > (a + 1) / (a + b + 2) { return 1 - regularizedBeta(1 - x, b, a) }
    let front = exp(
      logGamma(a + b) - logGamma(a) - logGamma(b) + a * log(x) + b * log1p(-x)
    )
    let tiny = 1e-300
    var c = 1.0
    var d = 1 - (a + b) * x / (a + 1)
    d = 1 / (abs(d) < tiny ? tiny : d)
    var result = d
    for step in 1...20_000 {
      let m = Double(step)
      let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
      let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
      var change = 1.0
      for term in [even, odd] {
        d = 1 + term * d
        d = 1 / (abs(d) < tiny ? tiny : d)
        c = 1 + term / c
        if abs(c) < tiny { c = tiny }
        change = c * d
        result *= change
      }
      if abs(change - 1) < 1e-15 { break }
    }
    return min(max(front * result / a, 0), 1)
  }

  /// Where a rising function reaches a value, by halving an interval that contains it.
  static func solve(
    _ value: Double,
    in range: ClosedRange<Double>,
    _ f: (Double) -> Double
  ) -> Double {
    var (low, high) = (range.lowerBound, range.upperBound)
    for _ in 0..<200 {
      let middle = low + (high - low) / 2
      if middle == low || middle == high { break }
      if f(middle) < value { low = middle } else { high = middle }
    }
    return low + (high - low) / 2
  }
}
