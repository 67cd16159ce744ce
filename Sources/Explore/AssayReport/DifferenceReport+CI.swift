import AssayBase
import AssayRecord
import AssayStatistics

/// What build servers read: a summary in Markdown, and test results in JUnit's form.
extension DifferenceReport {
  /// The comparison in GitHub's Markdown, for a step's summary or a comment.
  public var markdown: String {
    let title =
      !isValid
      ? "INVALID" : outcome.map { $0 == .regressed ? "regressed" : $0.rawValue } ?? "compared"
    var text = "### assay: \(DifferenceReport.escaped(title))\n\n"
    text += sentences.map { DifferenceReport.escaped($0) }.joined(separator: " ") + "\n\n"
    text +=
      "| | \(DifferenceReport.escaped(a.name)) | \(DifferenceReport.escaped(b.name)) |\n|---|--:|--:|\n"
    for (name, value) in DifferenceReport.rows {
      text += "| \(name) | \(value(a.record)) | \(value(b.record)) |\n"
    }
    for side in [a, b] {
      for reason in side.record.reasons {
        text +=
          "\n- \(DifferenceReport.escaped(side.name)): \(DifferenceReport.escaped("\(reason)"))"
      }
    }
    return text + "\n"
  }

  /// The rows of the tables: what they tell, and of which figure.
  public static let rows: [(name: String, value: @Sendable (Record) -> String)] = [
    ("verdict", { $0.verdict.rawValue }),
    ("p50", { quantile($0.summary.p50) }),
    ("p90", { quantile($0.summary.p90) }),
    ("p99", { quantile($0.summary.p99) }),
    ("inputs per second", { $0.throughput.value.map { Words.significant($0) } ?? "-" }),
    ("peak memory", { $0.peakMemoryBytes.value.map { Words.bytes($0) } ?? "-" }),
    ("file", { Words.bytes($0.model.byteCount) }),
    ("samples", { "\($0.samples.count)" }),
  ]

  private static func quantile(_ figure: Figure<Quantile>) -> String {
    guard let quantile = figure.value else { return "-" }
    guard let interval = quantile.interval.value else { return Words.time(Double(quantile.value)) }
    return "\(Words.time(Double(quantile.value))) (\(Words.times(interval)))"
  }

  /// Characters that Markdown would take for its own, and line ends, made harmless.
  private static func escaped(_ text: String) -> String {
    var result = ""
    for character in Words.printable(text.split(separator: "\n").joined(separator: " ")) {
      switch character {
      case "|", "*", "_", "`", "[", "]", "#", "\\": result += "\\\(character)"
      case "<": result += "&lt;"
      case "&": result += "&amp;"
      default: result.append(character)
      }
    }
    return result
  }

  /// The comparison as one test case in JUnit's XML.
  ///
  /// A regression is a failure, a measurement that does not hold an error, an open question a pass whose
  /// words stand in the output.
  public var junit: String {
    let isError = !isValid
    let isFailure = !isError && outcome == .regressed
    let words = sentences.joined(separator: "\n")
    let time = [a, b].reduce(0.0) { total, side in
      side.record.windows.reduce(total) { $0 + Double($1.end &- $1.begin) / 1e9 }
    }
    let seconds = Words.fixed(time, 3)
    var body = ""
    if isError {
      let reasons = [a, b].flatMap { $0.record.reasons }.filter { $0.severity == .error }
      let text = ([words] + reasons.map { "\($0)" }).joined(separator: "\n")
      body += "    <error message=\"the measurement is INVALID\">\(xml(text))</error>\n"
    } else if isFailure {
      body += "    <failure message=\"\(xml(sentences.first ?? ""))\">\(xml(words))</failure>\n"
    }
    body += "    <system-out>\(xml(words))</system-out>\n"
    let counts =
      "tests=\"1\" failures=\"\(isFailure ? 1 : 0)\" errors=\"\(isError ? 1 : 0)\" time=\"\(seconds)\""
    return """
      <?xml version="1.0" encoding="UTF-8"?>
      <testsuites \(counts)>
        <testsuite name="assay" \(counts)>
          <testcase classname="assay.\(xml(b.record.runtime))" \
      name="\(xml("\(percentile) of \(b.name) against \(a.name)"))" time="\(seconds)">
      \(body)    </testcase>
        </testsuite>
      </testsuites>

      """
  }

  private func xml(_ text: String) -> String { Words.markup(text) }
}
