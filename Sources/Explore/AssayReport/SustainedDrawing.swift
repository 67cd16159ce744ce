import AssayBase
import AssayRecord

/// Throughput over a long load as a drawing: each stretch, the levels between changes, and where the
/// machine throttled.
public struct SustainedDrawing: Sendable {
  private let course: Record.Sustained
  private let title: String

  /// Draws the course of a record; `nil` for a record that was not measured under a long load.
  public init?(_ record: Record) {
    guard let course = record.sustained, !course.windows.isEmpty else { return nil }
    self.course = course
    let name = record.model.path.split(separator: "/").last.map(String.init) ?? "model"
    title =
      "\(name) on \(record.runtime), \(record.threads) thread\(record.threads == 1 ? "" : "s")"
  }

  /// What became of the first level, in one sentence.
  public var answer: String {
    let levels = course.levels
    guard let first = levels.first, let last = levels.last else { return "no load" }
    let length = Words.time(Double(last.end))
    guard let throttling = course.throttling else {
      return levels.count == 1
        ? "\(Words.rate(first.throughput)) throughout \(length)"
        : "\(Words.rate(first.throughput)) at first, \(Words.rate(last.throughput)) after \(length);"
          + " never 5 % below the first level"
    }
    let back =
      throttling.recovery.map { "back after \(Words.time(Double($0)))" } ?? "not back by the end"
    return "throttled after \(Words.time(Double(throttling.onset))), at worst "
      + "\(Words.percent(throttling.loss)) slower, \(back)"
  }

  /// The drawing as an SVG of its own.
  public var svg: String { drawing(isAlone: true).text }

  /// A page with the drawing and its levels as a table.
  public var page: String {
    let rows = course.levels.map { level -> Markup in
      """
      <tr><td>\(Words.time(Double(level.begin)))</td><td>\(Words.time(Double(level.end)))</td>\
      <td>\(Words.rate(level.throughput))</td></tr>
      """
    }
    let markup: Markup = """
      \(Page.head("\(title): sustained load", style: Self.style, hasScript: false))
      <body class="trace"><h1>\(title)</h1><p>\(answer)</p>
      \(drawing(isAlone: false))
      <table><caption>Levels between changes of at least 2 %</caption><thead><tr><th scope="col">from</th>\
      <th scope="col">to</th><th scope="col">throughput</th></tr></thead><tbody>\(rows)</tbody></table>
      <p>\(course.windows.count) stretches; a line is drawn where throughput first fell by 5 % or more, and \
      where it came back to within 2 %.</p>
      </body></html>
      """
    return markup.text
  }

  /// The drawing within another page.
  var figure: Markup { drawing(isAlone: false) }

  static let style: Markup =
    TraceDrawing.style
      + """
      .trace .stretch{fill:var(--a);opacity:.5}.trace .level{stroke:var(--b);stroke-width:2.5}\
      .trace .onset{stroke:var(--e);stroke-dasharray:5 4}.trace .back{stroke:var(--c);stroke-dasharray:5 4}\
      .trace table{border-collapse:collapse}.trace td,.trace th{padding:2px 12px 2px 0;text-align:left}
      """

  private func drawing(isAlone: Bool) -> Markup {
    let (width, height, left, right) = (1000.0, 260.0, 76.0, 14.0)
    let top = isAlone ? 44.0 : 18.0
    let plot = width - left - right
    let windows = course.windows
    let end = windows.map { Double($0.begin + $0.duration) }.max() ?? 1
    let axis = Axis(linear: windows.map(\.throughput) + [0], air: 0.08)
    func across(_ time: Int64) -> Double { left + plot * Double(time) / max(end, 1) }
    func down(_ value: Double) -> Double { top + height * (1 - axis.place(value)) }
    var marks: Markup = ""
    for tick in axis.ticks(5) where tick >= 0 {
      marks += """
        <line class="grid" x1="\(left)" x2="\(width - right)" y1="\(down(tick))" y2="\(down(tick))"/>\
        <text class="tick" text-anchor="end" x="\(left - 6)" y="\(down(tick) + 4)">\
        \(Words.significant(tick))</text>
        """
    }
    // More stretches than columns would only be drawn over one another.
    let step = max(1, windows.count / 1500)
    for place in stride(from: 0, to: windows.count, by: step) {
      let window = windows[place]
      marks += """
        <circle class="stretch" cx="\(across(window.begin + window.duration / 2))" \
        cy="\(down(window.throughput))" r="2"/>
        """
    }
    for level in course.levels {
      marks += """
        <line class="level" x1="\(across(level.begin))" x2="\(across(level.end))" \
        y1="\(down(level.throughput))" y2="\(down(level.throughput))"/>
        """
    }
    if let throttling = course.throttling {
      marks += mark("onset", across(throttling.onset), top, height, "throttles")
      if let recovery = throttling.recovery {
        marks += mark("back", across(recovery), top, height, "recovers")
      }
    }
    for tick in Axis(linear: [0, end / 1e9], air: 0).ticks(8) where tick >= 0 {
      marks += """
        <text class="tick" text-anchor="middle" x="\(across(Int64(tick * 1e9)))" \
        y="\(top + height + 16)">\(Words.short(tick)) s</text>
        """
    }
    marks += """
      <text class="panel" x="\(left)" y="\(top - 6)">inferences a second</text>
      """
    let heading: Markup =
      isAlone ? "<text class=\"title\" x=\"\(left)\" y=\"20\">\(title): \(answer)</text>" : ""
    let style: Markup = isAlone ? "<style>\(Self.style)</style>" : ""
    let space: Markup = isAlone ? " xmlns=\"http://www.w3.org/2000/svg\"" : ""
    let whole = top + height + 26
    return """
      <svg\(space) class="trace" role="img" viewBox="0 0 \(width) \(whole)" width="\(width)" \
      height="\(whole)"><title>\(title): \(answer)</title>\(style)\
      <rect class="paper" width="\(width)" height="\(whole)"/>\(heading)\(marks)</svg>
      """
  }

  private func mark(
    _ style: Markup,
    _ x: Double,
    _ top: Double,
    _ height: Double,
    _ word: String
  ) -> Markup {
    """
    <line class="\(style)" x1="\(x)" x2="\(x)" y1="\(top)" y2="\(top + height)"/>\
    <text class="tick" x="\(x + 4)" y="\(top + 12)">\(word)</text>
    """
  }
}
