import AssayBase

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A color as light: red, green and blue, 0 being black and 1 as bright as a picture shows.
typealias Color = SIMD3<Float>

extension Color {
  /// A color of the three parts.
  static func rgb(_ r: Float, _ g: Float, _ b: Float) -> Color { Color(r, g, b) }
  /// A color on the way from this one to another, 0...1.
  func mixed(_ other: Color, _ part: Float) -> Color { self + (other - self) * part }
  /// A gray.
  static func gray(_ v: Float) -> Color { Color(repeating: v) }
  /// The brightness that the eye sees.
  var luma: Float { x * 0.299 + y * 0.587 + z * 0.114 }
}

/// A picture while it is painted, in floating point, coordinates 0...1 from the upper left corner.
struct Canvas {
  let side: Int
  private(set) var pixels: [Color]

  init(side: Int) {
    self.side = side
    pixels = [Color](repeating: .zero, count: side * side)
  }

  /// Replaces every pixel: `body` gets its place and what is there.
  mutating func paint(_ body: (_ x: Float, _ y: Float, _ old: Color) -> Color) {
    let step = 1 / Float(side)
    for row in 0..<side {
      let y = (Float(row) + 0.5) * step
      for column in 0..<side {
        let index = row * side + column
        pixels[index] = body((Float(column) + 0.5) * step, y, pixels[index])
      }
    }
  }

  /// Paints where `cover` (0...1) says, over what is there.
  mutating func paint(
    cover: (_ x: Float, _ y: Float) -> Float,
    _ color: (_ x: Float, _ y: Float) -> Color
  ) {
    paint { x, y, old in
      let part = min(max(cover(x, y), 0), 1)
      return part > 0 ? old.mixed(color(x, y), part) : old
    }
  }

  /// Blurs by a box of `radius` pixels, twice.
  mutating func blur(_ radius: Int) {
    guard radius > 0 else { return }
    for _ in 0..<2 {
      for isRow in [true, false] {
        let source = pixels
        for line in 0..<side {
          for at in 0..<side {
            var sum = Color.zero
            for offset in -radius...radius {
              let other = min(max(at + offset, 0), side - 1)
              sum += isRow ? source[line * side + other] : source[other * side + line]
            }
            sum /= Float(2 * radius + 1)
            if isRow { pixels[line * side + at] = sum } else { pixels[at * side + line] = sum }
          }
        }
      }
    }
  }

  /// The picture as a camera takes it: exposed, cast, with noise, 8 bits a channel.
  func image(exposure: Float, cast: Color, noise: Float, using rng: inout SeededRNG) -> Image {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(pixels.count * 3)
    for pixel in pixels {
      let grain = noise * rng.normal()
      let value = pixel * cast * exposure + Color(repeating: grain)
      for channel in 0..<3 {
        // A soft shoulder, so that what is too bright turns white slowly.
        let light = value[channel]
        let shown = light < 0.8 ? light : 0.8 + 0.2 * tanhf((light - 0.8) / 0.2)
        bytes.append(UInt8(min(max(shown, 0), 1) * 255 + 0.5))
      }
    }
    return Image(width: side, height: side, channels: 3, pixels: bytes)
  }
}

/// 0 below `low`, 1 above `high`, smooth between.
func smooth(_ low: Float, _ high: Float, _ value: Float) -> Float {
  let t = min(max((value - low) / (high - low), 0), 1)
  return t * t * (3 - 2 * t)
}
