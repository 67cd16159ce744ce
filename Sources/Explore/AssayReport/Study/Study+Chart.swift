import AssayBase
import AssayData

/// Where the points of a study lie in its plot; SVG and PNG share it.
struct StudyChart {
  let study: Study
  let width = 960.0
  let height = 480.0
  let left = 72.0
  let right = 24.0
  let top = 44.0
  let bottom = 60.0
  private let upper: Double

  init(_ study: Study) {
    self.study = study
    var greatest = 1.0
    for index in study.points.indices {
      greatest = max(greatest, study.speedUp(index)?.high ?? 1)
    }
    // Ideal scaling may leave the plot; what was measured may not.
    upper = greatest * 1.12
  }

  /// The place of a setting; settings stand in equal distances.
  func x(_ index: Int) -> Double {
    let count = Double(max(study.points.count, 1))
    return left + (width - left - right) * (Double(index) + 0.5) / count
  }

  func y(_ ratio: Double) -> Double {
    top + (height - top - bottom) * (1 - min(max(ratio / upper, 0), 1))
  }

  /// Round values of the ratio.
  var ticks: [Double] {
    let step = [0.1, 0.2, 0.25, 0.5, 1, 2, 5, 10, 20, 50].first { upper / $0 <= 7 } ?? 100
    return Array(stride(from: 0, through: upper, by: step))
  }

  /// Where perfect scaling would lie; none where there is no such thing.
  var ideal: [(x: Double, y: Double)] {
    guard study.subject == .threads, let first = study.points.first, first.value > 0 else {
      return []
    }
    return study.points.indices.compactMap { index in
      let ratio = Double(study.points[index].value) / Double(first.value)
      return ratio <= upper ? (x(index), y(ratio)) : nil
    }
  }

  /// What was measured.
  var measured: [(index: Int, x: Double, y: Double, low: Double, high: Double)] {
    study.points.indices.compactMap { index in
      study.speedUp(index).map { (index, x(index), y($0.value), y($0.low), y($0.high)) }
    }
  }

  /// What the upright axis tells.
  var axis: String {
    study.subject == .batch
      ? "items a second, times the first" : "speed, times the first"
  }
}

extension Study {
  /// The plot as an SVG of its own.
  public var svg: String { drawing(isAlone: true).text }

  func drawing(isAlone: Bool) -> Markup {
    let chart = StudyChart(self)
    var marks: Markup = ""
    for tick in chart.ticks {
      marks += """
        <line class="grid" x1="\(chart.left)" x2="\(chart.width - chart.right)" \
        y1="\(chart.y(tick))" y2="\(chart.y(tick))"/><text text-anchor="end" x="\(chart.left - 8)" \
        y="\(chart.y(tick) + 4)">\(Words.short(tick))x</text>
        """
    }
    if chart.ideal.count > 1 {
      let d = Self.path(chart.ideal)
      marks += "<path class=\"ideal\" d=\"\(d)\"/>"
    }
    let measured = chart.measured
    if subject != .affinity, measured.count > 1 {
      marks += "<path class=\"line\" d=\"\(Self.path(measured.map { ($0.x, $0.y) }))\"/>"
    }
    for point in measured {
      let style: Markup = points[point.index].isValid ? "point" : "point doubtful"
      let mark: Markup = point.index == pick ? " pick" : ""
      marks += """
        <line class="whisker" x1="\(point.x)" x2="\(point.x)" y1="\(point.low)" y2="\(point.high)"/>\
        <circle class="\(style)\(mark)" cx="\(point.x)" cy="\(point.y)" r="6">\
        <title>\(words(point.index))</title></circle>\
        <text class="value" text-anchor="middle" x="\(point.x)" y="\(min(point.low, point.high) - 9)">\
        \(Words.fixed(speedUp(point.index)?.value ?? 0, 2))x</text>
        """
    }
    for index in points.indices {
      marks += """
        <text text-anchor="middle" x="\(chart.x(index))" y="\(chart.height - chart.bottom + 22)">\
        \(points[index].label)</text>
        """
    }
    let style: Markup = isAlone ? "<style>\(Self.style)</style>" : ""
    let space: Markup = isAlone ? " xmlns=\"http://www.w3.org/2000/svg\"" : ""
    return """
      <svg\(space) class="study" role="img" viewBox="0 0 \(chart.width) \(chart.height)" \
      width="\(chart.width)" height="\(chart.height)"><title>\(answer)</title>\(style)\
      <rect class="paper" width="\(chart.width)" height="\(chart.height)"/>\
      <text class="title" x="\(chart.left)" y="20">\(answer)</text>\(marks)\
      <text class="axis" text-anchor="middle" transform="translate(18 \(chart.height / 2)) rotate(-90)">\
      \(chart.axis)</text></svg>
      """
  }

