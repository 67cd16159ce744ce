import AssayBase
import AssayRecord

/// The comparison as a terminal shows it: the answer first, then a table, then what failed.
///
/// `>` marks the pick, `*` the Pareto set. Columns that do not fit are left out, the less important
/// first; names are cut last.
///
/// - Parameters:
///   - width: columns of the terminal.
///   - color: whether ANSI colors may be used.
public func renderTable(
  _ report: ComparisonReport,
  width: Int = 100,
  color: Bool = false
)
  -> String
{
  let recommendation = Recommendation(report)
  let paint = Paint(isOn: color)
  var lines = [paint.bold(Words.printable(recommendation.headline))]
  for detail in recommendation.details {
    lines += wrapped("- " + Words.printable(detail), width: max(width, 40), indent: 2)
  }
  let shown = report.ordered.filter { !$0.samples.isEmpty }
  if !shown.isEmpty { lines += [""] + table(report, recommendation, shown, width, paint) }
  let failed = failures(report)
  if !failed.isEmpty {
    lines += ["", paint.bold("Without a valid result")]
    for (title, reasons) in failed {
      lines += wrapped("! \(title): \(reasons)", width: max(width, 40), indent: 2)
    }
  }
  return lines.joined(separator: "\n") + "\n"
}

/// Configurations and variants without a valid result, with their reasons.
func failures(_ report: ComparisonReport) -> [(title: String, reasons: String)] {
  var result: [(String, String)] = []
  for variant in report.variants {
    guard let failure = variant.failure else { continue }
    result.append((variant.name, "\(failure.summary) [\(failure.code)]"))
  }
  for record in report.ordered where record.verdict == .invalid {
    let reasons = record.reasons.filter { $0.severity == .error }
    let all = (reasons.isEmpty ? record.reasons : reasons).map { "\($0.summary) [\($0.code)]" }
    result.append(
      (report.title(record), all.isEmpty ? "no reason was noted" : all.joined(separator: "; "))
    )
  }
  return result.map { (Words.printable($0.0), Words.printable($0.1)) }
}

private func table(
  _ report: ComparisonReport,
  _ recommendation: Recommendation,
  _ records: [Record],
  _ width: Int,
  _ paint: Paint
) -> [String] {
  let summaries = records.map(report.summary)
  struct Drawn {
    var column: Column
    var cells: [String]
    var width: Int
  }
  var drawn: [Drawn] = report.columns.map { column in
    let cells = zip(records, summaries).map { record, summary in
      var text = column.text(record, summary, report).value ?? "-"
      if column.key == "p50Ns" { text += spread(record, report) }
      if column.key == "accuracy" { text += accuracySpread(record) }
      return Words.printable(text)
    }
    let widest = (cells + [column.heading]).map(\.count).max() ?? 0
    return Drawn(column: column, cells: cells, width: widest)
  }
  // A column in which there is nothing says nothing.
  drawn.removeAll { $0.cells.allSatisfy { $0 == "-" } }
  func total() -> Int { drawn.reduce(2) { $0 + $1.width + 2 } }
  while total() > width, let least = drawn.map(\.column.priority).max(), least > 0 {
    drawn.removeAll { $0.column.priority == least }
  }
  func line(_ mark: String, _ cell: (Drawn) -> String) -> String {
    let cells = drawn.map { column in
      let text = cell(column)
      let space = String(repeating: " ", count: max(0, column.width - text.count))
      return column.column.isNumber ? space + text : text + space
    }
    var joined = mark + " " + cells.joined(separator: "  ")
    while joined.last == " " { joined.removeLast() }
    return joined
  }
  var lines = [paint.dim(line(" ") { $0.column.heading })]
  for (index, record) in records.enumerated() {
    let isPick = record.id == recommendation.pick
    let isPareto = recommendation.pareto.contains(record.id)
    let mark = isPick ? ">" : record.verdict == .invalid ? "!" : isPareto ? "*" : " "
    let text = line(mark) { $0.cells[index] }
    lines.append(isPick ? paint.green(text) : record.verdict == .invalid ? paint.dim(text) : text)
  }
  let legend = "  > the pick   * no other is better in latency, quality and size   ! not valid"
  return lines + [paint.dim(String(legend.prefix(max(width, 40))))]
}

/// How well a median is known, as ` ±0.4 %`.
private func spread(_ record: Record, _ report: ComparisonReport) -> String {
  guard let range = report.spread(record) else { return "" }
  let text = Words.halfWidth(range, of: Int64(report.median(record)))
  return text.isEmpty ? "" : " " + text
}

/// Half the interval of an accuracy in points, as ` ±1.9`.
private func accuracySpread(_ record: Record) -> String {
  guard let accuracy = record.accuracy.value, record.accuracyCount > 0 else { return "" }
  let range = Proportion(fraction: accuracy, of: record.accuracyCount).interval
  return " ±" + Words.fixed((range.upperBound - range.lowerBound) * 50, 1)
}

