import AssayAccuracy
import AssayBase
import AssayData

/// What a network saw, drawn into the picture.
public struct Overlay {
  /// A color of a class: far apart for neighbors, the same for the same class everywhere.
  static func color(_ category: Int) -> (r: UInt8, g: UInt8, b: UInt8) {
    // Steps of the golden ratio around the wheel of hues.
    let hue = (Double(category) * 0.618033988749895 + 0.02).truncatingRemainder(dividingBy: 1) * 6
    let part = hue - hue.rounded(.down)
    let (low, falling, rising) = (0.12, 1 - 0.88 * part, 0.12 + 0.88 * part)
    let (r, g, b): (Double, Double, Double) =
      switch Int(hue) {
      case 0: (1, rising, low)
      case 1: (falling, 1, low)
      case 2: (low, 1, rising)
      case 3: (low, falling, 1)
      case 4: (rising, low, 1)
      default: (1, low, falling)
      }
    return (UInt8(r * 255), UInt8(g * 255), UInt8(b * 255))
  }

  private var pixels: [UInt8]
  private let width: Int
  private let height: Int
  private let names: [String]
  /// The thickness of lines in pixels.
  private let line: Int

  /// A picture to draw into.
  ///
  /// - Parameter names: of the classes, as far as there are names.
  public init(_ image: Image, names: [String] = []) {
    let color = image.color
    pixels = color.pixels
    width = color.width
    height = color.height
    self.names = names
    line = max(min(width, height) / 220, 1)
  }

  /// The picture as it is drawn by now.
  public var image: Image { Image(width: width, height: height, channels: 3, pixels: pixels) }

  /// The name of a class, or its number.
  func name(_ category: Int) -> String {
    names.indices.contains(category) ? names[category] : "\(category)"
  }

  /// Draws what was read.
  ///
  /// - Parameter score: points below this score are left out.
  public mutating func draw(_ reading: Reading, score: Double = 0.3) {
    switch reading {
    case .objects(let objects):
      // The surest last, so that it lies on top.
      for object in objects.reversed() { draw(object) }
    case .regions(let width, let height, let classes):
      guard width == self.width, height == self.height else { return }
      for (index, category) in classes.enumerated() where category != 0 && category != 255 {
        blend(index, Overlay.color(Int(category)), 0.55)
      }
    case .points(let points): draw(points, score)
    case .classes(let scores):
      guard let best = topIndices(scores, count: 1).first else { return }
      label(name(best) + " " + Words.fixed(Double(scores[best]), 2), 0, 0, Overlay.color(best))
    }
  }

  private mutating func draw(_ object: FoundObject) {
    let color = Overlay.color(object.category)
    if let mask = object.mask, mask.width == width, mask.height == height {
      let bits = mask.bits
      for index in bits.indices where bits[index] { blend(index, color, 0.5) }
    }
    let box = object.box.clipped(width: Double(width - 1), height: Double(height - 1))
    let (left, top) = (Int(box.x), Int(box.y))
    let (right, bottom) = (Int(box.right), Int(box.bottom))
    for step in 0..<line {
      for x in left...max(left, right) {
        set(x, top + step, color)
        set(x, bottom - step, color)
      }
      for y in top...max(top, bottom) {
        set(left + step, y, color)
        set(right - step, y, color)
      }
    }
    label("\(name(object.category)) \(Words.fixed(object.score, 2))", left, top, color)
  }

  private mutating func draw(_ points: [KeyPoint], _ score: Double) {
    for (a, b) in MoveNetHead.bones where max(a, b) < points.count {
      guard points[a].score >= score, points[b].score >= score else { continue }
      let (dx, dy) = (points[b].x - points[a].x, points[b].y - points[a].y)
      let steps = max(Int(max(abs(dx), abs(dy))), 1)
      guard steps < 1 << 16 else { continue }
      for step in 0...steps {
        let part = Double(step) / Double(steps)
        dot(points[a].x + dx * part, points[a].y + dy * part, line, (64, 220, 255))
      }
    }
    for point in points where point.score >= score {
      dot(point.x, point.y, line * 3, (255, 64, 96))
    }
  }

  private mutating func dot(_ x: Double, _ y: Double, _ radius: Int, _ color: (UInt8, UInt8, UInt8))
  {
    guard x.isFinite, y.isFinite, abs(x) < 1e6, abs(y) < 1e6 else { return }
    for dy in -radius...radius {
      for dx in -radius...radius where dx * dx + dy * dy <= radius * radius {
        set(Int(x) + dx, Int(y) + dy, color)
      }
    }
  }

  /// Writes white on the class's color, above a place if there is room.
  private mutating func label(
    _ text: String,
    _ x: Int,
    _ y: Int,
    _ color: (r: UInt8, g: UInt8, b: UInt8)
  ) {
    let scale = max(min(width, height) / 160, 1)
    let (wide, high) = ((Lettering.width(text) + 2) * scale, 7 * scale)
    let left = max(min(x, width - wide), 0)
    let top = y >= high ? y - high : y
    for row in 0..<high {
      for column in 0..<wide { set(left + column, top + row, color) }
    }
    // Dark letters on light colors.
    let luma = Int(color.r) * 3 + Int(color.g) * 6 + Int(color.b)
    let ink: (UInt8, UInt8, UInt8) = luma > 1300 ? (0, 0, 0) : (255, 255, 255)
    var places: [(Int, Int)] = []
    Lettering.draw(text) { places.append(($0, $1)) }
    for (column, row) in places {
      for dy in 0..<scale {
        for dx in 0..<scale {
          set(left + (column + 1) * scale + dx, top + (row + 1) * scale + dy, ink)
        }
      }
    }
  }

  private mutating func set(_ x: Int, _ y: Int, _ color: (UInt8, UInt8, UInt8)) {
    guard x >= 0, y >= 0, x < width, y < height else { return }
    let at = (y * width + x) * 3
    (pixels[at], pixels[at + 1], pixels[at + 2]) = color
  }

  private mutating func blend(_ index: Int, _ color: (UInt8, UInt8, UInt8), _ part: Double) {
    let parts = [color.0, color.1, color.2]
    for channel in 0..<3 {
      let old = Double(pixels[index * 3 + channel])
      pixels[index * 3 + channel] = UInt8(old + (Double(parts[channel]) - old) * part)
    }
  }
}
