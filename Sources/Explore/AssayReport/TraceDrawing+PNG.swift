import AssayBase
import AssayData
import AssayMeter

extension TraceDrawing {
  /// The drawing as a PNG file.
  ///
  /// - Throws: what compression throws.
  public func png() throws -> [ByteView] {
    let (left, right, top, panelHeight, gap) = (96, 16, 44, 200, 56)
    let panels = panels
    var raster = Raster(width: 1200, height: top + panels.count * (panelHeight + gap))
    let plot = raster.width - left - right
    raster.write(String(answer.prefix(88)), x: left, y: 8, Raster.ink)
    for (index, panel) in panels.enumerated() {
      let y = top + 16 + index * (panelHeight + gap)
      func row(_ value: Double) -> Int {
        y + Int((Double(panelHeight) * (1 - panel.axis.place(value))).rounded())
      }
      for tick in panel.axis.ticks(5) {
        raster.fill(left..<raster.width - right, row(tick)..<row(tick) + 1, Raster.line)
        raster.write(Words.short(tick), endingAt: left - 6, y: row(tick) - 6, Raster.soft)
      }
      var x = left
      raster.write(panel.heading, x: x, y: y - 18, Raster.ink)
      x += (panel.heading.count + 2) * 12
      for (number, line) in panel.lines.enumerated() {
        let color = Self.colors[number % Self.colors.count]
        let extents = columnExtents(line.values, columns: plot, place: place)
        raster.draw(extents.map { (left + $0.column, row($0.high), row($0.low)) }, color)
        raster.write(line.name, x: x, y: y - 18, color)
        x += (line.name.count + 2) * 12
      }
      for second in seconds {
        let column = left + Int(Double(plot) * (trace.seconds > 0 ? second / trace.seconds : 0))
        raster.write(
          Words.short(second) + " s",
          around: min(column, raster.width - 30),
          y: y + panelHeight + 6,
          Raster.soft
        )
      }
    }
    return try raster.image.png()
  }

  private static let colors = [
    Raster.Color(0x2F, 0x6B, 0xB0), Raster.Color(0xD9, 0x83, 0x24), Raster.Color(0x2A, 0x8F, 0x5B),
    Raster.Color(0x8A, 0x63, 0xD2), Raster.Color(0xC6, 0x2F, 0x3B), Raster.Color(0x7A, 0x6A, 0x53),
  ]
}
