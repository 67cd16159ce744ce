import AssayBase

/// Numbers and tables as the terminal shows them; the numbers are those of the pages (`Words`).
enum Text {
  /// Bytes with a unit of 1000: `12.3 MB`.
  static func bytes(_ count: Int) -> String { Words.bytes(count) }

  /// A count with a unit of 1000: `3.50 M`.
  static func count(_ count: Int) -> String { Words.count(count) }

  /// Nanoseconds with a unit: `1.23 ms`.
  static func time(_ nanoseconds: Double) -> String { Words.time(nanoseconds) }

  /// A time as people wait for it, in whole seconds: `12 s`, `3:05 min`, `1:02 h`.
  static func duration(_ nanoseconds: Double) -> String {
    let seconds = Int((nanoseconds / 1e9).rounded(.up).clamped(to: 0...1e9))
    func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
    if seconds < 100 { return "\(seconds) s" }
    if seconds < 3600 { return "\(seconds / 60):\(two(seconds % 60)) min" }
    return "\(seconds / 3600):\(two(seconds / 60 % 60)) h"
  }

  /// Three significant digits.
  static func significant(_ value: Double) -> String { Words.significant(value) }

  /// A number with a fixed number of decimals.
  static func fixed(_ value: Double, _ digits: Int) -> String { Words.fixed(value, digits) }

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

  /// How much of a job is done, such as `41 %`.
  static func percentDone(_ done: Int, of count: Int) -> String {
    Words.percent(count > 0 ? Double(done) / Double(count) : 1, 0)
  }
}

extension Double {
  /// The nearest number in a range; its lower end for what is no number.
  fileprivate func clamped(to range: ClosedRange<Double>) -> Double {
    isNaN ? range.lowerBound : Swift.min(Swift.max(self, range.lowerBound), range.upperBound)
  }
}
