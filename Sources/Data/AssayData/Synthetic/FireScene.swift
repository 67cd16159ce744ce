import AssayBase

/// Seeded pictures with and without something burning: synthetic, for examples and tests.
///
/// A picture is a scene (forest, street, room, field, water, night), things in it, and how a camera took
/// it. Half of the pictures have flames: turbulence that rises and tears, lights its surroundings and
/// smokes. Color alone does not tell them apart: suns and sunsets, lamps, orange things, autumn leaves,
/// bricks and plain smoke stand in the pictures of both classes.
public struct FireScene: Sendable {
  /// The seed of the whole set.
  public var seed: UInt64
  /// Extents of the square pictures.
  public var side: Int

  /// Makes a generator.
  public init(seed: UInt64, side: Int = 128) {
    self.seed = seed
    self.side = min(max(side, 16), 2048)
  }

  /// The names of the classes, by the index that `image` is told as `isBurning`.
  public static let classNames = ["nonfire", "fire"]

  /// The picture with this number, of one class.
  public func image(_ index: Int, isBurning: Bool) -> Image {
    var rng = SeededRNG(
      seed: seed &* 0x2545_F491_4F6C_DD1D &+ UInt64(truncatingIfNeeded: index) &* 2
        &+ (isBurning ? 1 : 0)
    )
    var canvas = Canvas(side: side)
    let setting = Setting(using: &rng)
    setting.paint(&canvas, using: &rng)
    // Both classes have things that look like fire, those without fire a little more often.
    let count = Int(rng.next() % 3) + (isBurning ? 0 : rng.uniform() < 0.6 ? 1 : 0)
    for _ in 0..<count { Thing(using: &rng).paint(&canvas, setting, using: &rng) }
    if isBurning {
      let flames = rng.uniform() < 0.25 ? 2 : 1
      for _ in 0..<flames { Flame(setting, using: &rng).paint(&canvas) }
    } else if rng.uniform() < 0.15 {
      Smoke(x: rng.uniform(0.2, 0.8), y: rng.uniform(0.5, 0.9), using: &rng).paint(&canvas)
    }
    if rng.uniform() < 0.4 { Thing(.obstacle).paint(&canvas, setting, using: &rng) }
    canvas.blur(rng.uniform() < 0.3 ? max(1, side / 128) : 0)
    let warmth = rng.uniform(-0.12, 0.12)
    return canvas.image(
      exposure: rng.uniform(0.75, 1.3),
      cast: .rgb(1 + warmth, 1, 1 - warmth),
      noise: rng.uniform(0, 0.035),
      using: &rng
    )
  }
}

/// Where a picture was taken, and in what light.
struct Setting {
  enum Place: CaseIterable { case forest, street, room, field, water }
  enum Sky: CaseIterable { case clear, overcast, sunset, night }

  let place: Place
  let sky: Sky
  /// Where the ground begins.
  let horizon: Float

  init(using rng: inout SeededRNG) {
    place = Place.allCases[Int(rng.next() % 5)]
    sky = Sky.allCases[Int(rng.next() % 4)]
    horizon = place == .room ? rng.uniform(0.6, 0.85) : rng.uniform(0.35, 0.7)
  }

  /// How bright and of what color the light is.
  var light: Color {
    switch sky {
    case .clear: .rgb(1, 0.98, 0.95)
    case .overcast: .rgb(0.75, 0.78, 0.8)
    case .sunset: .rgb(0.85, 0.6, 0.45)
    case .night: place == .room ? .rgb(0.5, 0.42, 0.3) : .rgb(0.16, 0.17, 0.24)
    }
  }

  func paint(_ canvas: inout Canvas, using rng: inout SeededRNG) {
    if place == .room { paintRoom(&canvas, using: &rng) } else { paintSky(&canvas, using: &rng) }
    switch place {
    case .forest: paintForest(&canvas, using: &rng)
    case .street: paintStreet(&canvas, using: &rng)
    case .field: paintGround(&canvas, .rgb(0.33, 0.42, 0.15), .rgb(0.6, 0.52, 0.25), 14, &rng)
    case .water: paintWater(&canvas, using: &rng)
    case .room: break
    }
  }

