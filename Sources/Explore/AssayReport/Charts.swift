import AssayBase
import AssayRecord

/// The charts of the page.
///
/// Each is an SVG without a view box, so that text keeps its size on a phone,
/// or rows of HTML; each names its contents for people who do not see it.
struct Charts {
  let report: ComparisonReport
  let recommendation: Recommendation
  let runtimes: [String]
  /// The quality that the scatter shows: signal to noise where all are equally accurate.
  let shownQuality: Recommendation.Quality

  init(_ report: ComparisonReport, _ recommendation: Recommendation) {
    self.report = report
    self.recommendation = recommendation
    runtimes = report.ordered.map(\.runtime).uniqued().sorted()
    let valid = report.valid
    let accuracies = Set(valid.compactMap(\.accuracy.value))
    let isTie = recommendation.quality == .accuracy && accuracies.count == 1
    shownQuality =
      isTie && valid.contains { $0.snrDb.value != nil } ? .snr : recommendation.quality
  }

  /// The class that gives a runtime its color.
  func color(_ record: Record) -> String {
    "c\((runtimes.firstIndex(of: record.runtime) ?? 0) % 6)"
  }

  /// The colors and what they stand for.
  var legend: Markup {
    let keys = runtimes.enumerated().map { index, id -> Markup in
      "<span class=\"key\"><i class=\"dot c\(index % 6)\"></i>\(report.title(ofRuntime: id))</span>"
    }
    return "<p class=\"legend\">\(keys)</p>"
  }

  // MARK: Latency against quality

  /// The unit and title of the quality axis.
  private var qualityTitle: String {
    switch shownQuality {
    case .accuracy: "accuracy, %"
    case .agreement: "agreement with the original, %"
    case .snr:
      recommendation.quality == .accuracy
        ? "signal to noise, dB (all are equally accurate)" : "signal to noise, dB"
    case .none: ""
    }
  }

  /// The value on the quality axis; equal outputs stand a little above all others.
  private func quality(_ record: Record, exact: Double) -> Double? {
    guard let value = Recommendation.value(record, shownQuality) else { return nil }
    switch shownQuality {
    case .accuracy, .agreement: return value * 100
    case .snr: return value.isFinite ? value : exact
    case .none: return nil
    }
  }

  /// The 95 % interval of an accuracy, in percent.
  private func interval(_ record: Record) -> ClosedRange<Double>? {
    guard shownQuality == .accuracy, let accuracy = record.accuracy.value,
      record.accuracyCount > 0
    else { return nil }
    let range = Proportion(fraction: accuracy, of: record.accuracyCount).interval
    return range.lowerBound * 100...range.upperBound * 100
  }

