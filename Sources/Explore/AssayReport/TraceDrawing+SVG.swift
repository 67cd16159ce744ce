import AssayBase
import AssayMeter

extension TraceDrawing {
  /// The drawing as an SVG of its own.
  public var svg: String { drawing(isAlone: true).text }

  /// A page with the drawing.
  public var page: String {
    let markup: Markup = """
      \(Page.head("\(title): power", style: Self.style, hasScript: false))
      <body class="trace"><h1>\(title)</h1><p>\(answer)</p>
      \(drawing(isAlone: false))
      <p>\(trace.count) readings, \(Words.significant(trace.rate)) a second.</p>
      </body></html>
      """
    return markup.text
  }

  private func drawing(isAlone: Bool) -> Markup {
    let (width, left, right, height, gap) = (1200.0, 66.0, 14.0, 240.0, 48.0)
    let plot = width - left - right
    let panels = panels
    let top = isAlone ? 52.0 : 24.0
    var marks: Markup = ""
    var y = top
    for panel in panels {
      marks += "<g transform=\"translate(0 \(y))\">"
      for tick in panel.axis.ticks(5) {
        let row = height * (1 - panel.axis.place(tick))
        marks += """
          <line class="grid" x1="\(left)" x2="\(width - right)" y1="\(row)" y2="\(row)"/>\
          <text class="tick" text-anchor="end" x="\(left - 6)" y="\(row + 4)">\
          \(Words.short(tick))</text>
          """
      }
      var x = left
      marks += "<text class=\"panel\" x=\"\(x)\" y=\"-8\">\(panel.heading)</text>"
      x += 90
      for (index, line) in panel.lines.enumerated() {
        let d = path(line.values, panel.axis, left: left, plot: plot, height: height)
        marks += "<path class=\"l\(index)\" d=\"\(Markup(stringLiteral: d))\"/>"
        marks += """
          <rect class="k\(index)" x="\(x)" y="-17" width="10" height="10"/>\
          <text class="tick" x="\(x + 14)" y="-8">\(line.name)</text>
          """
        x += 34 + Double(line.name.count) * 7
      }
      for second in seconds {
        let column = left + plot * (trace.seconds > 0 ? second / trace.seconds : 0)
        marks += """
          <text class="tick" text-anchor="middle" x="\(column)" y="\(height + 16)">\
          \(Words.short(second)) s</text>
          """
      }
      marks += "</g>"
      y += height + gap
    }
    let heading: Markup =
      isAlone
      ? "<text class=\"title\" x=\"\(left)\" y=\"20\">\(title): \(answer)</text>" : ""
    let style: Markup = isAlone ? "<style>\(Self.style)</style>" : ""
    let space: Markup = isAlone ? " xmlns=\"http://www.w3.org/2000/svg\"" : ""
    return """
      <svg\(space) class="trace" role="img" viewBox="0 0 \(width) \(y)" width="\(width)" \
      height="\(y)"><title>\(title): \(answer)</title>\(style)\
      <rect class="paper" width="\(width)" height="\(y)"/>\(heading)\(marks)</svg>
      """
  }

  /// A line through the readings, or what of them each column shows where there are more.
  private func path(
    _ values: [Double],
    _ axis: Axis,
    left: Double,
    plot: Double,
    height: Double
  ) -> String {
    func number(_ value: Double) -> String { Words.fixed(value, 1) }
    func row(_ value: Double) -> String { number(height * (1 - axis.place(value))) }
    var text = ""
    if values.count <= 2 * Int(plot) {
      var isOpen = false
      for (index, value) in values.enumerated() {
        guard value.isFinite else {
          isOpen = false
          continue
        }
        text += "\(isOpen ? "L" : "M")\(number(left + plot * place(index))) \(row(value))"
        isOpen = true
      }
      return text
    }
    for extent in columnExtents(values, columns: Int(plot), place: place) {
      let x = number(left + Double(extent.column) + 0.5)
      text += "\(text.isEmpty ? "M" : "L")\(x) \(row(extent.low))L\(x) \(row(extent.high))"
    }
    return text
  }

  /// Colors in light and in dark.
  static let style: Markup = """
    .trace{font:12px system-ui,sans-serif;--ink:#1a1d23;--soft:#5c6470;--line:#d9dde3;--paper:#fff;\
    --a:#2f6bb0;--b:#d98324;--c:#2a8f5b;--d:#8a63d2;--e:#c62f3b;--f:#7a6a53}
    @media (prefers-color-scheme:dark){.trace{--ink:#e8eaee;--soft:#9aa3af;--line:#333943;\
    --paper:#15181d;--a:#7db2ee;--b:#f0ab5c;--c:#63cf97;--d:#b79bf0;--e:#ff6b74;--f:#c4b49c}}
    body.trace{margin:24px;background:var(--paper);color:var(--ink)}
    body.trace h1{font-size:18px}
    svg.trace{max-width:100%;height:auto}
    .trace .paper{fill:var(--paper)}
    .trace text{fill:var(--soft)}
    .trace .title{fill:var(--ink);font-weight:600;font-size:15px}
    .trace .panel{fill:var(--ink);font-weight:600}
    .trace .grid{stroke:var(--line)}
    .trace path{fill:none;stroke-width:1.2;stroke-linejoin:round}
    .trace .l0{stroke:var(--a)}.trace .k0{fill:var(--a)}
    .trace .l1{stroke:var(--b)}.trace .k1{fill:var(--b)}
    .trace .l2{stroke:var(--c)}.trace .k2{fill:var(--c)}
    .trace .l3{stroke:var(--d)}.trace .k3{fill:var(--d)}
    .trace .l4{stroke:var(--e)}.trace .k4{fill:var(--e)}
    .trace .l5{stroke:var(--f)}.trace .k5{fill:var(--f)}
    """
}
