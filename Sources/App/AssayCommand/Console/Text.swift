/// Numbers and tables as people read them.
enum Text {
  /// Bytes with a unit of 1000: `12.3 MB`.
  static func bytes(_ count: Int) -> String {
    let units = ["B", "kB", "MB", "GB"]
    var value = Double(count)
    var unit = 0
    while value >= 999.5, unit < units.count - 1 {
      value /= 1000
      unit += 1
    }
    return unit == 0 ? "\(count) B" : "\(significant(value)) \(units[unit])"
  }

  /// A count with a unit of 1000: `3.5 M`.
  static func count(_ count: Int) -> String {
    let units = ["", " k", " M", " G", " T"]
    var value = Double(count)
    var unit = 0
    while value >= 999.5, unit < units.count - 1 {
      value /= 1000
      unit += 1
    }
    return unit == 0 ? "\(count)" : "\(significant(value))\(units[unit])"
  }

  /// Nanoseconds with a unit: `1.23 ms`.
  static func time(_ nanoseconds: Double) -> String {
    switch nanoseconds {
    case ..<999.5: "\(significant(nanoseconds)) ns"
    case ..<999_500: "\(significant(nanoseconds / 1e3)) us"
    case ..<999_500_000: "\(significant(nanoseconds / 1e6)) ms"
    default: "\(significant(nanoseconds / 1e9)) s"
    }
  }

  /// Three significant digits.
  static func significant(_ value: Double) -> String {
    let magnitude = abs(value)
    let digits = magnitude < 9.995 ? 2 : magnitude < 99.95 ? 1 : 0
    return fixed(value, digits)
  }

  /// A number with a fixed number of decimals.
  static func fixed(_ value: Double, _ digits: Int) -> String {
    guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
    var power = 1.0
    for _ in 0..<digits { power *= 10 }
    let scaled = Int64((abs(value) * power).rounded())
    let sign = value < 0 && scaled != 0 ? "-" : ""
    guard digits > 0 else { return "\(sign)\(scaled)" }
    let fraction = String(scaled % Int64(power))
    let zeros = String(repeating: "0", count: digits - fraction.count)
    return "\(sign)\(scaled / Int64(power)).\(zeros)\(fraction)"
  }

  /// Rows under a header, columns aligned; columns in `numeric` to the right.
  static func table(_ header: [String], _ rows: [[String]], numeric: Set<Int> = []) -> String {
    let all = [header] + rows
    let widths = header.indices.map { column in
      all.map { $0.indices.contains(column) ? $0[column].count : 0 }.max() ?? 0
    }
    func line(_ row: [String]) -> String {
      let cells = row.enumerated().map { column, cell in
        let space = String(repeating: " ", count: max(0, widths[column] - cell.count))
        return numeric.contains(column) ? space + cell : cell + space
      }
      var text = cells.joined(separator: "  ")
      while text.last == " " { text.removeLast() }
      return text
    }
    let rule = widths.map { String(repeating: "-", count: $0) }
    return ([header, rule] + rows).map(line).joined(separator: "\n") + "\n"
  }
}
