extension Text {
  /// A moment in nanoseconds since 1970, as `2026-11-21 08:15` in UTC.
  static func moment(_ nanoseconds: Int64) -> String {
    let minutes = Int((nanoseconds / 60_000_000_000))
    let days = minutes >= 0 ? minutes / 1440 : (minutes - 1439) / 1440
    let inDay = minutes - days * 1440
    // Days to a date by eras of 400 years that begin in March (Hinnant, chrono-compatible dates).
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let day = shifted - era * 146_097
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365
    let ofYear = day - (365 * year + year / 4 - year / 100)
    let part = (5 * ofYear + 2) / 153
    let month = part < 10 ? part + 3 : part - 9
    func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
    return "\(year + era * 400 + (month <= 2 ? 1 : 0))-\(two(month))-"
      + "\(two(ofYear - (153 * part + 2) / 5 + 1)) \(two(inDay / 60)):\(two(inDay % 60))"
  }
}