/// A text in lines of at most `width` columns, later ones indented.
func wrapped(_ text: String, width: Int, indent: Int) -> [String] {
  var lines: [String] = []
  var line = ""
  for word in text.split(separator: " ") {
    if !line.isEmpty, line.count + 1 + word.count > width {
      lines.append(line)
      line = String(repeating: " ", count: indent) + word
    } else {
      line += (line.isEmpty ? "" : " ") + word
    }
  }
  return lines + [line]
}

private struct Paint {
  var isOn: Bool
  func bold(_ text: String) -> String { isOn ? "\u{1B}[1m\(text)\u{1B}[0m" : text }
  func dim(_ text: String) -> String { isOn ? "\u{1B}[2m\(text)\u{1B}[0m" : text }
  func green(_ text: String) -> String { isOn ? "\u{1B}[32m\(text)\u{1B}[0m" : text }
}

/// The records as CSV (RFC 4180): numbers in base units, empty where a figure is missing.
public func renderCSV(_ report: ComparisonReport) -> String {
  let recommendation = Recommendation(report)
  let extra = [
    "p50LowNs", "p50HighNs", "spreadLowNs", "spreadHighNs", "accuracyLow", "accuracyHigh",
    "samples",
  ]
  let tail = ["pareto", "pick", "verdict", "reasons", "modelSha256", "id"]
  var lines = [(report.columns.map(\.key) + extra + tail).joined(separator: ",")]
  for record in report.ordered {
    let summary = report.summary(record)
    var cells = report.columns.map { column in
      column.isNumber
        ? column.number(record, summary).map(plain) ?? ""
        : column.key == "runtime"
          ? record.runtime : column.text(record, summary, report).value ?? ""
    }
    let range = summary.p50.value?.interval.value
    cells += [range.map { "\($0.lowerBound)" } ?? "", range.map { "\($0.upperBound)" } ?? ""]
    let spread = report.spread(record)
    cells += [spread.map { "\($0.lowerBound)" } ?? "", spread.map { "\($0.upperBound)" } ?? ""]
    let accuracy = record.accuracy.value.map {
      Proportion(fraction: $0, of: record.accuracyCount).interval
    }
    cells += [
      accuracy.map { plain($0.lowerBound) } ?? "", accuracy.map { plain($0.upperBound) } ?? "",
    ]
    cells += [
      "\(record.samples.count)",
      recommendation.pareto.contains(record.id) ? "1" : "0",
      recommendation.pick == record.id ? "1" : "0",
      record.verdict.rawValue,
      record.reasons.map { "\($0.code) \($0.summary)" }.joined(separator: "; "),
      record.model.sha256,
      record.id,
    ]
    lines.append(cells.map(csvField).joined(separator: ","))
  }
  return lines.joined(separator: "\r\n") + "\r\n"
}

private func plain(_ value: Double) -> String {
  value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : "\(value)"
}

/// A CSV field; one that a spreadsheet would take for a formula is kept from being one.
package func csvField(_ text: String) -> String {
  var field = text
  if let first = field.first, "=+-@\t\r".contains(first), Double(field) == nil {
    field = "'" + field
  }
  guard field.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return field }
  return "\""
    + field.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
    + "\""
}

/// The comparison as Markdown: the answer, the table, what failed.
public func renderMarkdown(_ report: ComparisonReport) -> String {
  let recommendation = Recommendation(report)
  func cell(_ text: String) -> String {
    var result = ""
    for character in Words.printable(text) {
      switch character {
      case "|": result += "\\|"
      case "<": result += "&lt;"
      case "&": result += "&amp;"
      case "*", "_", "`", "[", "]", "\\": result += "\\\(character)"
      default: result.append(character)
      }
    }
    return result
  }
  var lines = ["**\(cell(recommendation.headline))**", ""]
  lines += recommendation.details.map { "- " + cell($0) }
  let shown = report.ordered.filter { !$0.samples.isEmpty }
  if !shown.isEmpty {
    lines += ["", "| | " + report.columns.map(\.heading).joined(separator: " | ") + " |"]
    lines.append("|---|" + report.columns.map { $0.isNumber ? "---:|" : "---|" }.joined())
    for record in shown {
      let summary = report.summary(record)
      let mark =
        record.id == recommendation.pick
        ? "**pick**" : recommendation.pareto.contains(record.id) ? "pareto" : ""
      let cells = report.columns.map { cell($0.text(record, summary, report).value ?? "-") }
      lines.append("| \(mark) | " + cells.joined(separator: " | ") + " |")
    }
  }
  let failed = failures(report)
  if !failed.isEmpty {
    lines += ["", "Without a valid result:", ""]
    lines += failed.map { "- \(cell($0.title)): \(cell($0.reasons))" }
  }
  return lines.joined(separator: "\n") + "\n"
}
