import AssayBase

extension RooflineDrawing {
  /// The plot as an SVG of its own.
  public var svg: String { drawing(isAlone: true).text }

  /// The plot: achieved rate over intensity, both logarithmic; a point's area is its time.
  func drawing(isAlone: Bool) -> Markup {
    let (width, height) = (960.0, 560.0)
    let (left, right, top, bottom) = (72.0, 20.0, isAlone ? 44.0 : 20.0, 52.0)
    let shown = points.filter { $0.macs > 0 && $0.bytes > 0 && $0.nanoseconds > 0 }
    let peaks = [roofs.multiplyAdds32, roofs.multiplyAdds8 ?? roofs.multiplyAdds32]
    let knees = peaks.map { $0 / roofs.memoryBytes }
    let across = Axis(logarithmic: shown.map(\.intensity) + knees + knees.map { $0 * 4 } + [0.1])
    let least = (shown.map(\.rate) + peaks).min() ?? 1e6
    let up = Axis(logarithmic: [least / 2] + peaks.map { $0 * 1.3 } + shown.map(\.rate))
    func x(_ value: Double) -> Double { left + (width - left - right) * across.place(value) }
    func y(_ value: Double) -> Double { top + (height - top - bottom) * (1 - up.place(value)) }

    var marks: Markup = ""
    for tick in across.ticks(8) {
      marks += """
        <line class="grid" x1="\(x(tick))" x2="\(x(tick))" y1="\(top)" y2="\(height - bottom)"/>\
        <text text-anchor="middle" x="\(x(tick))" y="\(height - bottom + 18)">\(Words.short(tick))</text>
        """
    }
    for tick in up.ticks(8) {
      marks += """
        <line class="grid" x1="\(left)" x2="\(width - right)" y1="\(y(tick))" y2="\(y(tick))"/>\
        <text text-anchor="end" x="\(left - 6)" y="\(y(tick) + 4)">\(Words.short(tick / 1e9))</text>
        """
    }
    marks += slope(roofs.memoryBytes, "memory", across, up, x, y)
    marks += slope(roofs.cacheBytes, "cache", across, up, x, y)
    marks += flat(roofs.multiplyAdds32, "float32", left, width - right, y)
    if let peak = roofs.multiplyAdds8 { marks += flat(peak, "int8", left, width - right, y) }
    let total = max(points.reduce(0) { $0 + $1.nanoseconds }, 1)
    for point in shown.sorted(by: { $0.nanoseconds > $1.nanoseconds }) {
      let share = point.nanoseconds / total
      let radius = 3 + 26 * share.squareRoot()
      let style: Markup = point.isInteger ? "integer" : "real"
      marks += """
        <circle class="\(style)" cx="\(x(point.intensity))" cy="\(y(point.rate))" r="\(radius)">\
        <title>\(words(point, share))</title></circle>
        """
    }
    let heading: Markup =
      isAlone ? "<text class=\"title\" x=\"\(left)\" y=\"20\">\(title)</text>" : ""
    let style: Markup = isAlone ? "<style>\(Self.style)</style>" : ""
    let space: Markup = isAlone ? " xmlns=\"http://www.w3.org/2000/svg\"" : ""
    return """
      <svg\(space) class="roofline" role="img" viewBox="0 0 \(width) \(height)" width="\(width)" \
      height="\(height)"><title>\(title)</title>\(style)\
      <rect class="paper" width="\(width)" height="\(height)"/>\(heading)\(marks)\
      <text class="axis" text-anchor="middle" x="\(left + (width - left - right) / 2)" \
      y="\(height - 10)">multiply-adds a byte</text>\
      <text class="axis" text-anchor="middle" transform="translate(16 \
      \(top + (height - top - bottom) / 2)) rotate(-90)">10⁹ multiply-adds a second</text></svg>
      """
  }

  /// A roof of bytes: the rate that they allow grows with the intensity.
  private func slope(
    _ bytes: Double,
    _ name: String,
    _ across: Axis,
    _ up: Axis,
    _ x: (Double) -> Double,
    _ y: (Double) -> Double
  ) -> Markup {
    let top = max(roofs.multiplyAdds32, roofs.multiplyAdds8 ?? 0)
    let start = max(across.range.lowerBound, up.range.lowerBound / bytes)
    let end = min(across.range.upperBound, top / bytes)
    guard end > start else { return "" }
    return """
      <line class="roof" x1="\(x(start))" y1="\(y(start * bytes))" x2="\(x(end))" \
      y2="\(y(end * bytes))"/><text class="name" x="\(x(start) + 26)" \
      y="\(y(start * bytes) - 10)">\(name) \(Words.significant(bytes / 1e9)) GB/s</text>
      """
  }

  /// A roof of multiply-adds.
  private func flat(
    _ peak: Double,
    _ name: String,
    _ left: Double,
    _ right: Double,
    _ y: (Double) -> Double
  ) -> Markup {
    """
    <line class="roof" x1="\(left)" x2="\(right)" y1="\(y(peak))" y2="\(y(peak))"/>\
    <text class="name" text-anchor="end" x="\(right - 4)" y="\(y(peak) - 5)">\
    \(name) \(Words.significant(peak / 1e9)) GMAC/s</text>
    """
  }

  private func words(_ point: Point, _ share: Double) -> String {
    let judgement = judged(point).map {
      ", \(Words.percent($0.share, 0)) of the limit by \($0.limit.rawValue)"
    }
    return
      "\(point.name) (\(point.kind)): \(Words.time(point.nanoseconds)), \(Words.percent(share)), "
      + "\(Words.significant(point.rate / 1e9)) GMAC/s at \(Words.significant(point.intensity)) MAC/B"
      + (judgement ?? "")
  }

  /// Colors in light and in dark.
  static let style: Markup = """
    .roofline{font:12px system-ui,sans-serif;--ink:#1a1d23;--soft:#5c6470;--line:#e3e6ea;--paper:#fff;\
    --real:#2f6bb0;--integer:#d98324;--roof:#1a1d23}
    @media (prefers-color-scheme:dark){.roofline{--ink:#e8eaee;--soft:#9aa3af;--line:#2a2f38;\
    --paper:#15181d;--real:#7db2ee;--integer:#f0ab5c;--roof:#e8eaee}}
    .roofline .paper{fill:var(--paper)}
    .roofline text{fill:var(--soft)}
    .roofline .title{fill:var(--ink);font-weight:600;font-size:15px}
    .roofline .name{fill:var(--ink)}
    .roofline .grid{stroke:var(--line);stroke-width:1}
    .roofline .roof{stroke:var(--roof);stroke-width:1.5}
    .roofline .real{fill:var(--real);fill-opacity:.45;stroke:var(--real)}
    .roofline .integer{fill:var(--integer);fill-opacity:.45;stroke:var(--integer)}
    """
}
