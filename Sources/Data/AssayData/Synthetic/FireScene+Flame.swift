import AssayBase

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Something that burns: flames over its width, their light on what is around, and smoke.
struct Flame {
  let x: Float
  let base: Float
  let width: Float
  let height: Float
  private let warp: Noise
  private let body: Noise
  private let detail: Float
  private let strength: Float
  private let hue: Float
  private let lean: Float
  private let smoke: Smoke?
  private let isDaylight: Bool

  init(_ setting: Setting, using rng: inout SeededRNG) {
    x = rng.uniform(0.12, 0.88)
    base = rng.uniform(max(0.5, setting.horizon), 0.98)
    // Most fires fill a good part of the picture, some are small and far away.
    let size = rng.uniform() < 0.3 ? rng.uniform(0.07, 0.16) : rng.uniform(0.16, 0.5)
    width = size * rng.uniform(0.6, 1.5)
    height = size * rng.uniform(0.9, 2)
    warp = Noise(seed: rng.next())
    body = Noise(seed: rng.next())
    detail = rng.uniform(3, 6)
    strength = rng.uniform(0.8, 1.35)
    hue = rng.uniform(-0.06, 0.08)
    lean = rng.uniform(-0.35, 0.35)
    isDaylight = setting.sky == .clear || setting.sky == .overcast
    smoke =
      rng.uniform() < 0.6
      ? Smoke(x: x, y: base - height * 0.5, width: width, using: &rng) : nil
  }

  /// How hot it is at a place: 0 outside the flames, above 1 in their core.
  private func heat(_ px: Float, _ py: Float) -> Float {
    let v = (base - py) / height
    guard v > -0.06, v < 1.4 else { return 0 }
    let u = (px - x - lean * height * v * v) / width
    guard abs(u) < 1.6 else { return 0 }
    // Turbulence carries the flames to the side, more the higher they are.
    let sway = (warp.octaves(u * 2.2, v * 1.6 + 9, 3) - 0.5) * (0.35 + 1.1 * max(v, 0))
    let lift = (warp.octaves(u * 2.2 + 40, v * 1.6, 3) - 0.5) * 0.5
    let across = abs(u + sway)
    // Tongues: high where the noise along the base is high.
    let tongue = 0.35 + 0.9 * body.octaves((u + sway) * 2.5 + 70, v * 0.4, 2)
    let reach = tongue * (1 - 0.55 * across * across)
    let rise = smooth(-0.06, 0.02, v) * (1 - smooth(reach * 0.55, reach * 1.1, v + lift))
    let side = 1 - smooth(0.45, 1, across * (1 + 0.5 * max(v, 0)))
    let torn = body.ridges((u + sway) * detail, (v + lift) * detail * 0.55, 4)
    return rise * side * (0.25 + 1.15 * torn) * strength
  }

  /// The color of burning soot: from dark red over orange and yellow to nearly white.
  private func color(_ heat: Float) -> Color {
    .rgb(
      min(1.35, 2.1 * heat),
      min(1.15, max(0, 1.75 * (heat - 0.28 + hue))),
      min(0.75, max(0, 2.2 * (heat - 0.78)))
    )
  }

  func paint(_ canvas: inout Canvas) {
    smoke?.paint(&canvas)
    let glow = (isDaylight ? 0.18 : 0.6) * strength
    let middle = base - height * 0.35
    let reach = max(width, height)
    canvas.paint { px, py, old in
      let dx = px - x
      let dy = py - middle
      let light = glow * expf(-(dx * dx + dy * dy) / (reach * reach * 0.8))
      // Light on things keeps their color, a little haze shines itself.
      let lit = old + old * Color.rgb(1.6, 0.75, 0.25) * light + Color.rgb(0.1, 0.04, 0.01) * light
      let hot = heat(px, py)
      guard hot > 0.05 else { return lit }
      let cover = smooth(0.12, 0.5, hot)
      return lit.mixed(color(hot), cover) + color(hot) * 0.12 * (1 - cover)
    }
  }
}

/// Smoke that rises and spreads.
struct Smoke {
  private let x: Float
  private let y: Float
  private let width: Float
  private let shade: Float
  private let thickness: Float
  private let drift: Float
  private let noise: Noise

  init(x: Float, y: Float, width: Float = 0.2, using rng: inout SeededRNG) {
    self.x = x
    self.y = y
    self.width = max(width, 0.1) * rng.uniform(0.7, 1.4)
    shade = rng.uniform(0.08, 0.7)
    thickness = rng.uniform(0.4, 1)
    drift = rng.uniform(-0.8, 0.8)
    noise = Noise(seed: rng.next())
  }

  func paint(_ canvas: inout Canvas) {
    canvas.paint(
      cover: { px, py in
        let rise = y - py
        guard rise > -0.05 else { return 0 }
        let spread = width * (0.5 + 1.6 * max(rise, 0))
        let u = (px - x - drift * rise * rise) / spread
        let puffs = noise.octaves(px * 6, py * 6 + 3, 5)
        let body = (1 - smooth(0.3, 1.1, abs(u) + (puffs - 0.5))) * smooth(-0.05, 0.1, rise)
        return thickness * body * (0.4 + puffs) * (1 - smooth(0.3, 1, rise) * 0.6)
      },
      { px, py in .gray(shade * (0.7 + 0.6 * noise.octaves(px * 8 + 5, py * 8, 3))) }
    )
  }
}
