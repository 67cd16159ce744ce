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

/// A picture that is drawn on.
private struct Raster {
  typealias Color = SIMD3<UInt8>

  static let ink = Color(0x1A, 0x1D, 0x23)
  static let soft = Color(0x5C, 0x64, 0x70)
  static let line = Color(0xD9, 0xDD, 0xE3)

  let width: Int
  let height: Int
  private var pixels: [UInt8]

  init(width: Int, height: Int) {
    self.width = width
    self.height = height
    pixels = [UInt8](repeating: 255, count: width * height * 3)
  }

  var image: Image { Image(width: width, height: height, channels: 3, pixels: pixels) }

  mutating func fill(_ columns: Range<Int>, _ rows: Range<Int>, _ color: Color) {
    for y in rows.clamped(to: 0..<height) {
      for x in columns.clamped(to: 0..<width) {
        for channel in 0..<3 { pixels[(y * width + x) * 3 + channel] = color[channel] }
      }
    }
  }

  /// Lays a color over what is there, so that it shines through.
  mutating func tint(_ columns: Range<Int>, _ rows: Range<Int>, _ color: Color) {
    for y in rows.clamped(to: 0..<height) {
      for x in columns.clamped(to: 0..<width) {
        for channel in 0..<3 {
          let old = Int(pixels[(y * width + x) * 3 + channel])
          pixels[(y * width + x) * 3 + channel] = UInt8((old * 3 + Int(color[channel])) / 4)
        }
      }
    }
  }

  /// Upright strokes, one a column, each joined to the one before.
  mutating func draw(_ strokes: [(x: Int, top: Int, bottom: Int)], _ color: Color) {
    var last: (x: Int, top: Int, bottom: Int)?
    for stroke in strokes {
      var (top, bottom) = (stroke.top, stroke.bottom)
      if let last {
        top = min(top, last.bottom)
        bottom = max(bottom, last.top)
      }
      fill(stroke.x..<stroke.x + 1, top..<bottom + 1, color)
      last = stroke
    }
  }

  // MARK: Letters

  /// Pixels from one letter to the next; letters are drawn twice as large as they are stored.
  private static let pitch = 12

  mutating func write(_ text: String, x: Int, y: Int, _ color: Color) {
    var place = x
    for character in text.lowercased() {
      let bits = Self.letters[character] ?? 0
      for row in 0..<7 {
        for column in 0..<5 where bits >> UInt64((6 - row) * 5 + 4 - column) & 1 == 1 {
          let (left, top) = (place + 2 * column, y + 2 * row)
          fill(left..<left + 2, top..<top + 2, color)
        }
      }
      place += Self.pitch
    }
  }

  mutating func write(_ text: String, endingAt x: Int, y: Int, _ color: Color) {
    write(text, x: x - text.count * Self.pitch, y: y, color)
  }

  mutating func write(_ text: String, around x: Int, y: Int, _ color: Color) {
    write(text, x: x - text.count * Self.pitch / 2, y: y, color)
  }

  /// Letters of five by seven points, row by row from the highest bits.
  private static let letters: [Character: UInt64] = [
    "0": 0x3A33AE62E, "1": 0x11842108E, "2": 0x3A213221F, "3": 0x78217043E, "4": 0x08CA97C42,
    "5": 0x7E1E0862E, "6": 0x1910F462E, "7": 0x7C2222108, "8": 0x3A317462E, "9": 0x3A317844C,
    "a": 0x000E0BE2F, "b": 0x421E8C63E, "c": 0x000F8420F, "d": 0x042F8C62F, "e": 0x000E8FE0E,
    "f": 0x191E42108, "g": 0x01F18BC2E, "h": 0x421E8C631, "i": 0x100C2108E, "j": 0x080610A4C,
    "k": 0x4212A6292, "l": 0x30842108E, "m": 0x001AAD6B5, "n": 0x001E8C631, "o": 0x000E8C62E,
    "p": 0x03D18FA10, "q": 0x01F18BC21, "r": 0x0016C4210, "s": 0x000F8383E, "t": 0x211E42106,
    "u": 0x00118C62F, "v": 0x00118C544, "w": 0x0015AD6AA, "x": 0x001151151, "y": 0x02318BC2E,
    "z": 0x001F1111F, ".": 0x00000018C, ",": 0x000003088, "-": 0x0000F8000, ":": 0x018C03180,
    "_": 0x00000001F, "/": 0x042222210, "(": 0x088842082, ")": 0x208210888, "[": 0x39084210E,
    "]": 0x38421084E,
  ]
}
