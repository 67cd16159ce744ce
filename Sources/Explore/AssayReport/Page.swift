import AssayBase
import AssayRecord

/// The comparison as one HTML page that needs no network and no other file.
///
/// The answer first, then the table, the charts, what failed, and how everything was measured. It reads
/// on a phone, in light and dark, without scripts, and with a screen reader: each chart has its
/// description, and the table has its figures.
public func renderReport(_ report: ComparisonReport) -> String {
  let recommendation = Recommendation(report)
  let charts = Charts(report, recommendation)
  let page = Page(report: report, recommendation: recommendation, charts: charts)
  return page.document.text
}

struct Page {
  let report: ComparisonReport
  let recommendation: Recommendation
  let charts: Charts

  var pick: Record? { report.records.first { $0.id == recommendation.pick } }
  var baseline: Record? { report.records.first { $0.id == recommendation.baseline } }

  var document: Markup {
    let name =
      report.original.path.split(separator: "/").last.map(String.init) ?? report.original.path
    return """
      \(Page.head("\(name): which variant to ship", style: Page.style + CertificatePage.style))
      <body>
      <header>
      <p class="brand"><b>assay</b> \(report.version) <span>\(Words.moment(report.madeAt))</span></p>
      <h1>\(name)</h1>
      <p class="facts">\(facts)</p>
      </header>
      <main>
      \(answer)
      \(section("table", "All configurations", "Sort by a column's heading. Point at a heading for what it means.", table))
      \(charts.scatter.map { section("scatter", "Latency against quality", "To the left is faster, up is better, small points are small files. The dashed line is the best that each latency can have.\(charts.shownQuality == .accuracy ? " Upright lines are 95 % intervals of accuracy." : "")", charts.legend + $0) } ?? "")
      \(charts.distributions.map { section("distributions", "How latency varies", "Every timed inference counts. The marks are p50, p90 and p99; the scale is logarithmic.", charts.legend + $0) } ?? "")
      \(charts.initialization.map { section("init", "Before the first answer", "What a user waits for when the program starts.", $0) } ?? "")
      \(charts.operators.map { section("operators", "Where the time goes", "Times of operators, by the runtime's own profiler, from separate runs.", $0) } ?? "")
      \(sustained)
      \(certificates)
      \(failed)
      \(section("how", "How this was measured", "", method))
      </main>
      <footer><p>Made by assay \(report.version). Times are of this machine at this moment; measure again \
      where you ship.</p></footer>
      <script>\(Page.script)</script>
      </body>
      </html>

      """
  }

  private func section(_ id: Markup, _ title: Markup, _ lead: Markup, _ body: Markup) -> Markup {
    let words: Markup = lead.text.isEmpty ? "" : "<p class=\"lead\">\(lead)</p>"
    return "<section id=\"\(id)\"><h2>\(title)</h2>\(words)\(body)</section>"
  }

  /// Throughput over time of those that were measured under a long load.
  private var sustained: Markup {
    let drawings = report.ordered.compactMap { SustainedDrawing($0) }
    guard !drawings.isEmpty else { return "" }
    return section(
      "sustained",
      "Under a long load",
      "Throughput of each stretch, and the levels between changes of at least 2 %.",
      "<style>\(SustainedDrawing.style)</style>"
        + drawings.map { "<p>\($0.answer)</p>\($0.figure)" as Markup }.reduce("", +)
    )
  }

  private var facts: Markup {
    let original = report.original
    var parts: [String] = []
    if let producer = original.producer { parts.append(producer) }
    if original.byteCount > 0 { parts.append(Words.bytes(original.byteCount)) }
    if let count = original.parameterCount { parts.append("\(Words.count(count)) parameters") }
    if let count = original.macCount { parts.append("\(Words.count(count)) multiply-accumulates") }
    if let part = original.accuracy?.fraction { parts.append("\(Words.percent(part)) accurate") }
    return "\(parts.joined(separator: " · "))"
  }

  // MARK: The answer

  private var answer: Markup {
    let list = recommendation.details.map { detail -> Markup in "<li>\(detail)</li>" }
    return """
      <section class="answer\(pick == nil ? " none" : "")" id="answer">
      <p class="eyebrow">Recommendation</p>
      <h2>\(recommendation.headline)</h2>
      \(keys)
      <ul>\(list)</ul>
      </section>
      """
  }

