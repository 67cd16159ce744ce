/// A percentile in hundredths of a percent, so that ranks are whole-number arithmetic.
public struct Percentile: Sendable, Hashable, Comparable, CustomStringConvertible {
  /// Hundredths of a percent, 1...9999.
  public let hundredths: Int

  /// A whole percentile such as 99; what is outside 1...99 becomes the nearest of them.
  public init(_ percent: Int) { hundredths = min(max(percent, 1), 99) * 100 }

  /// A percentile in words such as `99`, `p99` or `99.9`; `nil` when it is none or finer than 0.01.
  public init?(_ text: String) {
    let digits = text.hasPrefix("p") || text.hasPrefix("P") ? text.dropFirst() : text[...]
    let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
    let areDigits = parts.allSatisfy { part in
      (1...2).contains(part.utf8.count) && part.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }
    guard (1...2).contains(parts.count), areDigits, let whole = Int(parts[0]) else { return nil }
    var value = whole * 100
    if parts.count == 2, let part = Int(parts[1]) {
      value += parts[1].utf8.count == 1 ? part * 10 : part
    }
    guard (1...9999).contains(value) else { return nil }
    hundredths = value
  }

  /// The median.
  public static let p50 = Percentile(50)
  /// The 90th percentile.
  public static let p90 = Percentile(90)
  /// The 99th percentile.
  public static let p99 = Percentile(99)

  /// The percentile as a part of one.
  public var fraction: Double { Double(hundredths) / 10_000 }

  /// The percentile as `p99` or `p99.9`.
  public var description: String {
    let (whole, part) = (hundredths / 100, hundredths % 100)
    if part == 0 { return "p\(whole)" }
    return part % 10 == 0 ? "p\(whole).\(part / 10)" : "p\(whole).\(part < 10 ? "0" : "")\(part)"
  }

  /// The rank (from 1) of the least of `count` samples that at least this part of all do not exceed.
  public func rank(of count: Int) -> Int { max(1, (count * hundredths + 9999) / 10_000) }

  /// The fewest samples of which this percentile is not merely the greatest: `1 / (1 - q)`.
  public var minimumCount: Int {
    hundredths <= 5000 ? 1 : (10_000 + 9999 - hundredths) / (10_000 - hundredths)
  }

  public static func < (a: Percentile, b: Percentile) -> Bool { a.hundredths < b.hundredths }
}
