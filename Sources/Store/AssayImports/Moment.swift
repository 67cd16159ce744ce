import AssayBase

/// Moments as tools write them.
enum Moment {
  /// Nanoseconds since 1970 of a moment such as `2023-06-01 12:34:56.789+00:00`.
  ///
  /// `2023-06-01T12:34:56Z` and `2023_06_01_12_34_56` are read too; without an offset it is taken as UTC.
  /// `nil` for anything else.
  static func nanoseconds(_ text: some StringProtocol) -> Int64? {
    let bytes = Array(text.utf8)
    var index = 0
    func number(_ digits: Int) -> Int64? {
      guard index + digits <= bytes.count else { return nil }
      var value: Int64 = 0
      for byte in bytes[index..<index + digits] {
        guard (0x30...0x39).contains(byte) else { return nil }
        value = value * 10 + Int64(byte - 0x30)
      }
      index += digits
      return value
    }
    func skip(_ allowed: String) -> Bool {
      guard index < bytes.count, allowed.utf8.contains(bytes[index]) else { return false }
      index += 1
      return true
    }
    guard let year = number(4), (1970...2200).contains(year), skip("-_/"), let month = number(2),
      (1...12).contains(month), skip("-_/"), let day = number(2), (1...31).contains(day),
      skip(" T_-"), let hour = number(2), hour < 24, skip(":_-"), let minute = number(2),
      minute < 60, skip(":_-"), let second = number(2), second < 61
    else { return nil }
    var fraction: Int64 = 0
    if skip(".,") {
      var unit: Int64 = 100_000_000
      while index < bytes.count, (0x30...0x39).contains(bytes[index]) {
        fraction += Int64(bytes[index] - 0x30) * unit
        unit /= 10
        index += 1
      }
    }
    var offset: Int64 = 0
    let sign: Int64 = skip("+") ? 1 : skip("-") ? -1 : 0
    if sign != 0 {
      guard let hours = number(2), hours < 24 else { return nil }
      _ = skip(":")
      offset = (hours * 60 + (number(2) ?? 0)) * 60 * sign
    }
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset
    return seconds * 1_000_000_000 + fraction
  }

  /// Days since 1970-01-01 of a date (Hinnant, chrono-compatible date algorithms).
  private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let y = month <= 2 ? year - 1 : year
    let era = y / 400
    let ofEra = y - era * 400
    let ofYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719_468
  }
}
