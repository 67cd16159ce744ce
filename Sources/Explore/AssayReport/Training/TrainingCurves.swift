import AssayBase

/// The curves of a training: a chart for each figure, training and validation in one.
///
/// Each is an SVG without a view box, so that text keeps its size on a phone, and names its end values
/// for people who do not see it.
struct TrainingCurves {
  private let history: TrainingHistory

  init(_ history: TrainingHistory) { self.history = history }

  static let style: Markup = """
    .curve{fill:none;stroke:currentColor;stroke-width:2.25;vector-effect:non-scaling-stroke;\
    stroke-linejoin:round}
    .curve.val{stroke-dasharray:6 4}
    .curves{display:grid;grid-template-columns:repeat(auto-fit,minmax(340px,1fr));gap:18px 28px}
    .curves figure{margin:0}.curves figcaption{font-weight:600;font-size:15px}
    .curves .plot{position:relative}
    .phase{stroke:var(--soft);stroke-dasharray:2 3}
    .key i.line{display:inline-block;width:22px;border-top:2.5px solid currentColor;\
    margin-right:7px;vertical-align:middle}.key i.line.val{border-top-style:dashed}
    """

  var markup: Markup {
    guard history.rows.count > 1 else { return "" }
    let figures = history.names.filter { !$0.hasPrefix("val_") }.compactMap(figure)
    let hasValidation = history.names.contains { $0.hasPrefix("val_") }
    let validation: Markup =
      hasValidation
      ? "<span class=\"key c1\"><i class=\"line val\"></i>validation</span>" : ""
    let phases = phaseStarts.map(\.name)
    let words: Markup =
      phases.isEmpty
      ? "" : " Upright lines: \(phases.joined(separator: ", ")) begins to be fine-tuned."
    return """
      <section id="curves"><h2>How training went</h2>\
      <p class="lead">Each point is one epoch; point at one for its figures.\(words)</p>\
      <p class="legend"><span class="key c0"><i class="line"></i>training</span>\(validation)</p>\
      <div class="curves">\(figures)</div>\(table)</section>
      """
  }

  /// The rows at which another phase begins.
  private var phaseStarts: [(row: Int, name: String)] {
    history.rows.indices.dropFirst().compactMap { index in
      let phase = history.rows[index].phase
      return phase != history.rows[index - 1].phase ? (index, phase) : nil
    }
  }

  private func figure(_ name: String) -> Markup? {
    let series = [(name, "c0"), ("val_" + name, "c1 val")].map { key, kind in
      (
        kind: kind,
        points: history.rows.enumerated().compactMap { index, row in
          row.values[key].map { (x: index, y: $0) }
        }
      )
    }.filter { $0.points.contains { $0.y.isFinite } }
    guard !series.isEmpty else { return nil }
    // What never changes, such as a constant learning rate, is no curve.
    if Set(series.flatMap { $0.points.map(\.y) }).count == 1 { return nil }
    let values = series.flatMap { $0.points.map(\.y) }.filter(\.isFinite)
    // A loss that falls by powers of ten is seen on a logarithmic scale only.
    let isWide = (values.min() ?? 0) > 0 && (values.max() ?? 0) > 30 * (values.min() ?? 1)
    let y = isWide ? Axis(logarithmic: values) : Axis(linear: values)
    let (height, top, bottom) = (230.0, 12.0, 28.0)
    let last = Double(max(history.rows.count - 1, 1))
    func percent(_ row: Int) -> Double { 12 + 85 * Double(row) / last }
    func level(_ value: Double) -> Double { top + (height - top - bottom) * (1 - y.place(value)) }
    var marks: Markup = ""
    for tick in y.ticks(4) {
      marks += """
        <line class="grid" x1="12%" x2="97%" y1="\(level(tick))" y2="\(level(tick))"/>\
        <text x="11%" y="\(level(tick) + 4)" text-anchor="end">\(Words.short(tick))</text>
        """
    }
    for row in ticks {
      marks += """
        <text x="\(percent(row))%" y="\(height - 8)" text-anchor="middle">\(history.rows[row].epoch)</text>
        """
    }
    for start in phaseStarts {
      let x = percent(start.row)
      marks += """
        <line class="phase" x1="\(x)%" x2="\(x)%" y1="\(top)" y2="\(height - bottom)"/>
        """
    }
    let lines = series.map { line($0.points, $0.kind, last, level, height) }
    let dots = series.flatMap { entry in
      entry.points.filter { $0.y.isFinite }.map { point -> Markup in
        """
        <circle class="point \(entry.kind)" cx="\(percent(point.x))%" cy="\(level(point.y))" r="3" \
        data-tip="\(tip(point.x))"><title>\(tip(point.x))</title></circle>
        """
      }
    }
    let ends = series.compactMap { $0.points.last?.y }.map { Words.significant($0) }
    let title = Self.title(name)
    let words =
      "\(title) over \(history.rows.count) epochs, at the end \(ends.joined(separator: ", "))"
    return """
      <figure><figcaption>\(title)</figcaption><div class="plot">\
      <svg class="chart" width="100%" height="\(height)" role="img" aria-label="\(words)">\
      \(marks)\(lines)\(dots)</svg></div></figure>
      """
  }

  /// A line as an inner picture that is stretched over the plot; figures that are none break it.
  private func line(
    _ points: [(x: Int, y: Double)],
    _ kind: String,
    _ last: Double,
    _ level: (Double) -> Double,
    _ height: Double
  ) -> Markup {
    var path = ""
    var isOpen = false
    for point in points {
      guard point.y.isFinite else {
        isOpen = false
        continue
      }
      let x = Words.fixed(Double(point.x) / last * 1000, 1)
      path += "\(isOpen ? "L" : "M")\(x) \(Words.fixed(level(point.y), 1))"
      isOpen = true
    }
    return """
      <svg x="12%" y="0" width="85%" height="\(height)" viewBox="0 0 1000 \(height)" \
      preserveAspectRatio="none" overflow="visible"><path class="curve \(kind)" d="\(path)"/></svg>
      """
  }

  /// Rows under which their epoch is written: about six.
  private var ticks: [Int] {
    let step = max(1, (history.rows.count + 5) / 6)
    return Array(stride(from: 0, to: history.rows.count, by: step))
  }

  private func tip(_ row: Int) -> String {
    let entry = history.rows[row]
    let figures = history.names.compactMap { name in
      entry.values[name].map { "\(Self.title(name)) \(Words.significant($0, 4))" }
    }
    let phase = entry.phase.isEmpty ? "" : entry.phase + ", "
    return (["\(phase)epoch \(entry.epoch)"] + figures).joined(separator: " · ")
  }

  private static func title(_ name: String) -> String {
    name.hasPrefix("val_")
      ? "validation " + title(String(name.dropFirst(4)))
      : String(name.map { $0 == "_" ? " " : $0 })
  }

  /// The curves' figures, for those who want numbers.
  private var table: Markup {
    let names = history.names
    let heads = names.map { name -> Markup in "<th class=\"n\">\(Self.title(name))</th>" }
    let rows = history.rows.map { row -> Markup in
      let cells = names.map { name -> Markup in
        "<td class=\"n\">\(row.values[name].map { Words.significant($0, 4) } ?? "–")</td>"
      }
      let phase = row.phase.isEmpty ? "" : " " + row.phase
      return "<tr><td>\(row.epoch)\(phase)</td>\(cells)</tr>"
    }
    return """
      <details><summary>every epoch</summary><div class="scroll"><table><thead><tr><th>epoch</th>\
      \(heads)</tr></thead><tbody>\(rows)</tbody></table></div></details>
      """
  }
}