  /// Latency against quality, the area of a point being the size of its file.
  var scatter: Markup? {
    let finite = report.valid.compactMap { quality($0, exact: .nan) }.filter(\.isFinite)
    let exact = (finite.max() ?? 100) + 10
    let points = report.valid.compactMap { record in
      quality(record, exact: exact).map { (record: record, x: report.median(record), y: $0) }
    }
    guard points.count > 1 else { return nil }
    let x = Axis(logarithmic: points.map(\.x), air: 0.1)
    // Intervals of the best ones are shown whole, so that the axis does not magnify chance.
    let intervals = points.filter { recommendation.pareto.contains($0.record.id) }.compactMap {
      point in interval(point.record).map { (x: point.x, range: $0) }
    }
    let ends = intervals.flatMap { [$0.range.lowerBound, $0.range.upperBound] }
    let y = Axis(linear: points.map(\.y) + ends, air: ends.isEmpty ? 0.16 : 0.06)
    let height = 400.0
    let top = 30.0
    let bottom = 44.0
    func percent(_ value: Double) -> Double { 8 + 89 * x.place(value) }
    func row(_ value: Double) -> Double { top + (height - bottom - top) * (1 - y.place(value)) }
    let greatest = points.map(\.record.model.byteCount).max() ?? 1

    var marks: Markup = ""
    for tick in x.ticks() {
      marks +=
        "<line class=\"grid\" x1=\"\(percent(tick))%\" x2=\"\(percent(tick))%\" y1=\"\(top)\" y2=\"\(height - bottom)\"/>"
      marks +=
        "<text class=\"tick\" x=\"\(percent(tick))%\" y=\"\(height - bottom + 18)\" text-anchor=\"middle\">\(Words.time(tick))</text>"
    }
    let places = y.ticks().map { $0 == $0.rounded() ? 0 : 1 }.max() ?? 0
    for tick in y.ticks() {
      marks += "<line class=\"grid\" x1=\"8%\" x2=\"97%\" y1=\"\(row(tick))\" y2=\"\(row(tick))\"/>"
      marks +=
        "<text class=\"tick\" x=\"7.4%\" y=\"\(row(tick) + 4)\" text-anchor=\"end\">\(Words.fixed(tick, places))</text>"
    }
    marks += front(points.map { ($0.record, $0.x, $0.y) }, percent, row, height - bottom)
    for (place, range) in intervals {
      marks += """
        <line class="whisker" x1="\(percent(place))%" x2="\(percent(place))%" \
        y1="\(row(range.lowerBound))" y2="\(row(range.upperBound))"/>
        """
    }
    // Large ones first, so that small ones stay visible.
    for point in points.sorted(by: { $0.record.model.byteCount > $1.record.model.byteCount }) {
      let radius =
        4 + 12 * (Double(point.record.model.byteCount) / Double(max(greatest, 1))).squareRoot()
      let isPick = point.record.id == recommendation.pick
      let isPareto = recommendation.pareto.contains(point.record.id)
      marks += """
        <circle class="point \(color(point.record))\(isPareto ? " pareto" : "")\(isPick ? " pick" : "")" \
        cx="\(percent(point.x))%" cy="\(row(point.y))" r="\(radius)" data-tip="\(tip(point.record))">\
        <title>\(tip(point.record))</title></circle>
        """
    }
    marks += labels(points.map { ($0.record, $0.x, $0.y) }, percent, row)
    return """
      <svg class="chart" role="img" width="100%" height="\(height)" aria-labelledby="scatter-t scatter-d">
      <title id="scatter-t">Latency against quality</title>
      <desc id="scatter-d">Median latency to the right, \(qualityTitle) upwards, for \(points.count) \
      configurations; the table below has the same figures.</desc>
      \(marks)
      <text class="axis" x="97%" y="\(height - 6)" text-anchor="end">median latency (logarithmic) →</text>
      <text class="axis" x="0" y="14">↑ \(qualityTitle)</text>
      </svg>
      """
  }

  /// The best quality that each latency can have, as steps.
  private func front(
    _ points: [(Record, Double, Double)],
    _ percent: (Double) -> Double,
    _ row: (Double) -> Double,
    _ bottom: Double
  ) -> Markup {
    // In the plane only latency and quality count; a step leads up at each better one.
    var best = -Double.infinity
    var steps: [(x: Double, y: Double)] = []
    for point in points.sorted(by: { $0.1 == $1.1 ? $0.2 > $1.2 : $0.1 < $1.1 })
    where point.2 > best {
      best = point.2
      steps.append((percent(point.1), row(point.2)))
    }
    guard let first = steps.first, let last = steps.last else { return "" }
    var lines: Markup = line(first.x, bottom, first.x, first.y)
    for (a, b) in zip(steps, steps.dropFirst()) {
      lines += line(a.x, a.y, b.x, a.y)
      lines += line(b.x, a.y, b.x, b.y)
    }
    return lines + line(last.x, last.y, 97, last.y)
  }

  /// Whether no point is both to the left and as high, or as far left and higher.
  private func isOnFront(
    _ point: (Record, Double, Double),
    of points: [(Record, Double, Double)]
  ) -> Bool {
    !points.contains { other in
      (other.1 < point.1 && other.2 >= point.2) || (other.1 <= point.1 && other.2 > point.2)
    }
  }

