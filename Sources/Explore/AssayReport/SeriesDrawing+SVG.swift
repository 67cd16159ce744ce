import AssayBase
import AssayData
import AssayDetect

extension SeriesDrawing {
  /// The whole series as an SVG of its own.
  public var svg: String {
    drawing(
      0..<result.series.count,
      width: 1400,
      panelHeight: 190,
      title: "\(result.name): \(answer)",
      isAlone: true
    ).text
  }

  /// The panels over some samples, one below the other.
  func drawing(
    _ range: Range<Int>,
    width: Double,
    panelHeight: Double,
    title: String,
    isAlone: Bool,
    showsReconstruction: Bool = false
  ) -> Markup {
    let panels = panels(range, height: panelHeight, showsReconstruction: showsReconstruction)
    let (left, right, gap) = (62.0, 12.0, 30.0)
    let top = isAlone ? 44.0 : 20.0
    let plot = width - left - right
    let height = top + Double(panels.count) * (panelHeight + gap) + 14
    func across(_ sample: Double) -> Double {
      left + plot * (sample - Double(range.lowerBound)) / Double(max(range.count, 1))
    }
    var marks: Markup = ""
    var y = top
    for panel in panels {
      marks += "<g transform=\"translate(0 \(y))\">"
      for band in bands where band.samples.overlaps(range) {
        let (from, to) = (
          across(Double(max(band.samples.lowerBound, range.lowerBound))),
          across(Double(min(band.samples.upperBound, range.upperBound)))
        )
        marks += """
          <rect class="band \(band.style)" x="\(from)" width="\(max(to - from, 1.5))" y="0" \
          height="\(panelHeight)"/>
          """
      }
      for tick in ticks(panel.low, panel.high, 4) {
        marks += """
          <line class="grid" x1="\(left)" x2="\(width - right)" y1="\(panel.row(tick))" \
          y2="\(panel.row(tick))"/><text class="tick" text-anchor="end" x="\(left - 6)" \
          y="\(panel.row(tick) + 4)">\(Words.short(tick))</text>
          """
      }
      for line in panel.lines {
        let d = path(line.values, panel, columns: Int(plot)) { index in
          across(Double(panel.firstSample + index) + 0.5)
        }
        marks += "<path class=\"\(line.style)\" d=\"\(Markup(stringLiteral: d))\"/>"
      }
      if let level = panel.level {
        marks += """
          <line class="level" x1="\(left)" x2="\(width - right)" y1="\(panel.row(level))" \
          y2="\(panel.row(level))"/>
          """
      }
      marks += "<text class=\"panel\" x=\"\(left)\" y=\"-6\">\(panel.title)</text></g>"
      y += panelHeight + gap
    }
    let times = ticks(Double(range.lowerBound), Double(range.upperBound), isAlone ? 10 : 5)
    for tick in times {
      // A long number at the right end must not leave the drawing.
      let anchor: Markup = across(tick) > width - 40 ? "end" : "middle"
      marks += """
        <text class="tick" text-anchor="\(anchor)" x="\(across(tick))" y="\(y - gap + 16)">\
        \(Words.short(tick))</text>
        """
    }
    let heading: Markup =
      isAlone ? "<text class=\"title\" x=\"\(left)\" y=\"18\">\(title)</text>" : ""
    let style: Markup = isAlone ? "<style>\(Self.style)</style>" : ""
    // A page knows what an SVG is.
    let space: Markup = isAlone ? " xmlns=\"http://www.w3.org/2000/svg\"" : ""
    return """
      <svg\(space) class="series" role="img" viewBox="0 0 \(width) \(height)" \
      width="\(width)" height="\(height)"><title>\(title)</title>\(style)\
      <rect class="paper" width="\(width)" height="\(height)"/>\(heading)\(marks)</svg>
      """
  }

  /// A line through values, or what of them each column shows where there are more values than that.
  private func path(
    _ values: [Double],
    _ panel: Panel,
    columns: Int,
    across: (Int) -> Double
  ) -> String {
    func number(_ value: Double) -> String { Words.fixed(value, 1) }
    var text = ""
    if values.count <= 2 * columns {
      var isOpen = false
      for (index, value) in values.enumerated() {
        guard value.isFinite else {
          isOpen = false
          continue
        }
        text += "\(isOpen ? "L" : "M")\(number(across(index))) \(number(panel.row(value)))"
        isOpen = true
      }
      return text
    }
    let (start, end) = (across(0), across(values.count))
    let extents = columnExtents(values, columns: columns) { Double($0) / Double(values.count) }
    for extent in extents {
      let x = number(start + (end - start) * (Double(extent.column) + 0.5) / Double(columns))
      text += "\(text.isEmpty ? "M" : "L")\(x) \(number(panel.row(extent.low)))"
      text += "L\(x) \(number(panel.row(extent.high)))"
    }
    return text
  }

  /// Round numbers between two ends.
  func ticks(_ low: Double, _ high: Double, _ count: Int) -> [Double] {
    guard high > low, (high - low).isFinite else { return [low] }
    var step = 1.0
    while step > (high - low) / Double(count) { step /= 10 }
    while step * 10 <= (high - low) / Double(count) { step *= 10 }
    for factor in [1.0, 2, 5, 10] where (high - low) / (step * factor) <= Double(count) {
      step *= factor
      break
    }
    var result: [Double] = []
    var tick = (low / step).rounded(.up) * step
    while tick <= high, result.count < 100 {
      result.append(tick)
      tick += step
    }
    return result
  }

  /// Colors in light and in dark.
  static let style: Markup = """
    .series{font:12px system-ui,sans-serif;--ink:#1a1d23;--soft:#5c6470;--line:#d9dde3;--paper:#fff;\
    --signal:#2f6bb0;--made:#d98324;--score:#3b5fc0;--bad:#c62f3b;--good:#c62f3b}
    @media (prefers-color-scheme:dark){.series{--ink:#e8eaee;--soft:#9aa3af;--line:#333943;\
    --paper:#15181d;--signal:#7db2ee;--made:#f0ab5c;--score:#93a9f5;--bad:#ff6b74;--good:#ff6b74}}
    .series .paper{fill:var(--paper)}
    .series text{fill:var(--soft)}
    .series .title{fill:var(--ink);font-weight:600;font-size:15px}
    .series .panel{fill:var(--ink);font-weight:600}
    .series .grid{stroke:var(--line);stroke-width:1}
    .series path{fill:none;stroke-width:1;stroke-linejoin:round}
    .series .signal{stroke:var(--signal)}
    .series .made{stroke:var(--made)}
    .series .score{stroke:var(--score)}
    .series .level{stroke:var(--bad);stroke-width:1.5;stroke-dasharray:6 3}
    .series .band{opacity:.22}
    .series .found{fill:var(--good)}
    .series .missed{fill:#8a63d2}
    .series .alarm{fill:#d98324}
    .series .ignored{fill:#e0c200}
    """
}