  /// The pick's figures in large print.
  private var keys: Markup {
    guard let pick else { return "" }
    var cards: [Markup] = []
    let median = report.median(pick)
    if let baseline, baseline.id != pick.id, median > 0 {
      let ratio = report.median(baseline) / median
      let word = ratio >= 1 ? "faster" : "slower"
      cards.append(
        card(
          "\(Words.significant(max(ratio, 1 / ratio), 2))×",
          "\(word) than float32",
          Words.time(median)
        )
      )
    } else {
      cards.append(card(Words.time(median), "at the median", ""))
    }
    if let baseline, baseline.id != pick.id, pick.model.byteCount > 0 {
      let ratio = Double(baseline.model.byteCount) / Double(pick.model.byteCount)
      if ratio >= 1.05 {
        cards.append(
          card("\(Words.significant(ratio, 2))×", "smaller", Words.bytes(pick.model.byteCount))
        )
      } else {
        cards.append(card(Words.bytes(pick.model.byteCount), "on disk", ""))
      }
    } else {
      cards.append(card(Words.bytes(pick.model.byteCount), "on disk", ""))
    }
    if let accuracy = pick.accuracy.value {
      let range = Proportion(fraction: accuracy, of: pick.accuracyCount).interval
      cards.append(
        card(
          Words.percent(accuracy),
          "accurate",
          "\(Words.fixed(range.lowerBound * 100, 1)) to \(Words.percent(range.upperBound))"
        )
      )
    } else if let agreement = pick.agreement.value {
      cards.append(card(Words.percent(agreement), "the original's answer", ""))
    } else if let snr = pick.snrDb.value {
      cards.append(
        card(snr.isFinite ? Words.fixed(snr, 1) + " dB" : "exact", "signal to noise", "")
      )
    }
    if let memory = pick.peakMemoryBytes.value {
      cards.append(card(Words.bytes(memory), "peak memory", ""))
    }
    return "<div class=\"cards\">\(cards)</div>"
  }

  private func card(_ figure: String, _ words: String, _ small: String) -> Markup {
    let note: Markup = small.isEmpty ? "" : "<small>\(small)</small>"
    return "<div class=\"card\"><strong>\(figure)</strong><span>\(words)</span>\(note)</div>"
  }

  // MARK: The table

  /// The columns that hold something, and why the others do not.
  private var columns: (shown: [Column], absent: [String]) {
    let records = report.ordered.filter { !$0.samples.isEmpty }
    var shown: [Column] = []
    var absent: [String] = []
    for column in report.columns {
      let cells = records.map { column.text($0, report.summary($0), report) }
      if cells.contains(where: { $0.value != nil }) {
        shown.append(column)
      } else if let reason = cells.first?.missingReason {
        absent.append("\(column.heading) (\(reason))")
      }
    }
    return (shown, absent)
  }

