/// Numbers and units as people read them.
public enum Words {
  /// A text within XML's or HTML's elements and quoted attributes.
  ///
  /// Characters that XML cannot hold at all become U+FFFD.
  public static func markup(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      case "\n", "\t": result.unicodeScalars.append(scalar)
      case "\u{0}"..<"\u{20}", "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// A number with `digits` significant digits, without an exponent.
  public static func significant(_ value: Double, _ digits: Int = 3) -> String {
    guard value.isFinite else { return value == .infinity ? "∞" : "-" }
    if value == 0 { return "0" }
    var magnitude = 0
    var scaled = abs(value)
    while scaled >= 10 {
      scaled /= 10
      magnitude += 1
    }
    while scaled < 1 {
      scaled *= 10
      magnitude -= 1
    }
    let places = max(0, digits - 1 - magnitude)
    let text = fixed(value, min(places, 12))
    // Rounding may have brought one more digit: 9.996 is 10.0, not 10.00.
    let shown = text.filter(\.isNumber).drop { $0 == "0" }.count
    return shown > digits && places > 0 ? fixed(value, places - 1) : text
  }

  /// A number with `places` decimal places.
  public static func fixed(_ value: Double, _ places: Int) -> String {
    guard value.isFinite else { return value == .infinity ? "∞" : "-" }
    var factor = 1.0
    for _ in 0..<places { factor *= 10 }
    let scaled = (abs(value) * factor).rounded()
    guard scaled < 1e18 else { return "\(value)" }
    let whole = Int64(scaled)
    let sign = value < 0 && whole != 0 ? "-" : ""
    if places == 0 { return sign + String(whole) }
    let divisor = Int64(factor)
    let part = String(whole % divisor)
    return sign + String(whole / divisor) + "." + String(repeating: "0", count: places - part.count)
      + part
  }

  /// A duration such as `41.6 µs`.
  public static func time(_ nanoseconds: Double) -> String {
    let (factor, unit) = timeUnit(nanoseconds)
    return significant(nanoseconds / factor) + " " + unit
  }

  /// The unit that a duration is told in.
  public static func timeUnit(_ nanoseconds: Double) -> (factor: Double, name: String) {
    switch abs(nanoseconds) {
    case ..<999.5: (1, "ns")
    case ..<999.5e3: (1e3, "µs")
    case ..<999.5e6: (1e6, "ms")
    default: (1e9, "s")
    }
  }

  /// A range of durations in one unit, such as `41.2-42.0 µs`.
  public static func times(_ range: ClosedRange<Int64>) -> String {
    let (factor, unit) = timeUnit(Double(range.upperBound))
    let low = significant(Double(range.lowerBound) / factor)
    let high = significant(Double(range.upperBound) / factor)
    return "\(low) to \(high) \(unit)"
  }

  /// Half the width of an interval in percent of its figure, as `±0.1 %`.
  public static func halfWidth(_ range: ClosedRange<Int64>, of value: Int64) -> String {
    guard value > 0 else { return "" }
    let percent = Double(range.upperBound - range.lowerBound) / 2 / Double(value) * 100
    if percent < 0.01 { return "±<0.01 %" }
    return "±" + significant(percent, percent < 1 ? 1 : 2) + " %"
  }

  /// A number without zeros at its end.
  public static func short(_ value: Double) -> String {
    var text = significant(value)
    guard text.contains(".") else { return text }
    while text.last == "0" { text.removeLast() }
    if text.last == "." { text.removeLast() }
    return text
  }

  /// A size such as `24.6 kB`.
  public static func bytes(_ count: Int) -> String {
    let value = Double(count)
    switch abs(value) {
    case ..<999.5: return "\(count) B"
    case ..<999.5e3: return significant(value / 1e3) + " kB"
    case ..<999.5e6: return significant(value / 1e6) + " MB"
    default: return significant(value / 1e9) + " GB"
    }
  }

  /// A large count such as `17.7 k`.
  public static func count(_ value: Int) -> String {
    switch abs(value) {
    case ..<10_000: "\(value)"
    case ..<1_000_000: significant(Double(value) / 1e3) + " k"
    case ..<1_000_000_000: significant(Double(value) / 1e6) + " M"
    default: significant(Double(value) / 1e9) + " G"
    }
  }

  /// A fraction as percent, such as `98.5 %`.
  public static func percent(_ fraction: Double, _ places: Int = 1) -> String {
    fixed(fraction * 100, places) + " %"
  }

  /// A rate such as `24 000 /s`.
  public static func rate(_ perSecond: Double) -> String { significant(perSecond) + "/s" }

  /// A moment as `2026-11-20 22:14 UTC`.
  public static func moment(_ nanoseconds: Int64) -> String {
    let seconds = nanoseconds / 1_000_000_000
    var days = seconds / 86400
    let rest = seconds - days * 86400
    // Days since 0000-03-01, so that the leap day ends a year (civil calendar, 400-year cycles).
    days += 719_468
    let era = (days >= 0 ? days : days - 146_096) / 146_097
    let day = days - era * 146_097
    let year = (day - day / 1460 + day / 36524 - day / 146_096) / 365
    let ofYear = day - (365 * year + year / 4 - year / 100)
    let month = (5 * ofYear + 2) / 153
    let ofMonth = ofYear - (153 * month + 2) / 5 + 1
    let civilMonth = month < 10 ? month + 3 : month - 9
    let civilYear = year + era * 400 + (civilMonth <= 2 ? 1 : 0)
    func two(_ value: Int64) -> String { value < 10 ? "0\(value)" : "\(value)" }
    return "\(civilYear)-\(two(civilMonth))-\(two(ofMonth)) \(two(rest / 3600)):"
      + "\(two(rest / 60 % 60)) UTC"
  }

  /// A command line that a shell reads back word by word.
  public static func shell(_ words: [String]) -> String {
    words.map { word in
      let plain =
        !word.isEmpty
        && word.unicodeScalars.allSatisfy { scalar in
          scalar.isASCII
            && (scalar.properties.isAlphabetic
              || "0123456789_-./=:,+@%".unicodeScalars.contains(scalar))
        }
      return plain
        ? word
        : "'"
          + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
          + "'"
    }.joined(separator: " ")
  }

  /// A text without characters that steer terminals.
  public static func printable(_ text: String) -> String {
    String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { scalar in
          let isControl = scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value)
          let isBidi =
            (0x202A...0x202E).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value)
          return isControl || isBidi ? "\u{FFFD}" : scalar
        }
      )
    )
  }
}