  private static func path(_ points: [(x: Double, y: Double)]) -> Markup {
    let text = points.enumerated().map { index, point in
      "\(index == 0 ? "M" : "L")\(Words.fixed(point.x, 1)) \(Words.fixed(point.y, 1))"
    }.joined()
    return Markup(stringLiteral: text)
  }

  private func words(_ index: Int) -> String {
    let point = points[index]
    let time = point.median.map { Words.time($0) } ?? "-"
    return "\(point.label): \(time) a run" + (point.reason.map { "; \($0)" } ?? "")
  }

  /// The plot as a PNG file.
  ///
  /// - Throws: what compression throws.
  public func png() throws -> [ByteView] {
    let chart = StudyChart(self)
    let ink = Raster.ink
    let blue = Raster.Color(0x2F, 0x6B, 0xB0)
    var raster = Raster(width: Int(chart.width), height: Int(chart.height))
    for tick in chart.ticks {
      let row = Int(chart.y(tick))
      raster.fill(Int(chart.left)..<Int(chart.width - chart.right), row..<row + 1, Raster.line)
      raster.write(Words.short(tick) + "x", endingAt: Int(chart.left) - 6, y: row - 6, Raster.soft)
    }
    for (from, to) in zip(chart.ideal, chart.ideal.dropFirst()) {
      raster.line(from: from, to: to, width: 1, Raster.soft)
    }
    let measured = chart.measured
    if subject != .affinity {
      for (from, to) in zip(measured, measured.dropFirst()) {
        raster.line(from: (from.x, from.y), to: (to.x, to.y), blue)
      }
    }
    for point in measured {
      raster.line(from: (point.x, point.low), to: (point.x, point.high), width: 2, ink)
      let (x, y) = (Int(point.x), Int(point.y))
      raster.fill(x - 5..<x + 6, y - 5..<y + 6, blue)
      let text = Words.fixed(speedUp(point.index)?.value ?? 0, 2) + "x"
      raster.write(text, around: x, y: Int(min(point.low, point.high)) - 24, ink)
    }
    for index in points.indices {
      raster.write(
        points[index].label,
        around: Int(chart.x(index)),
        y: Int(chart.height - chart.bottom) + 12,
        Raster.soft
      )
    }
    raster.write(answer, x: Int(chart.left), y: 8, ink)
    return try raster.image.png()
  }

  /// Colors in light and in dark.
  static let style: Markup = """
    .study{font:13px system-ui,sans-serif;--ink:#1a1d23;--soft:#5c6470;--line:#e3e6ea;--paper:#fff;\
    --mark:#2f6bb0;--pick:#0b6e4f;--bad:#c62f3b}
    @media (prefers-color-scheme:dark){.study{--ink:#e8eaee;--soft:#9aa3af;--line:#2a2f38;\
    --paper:#15181d;--mark:#7db2ee;--pick:#58c99b;--bad:#ff6b74}}
    .study .paper{fill:var(--paper)}
    .study text{fill:var(--soft)}
    .study .title,.study .value{fill:var(--ink);font-weight:600}
    .study .title{font-size:15px}
    .study .grid{stroke:var(--line)}
    .study path{fill:none;stroke:var(--mark);stroke-width:2}
    .study .ideal{stroke:var(--soft);stroke-width:1;stroke-dasharray:5 4}
    .study .whisker{stroke:var(--ink);stroke-width:2}
    .study .point{fill:var(--mark)}
    .study .pick{fill:var(--pick)}
    .study .doubtful{fill:var(--bad)}
    """
}