  private var table: Markup {
    let (shown, absent) = columns
    var heads = shown.map { column -> Markup in
      "<th scope=\"col\"\(column.isNumber ? " class=\"n\"" as Markup : "") title=\"\(column.help)\"><button type=\"button\">\(column.heading)</button></th>"
    }
    heads.insert(
      "<th scope=\"col\" title=\"whether the figures hold\"><button type=\"button\">verdict</button></th>",
      at: min(3, heads.count)
    )
    let slowest = report.valid.map(report.median).filter(\.isFinite).max() ?? 1
    let rows = report.ordered.filter { !$0.samples.isEmpty }.map { row($0, shown, slowest) }
    if rows.isEmpty { return "<p>Nothing was measured.</p>" }
    let note: Markup =
      absent.isEmpty ? "" : "<p class=\"lead\">Not there: \(absent.joined(separator: ", ")).</p>"
    return """
      <div class="scroll"><table class="sortable"><thead><tr>\(heads)</tr></thead>
      <tbody>\(rows)</tbody></table></div>\(note)
      """
  }

  private func row(_ record: Record, _ columns: [Column], _ slowest: Double) -> Markup {
    let summary = report.summary(record)
    var cells = columns.map { column -> Markup in
      let number = column.number(record, summary)
      let key: Markup = number.map { " data-v=\"\(plain($0))\"" } ?? ""
      let kind: Markup = column.isNumber ? " class=\"n\"" : ""
      switch column.text(record, summary, report) {
      case .missing(let reason):
        return "<td\(kind)\(key) title=\"\(reason)\"><span class=\"missing\">–</span></td>"
      case .value(let text):
        return "<td\(kind)\(key)>\(cell(column, text, record, summary, slowest))</td>"
      }
    }
    let isPick = record.id == recommendation.pick
    let marks: Markup =
      isPick
      ? " class=\"pick\"" : record.verdict == .invalid ? " class=\"invalid\"" : ""
    // The machine's state beforehand is that of every row, and stands with the machine.
    let reasons = record.reasons.filter { $0.location.first != "preflight" }
    let notes = reasons.map { "\($0.code): \($0.summary)" }.joined(separator: "\n")
    let pill: Markup =
      isPick
      ? "<b class=\"pill ship\">the pick</b>"
      : record.verdict == .invalid
        ? "<b class=\"pill bad\">invalid</b>"
        : recommendation.pareto.contains(record.id)
          ? "<b class=\"pill front\">best trade</b>" : "<b class=\"pill\">valid</b>"
    let warn: Markup =
      record.verdict == .valid && !reasons.isEmpty
      ? " <span class=\"warn\" title=\"\(notes)\">\(reasons.count) note\(reasons.count == 1 ? "" : "s" as Markup)</span>"
      : ""
    cells.insert("<td title=\"\(notes)\">\(pill)\(warn)</td>", at: min(3, cells.count))
    return "<tr\(marks)>\(cells)</tr>\n"
  }

  private func plain(_ value: Double) -> Markup {
    // Sorting needs an order, not the digits: keep what the shortest text of a number has.
    Markup(stringLiteral: value.isFinite ? "\(value)" : value > 0 ? "1e999" : "-1e999")
  }

  private func cell(
    _ column: Column,
    _ text: String,
    _ record: Record,
    _ summary: Summary,
    _ slowest: Double
  ) -> Markup {
    switch column.key {
    case "p50Ns":
      let part = max(1, min(100, report.median(record) / slowest * 100))
      let interval = summary.p50.value?.interval.value
      let words = interval.map { "95 % interval \(Words.times($0)); " } ?? "no interval; "
      let rounds = summary.roundMedians.map { Words.time(Double($0)) }.joined(separator: ", ")
      let half =
        report.spread(record).map { Words.halfWidth($0, of: Int64(report.median(record))) } ?? ""
      return """
        <span class="lat"><span class="bar"><i class="\(charts.color(record))" \
        style="width:\(part)%"></i></span><span title="\(words)medians of the rounds \(rounds)">\
        \(text) <small>\(half)</small></span></span>
        """
    case "p90Ns", "p99Ns":
      let quantile = column.key == "p90Ns" ? summary.p90 : summary.p99
      let range = quantile.value?.interval.value
      let words =
        range.map { "95 % interval \(Words.times($0))" } ?? "too few samples for an interval"
      return "<span title=\"\(words)\">\(text)</span>"
    case "accuracy":
      guard let accuracy = record.accuracy.value, record.accuracyCount > 0 else { return "\(text)" }
      let range = Proportion(fraction: accuracy, of: record.accuracyCount).interval
      let words =
        "95 % interval \(Words.fixed(range.lowerBound * 100, 1)) to \(Words.percent(range.upperBound)), "
        + "\(record.accuracyCount) samples"
      let half = Words.fixed((range.upperBound - range.lowerBound) * 50, 1)
      return "\(text) <small title=\"\(words)\">±\(half)</small>"
    case "variant": return "<b>\(text)</b>"
    case "runtime": return "<i class=\"dot \(charts.color(record))\"></i>\(text)"
    case "initNs":
      let parts = record.initialization
      let words = [("read", parts.read), ("compile", parts.compile)].compactMap { name, figure in
        figure.value.map { "\(name) \(Words.time(Double($0)))" }
      }.joined(separator: ", ")
      return "<span title=\"\(words)\">\(text)</span>"
    default: return "\(text)"
    }
  }

  // MARK: The proofs

  /// What the comparison of each variant with the original has shown.
  private var certificates: Markup {
    let items = report.variants.compactMap { variant -> Markup? in
      guard let json = variant.certificateJSON else { return nil }
      return CertificatePage.details(
        json,
        name: variant.name,
        sentence: variant.certificate ?? ""
      )
    }
    guard !items.isEmpty else { return "" }
    return section(
      "equal",
      "Equal to the original",
      "Every variant was compared with the original before it was measured: outputs, values between, and operators by themselves.",
      "\(items)"
    )
  }

  // MARK: What failed, and how it was measured

  private var failed: Markup {
    let rows = failures(report)
    guard !rows.isEmpty else { return "" }
    let items = rows.map { title, reasons -> Markup in "<dt>\(title)</dt><dd>\(reasons)</dd>" }
    return section(
      "failed",
      "Without a valid result",
      "These are results too: they say what does not run, or could not be measured here.",
      "<dl class=\"failed\">\(items)</dl>"
    )
  }

  private func pair(_ key: String, _ value: String?) -> Markup {
    guard let value, !value.isEmpty else { return "" }
    return "<dt>\(key)</dt><dd>\(value)</dd>"
  }

  private var method: Markup {
    let environment = report.records.first { !($0.environment.pairs ?? []).isEmpty }?.environment
    var machine = (environment?.pairs ?? []).map { key, value -> Markup in
      "<dt>\(key)</dt><dd>\(value.string ?? value.text())</dd>"
    }
    let beforehand = report.records.flatMap(\.reasons).filter { $0.location.first == "preflight" }
    machine += beforehand.map { "\($0.summary) [\($0.code)]" }.uniqued().map { finding -> Markup in
      "<dt>preflight</dt><dd>\(finding)</dd>"
    }
    let versions = report.ordered.map { "\(report.title(ofRuntime: $0.runtime)) \($0.version)" }
      .uniqued()
    let samples = report.valid.map(\.samples.count)
    let counts =
      samples.min().flatMap { low in
        samples.max().map { low == $0 ? "\(low) for each" : "\(low) to \($0) for each" }
      }
    let constraint = ConstraintJudge(recommendation.constraint, report, recommendation.quality)
    let variants = report.variants.map { variant -> Markup in
      "<tr><td><b>\(variant.name)</b></td><td class=\"n\">\(variant.operatorCount.map(String.init) ?? "–")</td><td>\(variant.certificate ?? variant.failure?.summary ?? "–")</td></tr>"
    }
    var files: [Markup] = []
    var seen: Set<String> = []
    for record in report.ordered where seen.insert(record.model.path + record.model.sha256).inserted
    {
      files.append(
        "<tr><td>\(record.model.path)</td><td class=\"n\">\(record.model.byteCount)</td><td class=\"hash\">\(record.model.sha256)</td></tr>"
      )
    }
    let notes = report.notes.map { note -> Markup in
      "<li>\(note.summary) <small>[\(note.code)]</small></li>"
    }
    let placements = report.ordered.compactMap { record -> Markup? in
      guard let provider = record.placement["provider"]?.string else { return nil }
      let share =
        record.placement["placed"]?.int.flatMap { placed in
          record.placement["total"]?.int.map { " \(placed) of \($0) operators" }
        } ?? ""
      return "<tr><td>\(report.title(record))</td><td>\(provider)\(share)</td></tr>"
    }
    let commands = report.records.map { Words.shell($0.command) }.filter { !$0.isEmpty }.uniqued()
      .prefix(20).map { command -> Markup in "<pre><code>\(command)</code></pre>" }
    let csv = renderCSV(report)
    return """
      \(report.command.isEmpty ? "" : "<pre><code>\(Words.shell(report.command))</code></pre>" as Markup)
      <dl class="pairs">
      \(pair("constraint", constraint.text))
      \(pair("judged on", report.data))
      \(pair("calibrated on", report.calibration))
      \(pair("preprocessing", report.preprocessing))
      \(pair("runtimes", versions.joined(separator: ", ")))
      \(pair("samples", counts))
      \(pair("records", report.store))
      \(pair("comparison", report.records.first?.session))
      \(pair("original", report.original.path))
      \(pair("SHA-256", report.original.sha256))
      </dl>
      <p>Each configuration ran in a process of its own; they took turns in random order over several \
      rounds, so that the machine's drift hits all alike. Percentiles are samples, not interpolated; \
      their intervals hold for any distribution (95 %, order statistics). The ± beside a median spans its \
      interval and the medians of the rounds, so that drift counts too. Intervals of accuracy are \
      Wilson's. A figure that could not be measured is missing, with its reason, and never made up.</p>
      \(notes.isEmpty ? "" : "<ul class=\"notes\">\(notes)</ul>" as Markup)
      \(variants.isEmpty ? "" : more("Variants", "<table><thead><tr><th>variant</th><th class=\"n\">operators</th><th>against the original</th></tr></thead><tbody>\(variants)</tbody></table>"))
      \(placements.isEmpty ? "" : more("What really executed", "<table><tbody>\(placements)</tbody></table>"))
      \(more("Files", "<table><thead><tr><th>file</th><th class=\"n\">bytes</th><th>SHA-256</th></tr></thead><tbody>\(files)</tbody></table>"))
      \(machine.isEmpty ? "" : more("Machine and conditions", "<dl class=\"pairs\">\(machine)</dl>"))
      \(commands.count < 2 ? "" : more("Commands", "\(commands)"))
      <p><a download="comparison.csv" href="data:text/csv;charset=utf-8,\(Markup(stringLiteral: Page.percentEncoded(csv)))">Download the table as CSV</a></p>
      """
  }

  private func more(_ title: Markup, _ body: Markup) -> Markup {
    "<details><summary>\(title)</summary><div class=\"scroll\">\(body)</div></details>"
  }

  /// A text for a URL: everything but letters and digits as %XX.
  static func percentEncoded(_ text: String) -> String {
    let hex = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: bytes.append(byte)
      default: bytes += [0x25, hex[Int(byte >> 4)], hex[Int(byte & 15)]]
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
