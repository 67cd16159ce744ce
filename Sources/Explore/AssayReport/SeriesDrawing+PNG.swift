import AssayBase
import AssayData
import AssayDetect

extension SeriesDrawing {
  /// The whole series as a PNG file.
  ///
  /// - Throws: what compression throws.
  public func png() throws -> [ByteView] {
    let panels = panels(0..<result.series.count, height: 190, showsReconstruction: false)
    let (left, right, top, gap) = (70, 16, 40, 34)
    var raster = Raster(width: 1400, height: top + panels.count * (190 + gap) + 14)
    let plot = raster.width - left - right
    func column(_ sample: Int) -> Int { left + sample * plot / max(result.series.count, 1) }
    raster.write("\(result.name): \(answer)", x: left, y: 8, Raster.ink)
    for (index, panel) in panels.enumerated() {
      let y = top + index * (190 + gap)
      func row(_ value: Double) -> Int { y + Int(panel.row(value).rounded()) }
      for band in bands {
        let end = max(column(band.samples.upperBound), column(band.samples.lowerBound) + 2)
        raster.tint(column(band.samples.lowerBound)..<end, y..<y + 190, color(band.style))
      }
      for tick in ticks(panel.low, panel.high, 4) {
        raster.fill(left..<raster.width - right, row(tick)..<row(tick) + 1, Raster.line)
        raster.write(Words.short(tick), endingAt: left - 6, y: row(tick) - 6, Raster.soft)
      }
      for line in panel.lines {
        let extents = columnExtents(line.values, columns: plot) {
          Double(panel.firstSample + $0) / Double(max(result.series.count, 1))
        }
        raster.draw(
          extents.map { (left + $0.column, row($0.high), row($0.low)) },
          color(line.style)
        )
      }
      if let level = panel.level {
        for start in stride(from: left, to: raster.width - right, by: 9) {
          raster.fill(start..<start + 6, row(level) - 1..<row(level) + 1, color("level"))
        }
      }
      raster.write(panel.title, x: left, y: y - 16, Raster.ink)
    }
    let bottom = top + panels.count * (190 + gap) - gap + 8
    for tick in ticks(0, Double(result.series.count), 10) {
      raster.write(Words.short(tick), around: column(Int(tick)), y: bottom, Raster.soft)
    }
    return try raster.image.png()
  }

  private func color(_ style: String) -> Raster.Color {
    switch style {
    case "signal": Raster.Color(0x2F, 0x6B, 0xB0)
    case "score": Raster.Color(0x3B, 0x5F, 0xC0)
    case "missed": Raster.Color(0x8A, 0x63, 0xD2)
    case "alarm", "made": Raster.Color(0xD9, 0x83, 0x24)
    case "ignored": Raster.Color(0xE0, 0xC2, 0x00)
    default: Raster.Color(0xC6, 0x2F, 0x3B)
    }
  }
}
