import AssayData

/// A picture that is drawn on.
struct Raster {
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

  /// A line between two points, `width` pixels thick.
  mutating func line(
    from: (x: Double, y: Double),
    to: (x: Double, y: Double),
    width: Int = 2,
    _ color: Color
  ) {
    let steps = Int(max(abs(to.x - from.x), abs(to.y - from.y)).rounded(.up))
    guard steps >= 0, steps < 1 << 16 else { return }
    for step in 0...steps {
      let part = steps == 0 ? 0 : Double(step) / Double(steps)
      let x = Int((from.x + (to.x - from.x) * part).rounded()) - width / 2
      let y = Int((from.y + (to.y - from.y) * part).rounded()) - width / 2
      fill(x..<x + width, y..<y + width, color)
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
