/// Smooth random fields over the plane.
///
/// Lattice values joined by a quintic, and sums of octaves of them (Perlin, 2002, with values in place
/// of gradients). Only arithmetic, so that a seed gives the same field everywhere.
struct Noise {
  private let seed: UInt64

  init(seed: UInt64) { self.seed = seed }

  /// A number in 0..<1 that belongs to a lattice point.
  private func lattice(_ x: Int, _ y: Int) -> Float {
    var h = seed &+ UInt64(bitPattern: Int64(x)) &* 0x9E37_79B9_7F4A_7C15
    h ^= UInt64(bitPattern: Int64(y)) &* 0xC2B2_AE3D_27D4_EB4F
    h = (h ^ (h >> 29)) &* 0xBF58_476D_1CE4_E5B9
    h = (h ^ (h >> 32)) &* 0x94D0_49BB_1331_11EB
    return Float((h ^ (h >> 29)) >> 40) * 0x1p-24
  }

  /// One octave: 0...1, features about one unit wide.
  func value(_ x: Float, _ y: Float) -> Float {
    let (left, top) = (x.rounded(.down), y.rounded(.down))
    let (column, row) = (Int(left), Int(top))
    let (u, v) = (Self.ease(x - left), Self.ease(y - top))
    let a = lattice(column, row)
    let b = lattice(column + 1, row)
    let c = lattice(column, row + 1)
    let d = lattice(column + 1, row + 1)
    let upper = a + (b - a) * u
    return upper + (c + (d - c) * u - upper) * v
  }

  /// Octaves of halving size and weight: 0...1, about one half on average.
  func octaves(_ x: Float, _ y: Float, _ count: Int = 4) -> Float {
    var (sum, weight, total, scale): (Float, Float, Float, Float) = (0, 1, 0, 1)
    for octave in 0..<count {
      let shift = Float(octave) * 17.3
      sum += value(x * scale + shift, y * scale - shift) * weight
      total += weight
      weight *= 0.5
      scale *= 2
    }
    return sum / total
  }

  /// Octaves folded at their middle: creases where flames have their bright edges.
  func ridges(_ x: Float, _ y: Float, _ count: Int = 4) -> Float {
    var (sum, weight, total, scale): (Float, Float, Float, Float) = (0, 1, 0, 1)
    for octave in 0..<count {
      let shift = Float(octave) * 31.7
      sum += (1 - abs(2 * value(x * scale - shift, y * scale + shift) - 1)) * weight
      total += weight
      weight *= 0.5
      scale *= 2
    }
    return sum / total
  }

  private static func ease(_ t: Float) -> Float { t * t * t * (t * (t * 6 - 15) + 10) }
}