  private func paintSky(_ canvas: inout Canvas, using rng: inout SeededRNG) {
    let clouds = Noise(seed: rng.next())
    let amount = rng.uniform(0, 0.9)
    let (high, low, cloud): (Color, Color, Color) =
      switch sky {
      case .clear: (.rgb(0.25, 0.45, 0.8), .rgb(0.65, 0.8, 0.95), .gray(0.95))
      case .overcast: (.gray(0.55), .gray(0.75), .gray(0.45))
      case .sunset:
        (.rgb(0.3, 0.25, 0.45), .rgb(1.0, rng.uniform(0.42, 0.62), 0.18), .rgb(0.85, 0.4, 0.25))
      case .night: (.rgb(0.02, 0.02, 0.06), .rgb(0.07, 0.07, 0.13), .gray(0.1))
      }
    let scale = rng.uniform(2, 5)
    canvas.paint { x, y, _ in
      let depth = min(y / horizon, 1)
      let base = high.mixed(low, depth * depth)
      let cover = smooth(0.45, 0.8, clouds.octaves(x * scale, y * scale * 2.2, 5)) * amount
      return base.mixed(cloud, cover)
    }
    if sky == .sunset || (sky == .clear && rng.uniform() < 0.3) {
      let sun = (
        x: rng.uniform(0.1, 0.9), y: horizon * rng.uniform(0.4, 1), r: rng.uniform(0.03, 0.09)
      )
      let color: Color = sky == .sunset ? .rgb(1.3, 0.85, 0.4) : .rgb(1.4, 1.35, 1.2)
      canvas.paint { x, y, old in
        let d = ((x - sun.x) * (x - sun.x) + (y - sun.y) * (y - sun.y)).squareRoot()
        let glow = 0.5 * sun.r / (d + sun.r * 0.6)
        return old.mixed(color, min(1, smooth(sun.r, sun.r * 0.8, d) + glow * 0.55))
      }
    }
  }

  private func paintGround(
    _ canvas: inout Canvas,
    _ a: Color,
    _ b: Color,
    _ scale: Float,
    _ rng: inout SeededRNG
  ) {
    let texture = Noise(seed: rng.next())
    let edge = Noise(seed: rng.next())
    let light = light
    canvas.paint(
      cover: { x, y in smooth(-0.01, 0.01, y - horizon - 0.05 * (edge.value(x * 5, 0) - 0.5)) },
      { x, y in
        // Nearer ground has coarser texture.
        let depth = 0.25 + (y - horizon) * 1.5
        return a.mixed(b, texture.octaves(x * scale / depth, y * scale / depth, 4)) * light
      }
    )
  }

  private func paintForest(_ canvas: inout Canvas, using rng: inout SeededRNG) {
    paintGround(&canvas, .rgb(0.2, 0.18, 0.1), .rgb(0.3, 0.33, 0.14), 10, &rng)
    let leaves = Noise(seed: rng.next())
    // Autumn leaves have the colors of fire.
    let isAutumn = rng.uniform() < 0.35
    let a: Color = isAutumn ? .rgb(0.75, 0.3, 0.06) : .rgb(0.08, 0.22, 0.06)
    let b: Color = isAutumn ? .rgb(0.95, 0.65, 0.12) : .rgb(0.3, 0.48, 0.15)
    let light = light
    let crown = horizon + rng.uniform(-0.1, 0.15)
    let scale = rng.uniform(8, 16)
    canvas.paint(
      cover: { x, y in smooth(0.42, 0.5, leaves.octaves(x * 4, y * 4, 3) + (crown - y) * 0.5) },
      { x, y in a.mixed(b, smooth(0.25, 0.8, leaves.octaves(x * scale, y * scale, 4))) * light }
    )
    for _ in 0..<Int(rng.next() % 7) {
      let trunk = (x: rng.uniform(), w: rng.uniform(0.012, 0.05), y: rng.uniform(0.6, 1))
      let bark = Noise(seed: rng.next())
      canvas.paint(
        cover: { x, y in y < trunk.y ? smooth(trunk.w, trunk.w * 0.8, abs(x - trunk.x)) : 0 },
        { x, y in
          Color.rgb(0.24, 0.17, 0.11) * (0.5 + bark.octaves(x * 40, y * 6, 3)) * light
        }
      )
    }
  }

