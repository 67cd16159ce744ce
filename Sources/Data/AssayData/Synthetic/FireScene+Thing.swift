import AssayBase

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Things in the colors of fire, or in front of it.
struct Thing {
  enum Kind: CaseIterable { case ball, box, cone, lamp, lights, leaves, cloth, obstacle }

  let kind: Kind

  init(_ kind: Kind) { self.kind = kind }

  init(using rng: inout SeededRNG) {
    kind = Kind.allCases[Int(rng.next() % UInt64(Kind.allCases.count - 1))]
  }

  /// A color between red and yellow, as fire has them.
  private func warm(_ rng: inout SeededRNG) -> Color {
    .rgb(rng.uniform(0.8, 1.1), rng.uniform(0.2, 0.7), rng.uniform(0.02, 0.15))
  }

  func paint(_ canvas: inout Canvas, _ setting: Setting, using rng: inout SeededRNG) {
    let x = rng.uniform(0.1, 0.9)
    let y = rng.uniform(max(0.3, setting.horizon - 0.1), 0.95)
    let size = rng.uniform(0.06, 0.25)
    let color = warm(&rng)
    let light = setting.light.mixed(.gray(1), 0.3)
    switch kind {
    case .ball: paintBall(&canvas, x, y, size, color * light)
    case .box: paintBox(&canvas, x, y, size, color * light, rng.uniform(0.5, 2))
    case .cone: paintCone(&canvas, x, y, size, color * light)
    case .lamp: paintLamp(&canvas, x, y * 0.7, size * 0.35, color, rng.uniform(0.3, 1))
    case .lights:
      for _ in 0..<Int(rng.next() % 9) + 3 {
        let place = (rng.uniform(), rng.uniform(0.2, 0.8))
        paintLamp(&canvas, place.0, place.1, rng.uniform(0.006, 0.02), warm(&rng), 0.4)
      }
    case .leaves: paintLeaves(&canvas, x, y, size * 1.5, light, &rng)
    case .cloth: paintCloth(&canvas, x, y, size * 1.4, color * light, &rng)
    case .obstacle:
      let shade = rng.uniform(0.02, 0.4)
      let width = rng.uniform(0.02, 0.12)
      let tilt = rng.uniform(-0.3, 0.3)
      canvas.paint(
        cover: { px, py in smooth(width, width * 0.85, abs(px - x - tilt * (py - 0.5))) },
        { _, _ in Color.gray(shade) * light }
      )
    }
  }

  private func paintBall(
    _ canvas: inout Canvas,
    _ x: Float,
    _ y: Float,
    _ r: Float,
    _ color: Color
  ) {
    let radius = r * 0.6
    canvas.paint(
      cover: { px, py in
        let d = ((px - x) * (px - x) + (py - y) * (py - y)).squareRoot()
        return smooth(radius, radius * 0.94, d)
      },
      { px, py in
        let (u, v) = ((px - x) / radius, (py - y) / radius)
        let z = max(0, 1 - u * u - v * v).squareRoot()
        let shine = powf(max(0, -0.5 * u - 0.6 * v + 0.62 * z), 20)
        return color * (0.35 + 0.75 * max(0, -0.4 * u - 0.5 * v + 0.77 * z))
          + Color.gray(shine * 0.5)
      }
    )
  }

  private func paintBox(
    _ canvas: inout Canvas,
    _ x: Float,
    _ y: Float,
    _ size: Float,
    _ color: Color,
    _ proportion: Float
  ) {
    let (w, h) = (size * proportion.squareRoot(), size / proportion.squareRoot())
    canvas.paint(
      cover: { px, py in abs(px - x) < w * 0.5 && abs(py - y) < h * 0.5 ? 1 : 0 },
      { px, py in color * (px - x > w * 0.25 ? 0.55 : 0.95) * (1 - 0.3 * (py - y) / h) }
    )
  }

  private func paintCone(
    _ canvas: inout Canvas,
    _ x: Float,
    _ y: Float,
    _ size: Float,
    _ color: Color
  ) {
    canvas.paint(
      cover: { px, py in
        let v = (y - py) / (size * 1.4)
        guard v > 0, v < 1 else { return 0 }
        return smooth(0.02, -0.005, abs(px - x) - size * 0.45 * (1 - v))
      },
      { px, py in
        let v = (y - py) / (size * 1.4)
        let isStripe = (v > 0.3 && v < 0.48) || (v > 0.64 && v < 0.78)
        return (isStripe ? .gray(0.9) : color) * (0.75 + 0.5 * (x - px) / size)
      }
    )
  }

  private func paintLamp(
    _ canvas: inout Canvas,
    _ x: Float,
    _ y: Float,
    _ r: Float,
    _ color: Color,
    _ power: Float
  ) {
    canvas.paint { px, py, old in
      let d = ((px - x) * (px - x) + (py - y) * (py - y)).squareRoot()
      let glow = power * expf(-d / (r * 2.2))
      let core = smooth(r, r * 0.7, d)
      return (old + color * glow).mixed(.rgb(1.3, 1.15, 0.8), core)
    }
  }

  private func paintLeaves(
    _ canvas: inout Canvas,
    _ x: Float,
    _ y: Float,
    _ size: Float,
    _ light: Color,
    _ rng: inout SeededRNG
  ) {
    let shape = Noise(seed: rng.next())
    let hues = Noise(seed: rng.next())
    canvas.paint(
      cover: { px, py in
        let d = ((px - x) * (px - x) + (py - y) * (py - y)).squareRoot() / size
        return smooth(0.5, 0.56, shape.octaves(px * 22, py * 22, 3) + 0.35 - d * 0.45)
      },
      { px, py in
        let hue = hues.octaves(px * 30, py * 30, 2)
        return Color.rgb(0.85, 0.2, 0.04).mixed(.rgb(1, 0.75, 0.15), smooth(0.2, 0.8, hue)) * light
      }
    )
  }

  private func paintCloth(
    _ canvas: inout Canvas,
    _ x: Float,
    _ y: Float,
    _ size: Float,
    _ color: Color,
    _ rng: inout SeededRNG
  ) {
    let folds = Noise(seed: rng.next())
    canvas.paint(
      cover: { px, py in
        let wave = 0.12 * (folds.value(py * 8, 3) - 0.5)
        let across = smooth(0, -0.015, abs(px - x + wave) - size * 0.4)
        return across * smooth(0, -0.015, abs(py - y) - size * 0.5)
      },
      { px, py in color * (0.45 + 0.9 * folds.octaves(px * 14, py * 3, 3)) }
    )
  }
}