  private func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double) -> Markup {
    "<line class=\"front\" x1=\"\(x1)%\" y1=\"\(y1)\" x2=\"\(x2)%\" y2=\"\(y2)\"/>"
  }

  /// Names beside the points of the front, those left out that would cover another.
  private func labels(
    _ points: [(Record, Double, Double)],
    _ percent: (Double) -> Double,
    _ row: (Double) -> Double
  ) -> Markup {
    var taken: [(x: Double, y: Double)] = []
    var marks: Markup = ""
    let ranked = points.sorted { a, _ in a.0.id == recommendation.pick }
    for point in ranked
    where point.0.id == recommendation.pick || isOnFront(point, of: points) {
      let (x, y) = (percent(point.1), row(point.2))
      if taken.contains(where: { abs($0.x - x) < 24 && abs($0.y - y) < 16 }) { continue }
      taken.append((x, y))
      let isLeft = x > 66
      marks += """
        <text class="label" x="\(x)%" y="\(y - 20)" text-anchor="\(isLeft ? "end" : "start" as Markup)">\
        \(point.0.variant)</text>
        """
    }
    return marks
  }

  /// What a point says when it is pointed at.
  func tip(_ record: Record) -> String {
    let summary = report.summary(record)
    var parts = [report.title(record)]
    for column in report.columns where !["variant", "runtime", "threads"].contains(column.key) {
      if let text = column.text(record, summary, report).value {
        parts.append("\(column.heading) \(text)")
      }
    }
    return parts.joined(separator: " · ")
  }

  // MARK: Distributions

  /// The density of each configuration's samples, on one axis, fastest first.
  var distributions: Markup? {
    let shown = report.ordered.filter { $0.samples.count > 1 }
      .sorted { report.median($0) < report.median($1) }
    guard !shown.isEmpty else { return nil }
    let ends = shown.flatMap { record -> [Double] in
      let summary = report.summary(record)
      let sorted = record.samples.sorted()
      let high = summary.p99.value?.value ?? sorted[sorted.count - 1]
      return [Double(sorted[0]), Double(high) * 1.02]
    }
    let axis = Axis(logarithmic: ends, air: 0.02)
    let rows = shown.map { distribution($0, axis) }
    return """
      <div class="rows" role="img" aria-label="Distributions of latency by configuration; the table has \
      their percentiles">
      \(scale(axis))\(rows)\(scale(axis))</div>
      """
  }

  private func distribution(_ record: Record, _ axis: Axis) -> Markup {
    let heights = density(record.samples, axis, bins: 240)
    var upper = ""
    var lower = ""
    for (index, height) in heights.enumerated() {
      let x = Words.fixed((Double(index) + 0.5) / 240 * 1000, 1)
      upper += "\(index == 0 ? "M" : "L")\(x) \(Words.fixed(50 - 44 * height, 1))"
      lower = "L\(x) \(Words.fixed(50 + 44 * height, 1))" + lower
    }
    let summary = report.summary(record)
    var marks: Markup = ""
    for (name, quantile) in [("p50", summary.p50), ("p90", summary.p90), ("p99", summary.p99)] {
      guard let value = quantile.value?.value else { continue }
      let x = axis.place(Double(value)) * 1000
      marks +=
        "<line class=\"mark \(name)\" x1=\"\(x)\" x2=\"\(x)\" y1=\"\(name == "p50" ? 8.0 : 26.0)\" y2=\"\(name == "p50" ? 92.0 : 74.0)\"/>"
    }
    let beyond = record.samples.count { Double($0) > axis.range.upperBound }
    let note: Markup =
      beyond > 0 ? "<small title=\"samples beyond the right edge\"> +\(beyond)→</small>" : ""
    let median = Words.time(report.median(record))
    return """
      <div class="row\(rowClass(record))" title="\(tip(record))"><span class="name">\(name(record))</span>\
      <svg viewBox="0 0 1000 100" preserveAspectRatio="none" aria-hidden="true">\
      <path class="\(color(record))" d="\(Markup(stringLiteral: upper + lower + "Z"))"/>\(marks)</svg>\
      <span class="value">\(median)\(note)</span></div>
      """
  }

  private func rowClass(_ record: Record) -> Markup {
    record.id == recommendation.pick ? " pick" : record.verdict == .invalid ? " invalid" : ""
  }

  private func name(_ record: Record) -> Markup {
    let threads: Markup = report.records.contains { $0.threads != 1 } ? " ×\(record.threads)" : ""
    return
      "<b>\(record.variant)</b> <span>\(report.title(ofRuntime: record.runtime))\(threads)</span>"
  }

  private func scale(_ axis: Axis) -> Markup {
    let ticks = axis.ticks(4).map { tick -> Markup in
      "<span style=\"left:\(axis.place(tick) * 100)%\">\(Words.time(tick))</span>"
    }
    return
      "<div class=\"row scale\" aria-hidden=\"true\"><span class=\"name\"></span><div>\(ticks)</div><span class=\"value\"></span></div>"
  }

  // MARK: Bars

  /// Initialization in its parts, shortest first.
  var initialization: Markup? {
    func parts(_ record: Record) -> [(name: String, ns: Int64)] {
      let all = record.initialization
      return [("read", all.read), ("compile", all.compile), ("first", all.first)].compactMap {
        name,
        figure in
        figure.value.map { (name, $0) }
      }
    }
    func total(_ record: Record) -> Double { parts(record).reduce(0) { $0 + Double($1.ns) } }
    let shown = report.ordered.filter { !parts($0).isEmpty }.sorted { total($0) < total($1) }
    guard let greatest = shown.map(total).max(), greatest > 0 else { return nil }
    let rows = shown.map { record -> Markup in
      let bars = parts(record).map { part -> Markup in
        let words = "\(part.name) \(Words.time(Double(part.ns)))"
        return
          "<i class=\"\(part.name)\" style=\"width:\(Double(part.ns) / greatest * 100)%\" title=\"\(words)\"></i>"
      }
      return """
        <div class="row\(rowClass(record))"><span class="name">\(name(record))</span>\
        <div class="bars">\(bars)</div><span class="value">\(Words.time(total(record)))</span></div>
        """
    }
    return """
      <p class="legend"><span class="key"><i class="dot read"></i>reading the file</span>\
      <span class="key"><i class="dot compile"></i>compiling</span>\
      <span class="key"><i class="dot first"></i>first inference</span></p>
      <div class="rows" role="img" aria-label="Initialization by configuration; the table has the \
      figures">\(rows)</div>
      """
  }

  /// Where the time goes, by kind of operator, for each profiled record; the pick's is open.
  var operators: Markup? {
    let profiled = report.ordered.filter { $0.operators.array?.isEmpty == false }
    guard !profiled.isEmpty else { return nil }
    let first = profiled.first { $0.id == recommendation.pick } ?? profiled[0]
    func block(_ record: Record, _ isOpen: Markup) -> Markup {
      """
      <details\(isOpen)><summary>\(report.title(record))</summary>\(operators(of: record))</details>
      """
    }
    let others = profiled.filter { $0.id != first.id }.map { block($0, "") }
    if others.isEmpty { return block(first, " open") }
    return """
      \(block(first, " open"))
      <details><summary>\(others.count) other configurations</summary>\(others)</details>
      """
  }

  private func operators(of record: Record) -> Markup {
    var totals: [String: (ns: Double, count: Int)] = [:]
    for element in record.operators.array ?? [] {
      guard let kind = element["kind"]?.string, let ns = element["ns"]?.double, ns.isFinite, ns >= 0
      else { continue }
      let old = totals[kind] ?? (0, 0)
      totals[kind] = (old.ns + ns, old.count + 1)
    }
    let sum = totals.values.reduce(0) { $0 + $1.ns }
    guard sum > 0 else { return "<p>No operator took any time.</p>" }
    let ranked = totals.sorted {
      $0.value.ns == $1.value.ns ? $0.key < $1.key : $0.value.ns > $1.value.ns
    }
    let share = sum / max(report.median(record), 1)
    if share < 0.5 {
      return """
        <p class="lead">The runtime's profiler accounts for \(Words.percent(share, 0)) of the latency: its \
        clock is too coarse for operators as short as these.</p>
        """
    }
    let greatest = ranked.first?.value.ns ?? 1
    let rows = ranked.prefix(12).map { kind, value -> Markup in
      """
      <div class="row"><span class="name"><b>\(kind)</b> <span>×\(value.count)</span></span>\
      <div class="bars"><i class="\(color(record))" style="width:\(value.ns / greatest * 100)%"></i></div>\
      <span class="value">\(Words.time(value.ns)) · \(Words.percent(value.ns / sum, 0))</span></div>
      """
    }
    let nodes = (record.operators.array ?? []).prefix(400).map { element -> Markup in
      let ns = element["ns"]?.double ?? 0
      return
        "<tr><td>\(element["node"]?.string ?? "")</td><td>\(element["kind"]?.string ?? "")</td><td class=\"n\">\(Words.time(ns))</td></tr>"
    }
    return """
      <div class="rows">\(rows)</div><details class="inner"><summary>every operator</summary>\
      <div class="scroll"><table><thead><tr><th>operator</th><th>kind</th><th class="n">time</th></tr>\
      </thead><tbody>\(nodes)</tbody></table></div></details>
      """
  }
}