  private func paintStreet(_ canvas: inout Canvas, using rng: inout SeededRNG) {
    paintGround(&canvas, .gray(0.22), .gray(0.38), 12, &rng)
    let light = light
    for _ in 0..<Int(rng.next() % 5) + 2 {
      let left = rng.uniform(-0.1, 0.95)
      let width = rng.uniform(0.12, 0.4)
      let top = horizon - rng.uniform(0.08, 0.45)
      let base = horizon + rng.uniform(0, 0.06)
      let isBrick = rng.uniform() < 0.4
      let wall: Color =
        isBrick ? .rgb(0.6, rng.uniform(0.22, 0.35), 0.16) : .gray(rng.uniform(0.3, 0.8))
      let grid = (x: rng.uniform(0.03, 0.07), y: rng.uniform(0.04, 0.09))
      let lit = rng.uniform() < 0.5 ? Color.rgb(1.05, 0.75, 0.35) : .rgb(0.12, 0.15, 0.2)
      let windows = Noise(seed: rng.next())
      canvas.paint(
        cover: { x, y in x > left && x < left + width && y > top && y < base ? 1 : 0 },
        { x, y in
          let u = (x - left) / grid.x
          let v = (y - top) / grid.y
          let inside = (u - u.rounded(.down), v - v.rounded(.down))
          let isWindow = inside.0 > 0.3 && inside.0 < 0.75 && inside.1 > 0.3 && inside.1 < 0.75
          let glows = windows.value(u.rounded(.down) * 7.1, v.rounded(.down) * 5.3) > 0.5
          if isWindow { return glows ? lit : .rgb(0.1, 0.12, 0.16) }
          let row = (y * 60).rounded(.down)
          let joint = isBrick && (y * 60 - row < 0.2) ? Float(0.7) : 1
          return wall * light * joint * (0.85 + 0.3 * windows.octaves(x * 30, y * 30, 2))
        }
      )
    }
  }

  private func paintWater(_ canvas: inout Canvas, using rng: inout SeededRNG) {
    let waves = Noise(seed: rng.next())
    let deep: Color = sky == .night ? .rgb(0.02, 0.03, 0.06) : .rgb(0.1, 0.25, 0.35)
    let shine: Color = sky == .sunset ? .rgb(1, 0.6, 0.25) : light * 0.8
    canvas.paint(
      cover: { _, y in smooth(-0.004, 0.004, y - horizon) },
      { x, y in
        let depth = 0.1 + (y - horizon)
        let wave = waves.octaves(x * 5 / depth, y * 30 / depth, 3)
        return deep.mixed(shine, smooth(0.5, 0.85, wave) * 0.8)
      }
    )
  }

  private func paintRoom(_ canvas: inout Canvas, using rng: inout SeededRNG) {
    let wall = Color.rgb(rng.uniform(0.45, 0.9), rng.uniform(0.45, 0.8), rng.uniform(0.35, 0.75))
    let floor = Color.rgb(0.5, 0.35, 0.2) * rng.uniform(0.6, 1.3)
    let plaster = Noise(seed: rng.next())
    let lamp = (x: rng.uniform(), y: rng.uniform(0, 0.4))
    let light = light
    canvas.paint { x, y, _ in
      let d = ((x - lamp.x) * (x - lamp.x) + (y - lamp.y) * (y - lamp.y)).squareRoot()
      let fall = 1.1 - 0.5 * d
      if y < horizon {
        return wall * light * fall * (0.94 + 0.12 * plaster.octaves(x * 9, y * 9, 3))
      }
      let plank = (x * 9 / (0.4 + y - horizon)).rounded(.down)
      let grain = plaster.octaves(x * 30, y * 4 + plank * 3, 3)
      return floor * light * fall * (0.7 + 0.6 * grain)
    }
    for _ in 0..<Int(rng.next() % 4) + 1 {
      let left = rng.uniform(-0.05, 0.85)
      let top = rng.uniform(0.1, 0.8)
      let size = (w: rng.uniform(0.08, 0.35), h: rng.uniform(0.06, 0.3))
      let color = Color.rgb(rng.uniform(0.1, 0.9), rng.uniform(0.1, 0.8), rng.uniform(0.1, 0.8))
      canvas.paint(
        cover: { x, y in
          x > left && x < left + size.w && y > top && y < top + size.h ? 1 : 0
        },
        { x, y in color * light * (0.7 + 0.5 * (x - left) / size.w) }
      )
    }
  }
}
