import AssayBase

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// How pictures are varied while a network is trained on them, so that it sees none twice.
///
/// Pictures are moved by one bilinear step (flip, cut, turn, shift; beyond its border a picture is
/// mirrored), then their colors are changed. Everything is drawn from the generator that is given.
public struct Augmentation: Sendable, Equatable {
  /// Whether half of the pictures are mirrored left to right.
  public var flips = false
  /// Whether half of the pictures are mirrored top to bottom.
  public var flipsVertically = false
  /// The part of a picture's sides that may be cut away, 0..<1.
  public var crop: Float = 0
  /// The part of a picture's sides that it may be shifted by, 0..<1.
  public var shift: Float = 0
  /// Degrees that a picture may be turned by, to both sides.
  public var rotation: Float = 0
  /// The part of the full range that may be added or taken, 0..<1.
  public var brightness: Float = 0
  /// By which part differences from the picture's mean may grow or shrink, 0..<1.
  public var contrast: Float = 0
  /// By which part differences from gray may grow or shrink, 0..<1.
  public var color: Float = 0

  /// Pictures as they are.
  public init() {}

  /// Pictures as they are.
  public static let none = Augmentation()

  /// What photographs of things stand without becoming others.
  public static let standard: Augmentation = {
    var result = Augmentation()
    result.flips = true
    result.crop = 0.15
    result.rotation = 8
    result.brightness = 0.1
    result.contrast = 0.2
    result.color = 0.2
    return result
  }()

  /// Reads `none`, `standard`, or items with commas: `flip,crop=0.2,shift=0.1,rotate=10,...`.
  ///
  /// - Throws: `Diagnostic` DAT040 with the word that does not fit.
  public init(parsing text: String) throws {
    self.init()
    for item in text.split(separator: ",") {
      let parts = item.split(separator: "=", maxSplits: 1).map { trimmed($0) }
      switch (parts[0], parts.count) {
      case ("none", 1): self = .none
      case ("standard", 1): self = .standard
      case ("flip", 1): flips = true
      case ("vflip", 1): flipsVertically = true
      case ("crop", 2): crop = try Self.part(parts)
      case ("shift", 2): shift = try Self.part(parts)
      case ("rotate", 2): rotation = try Self.part(parts, below: 180.1)
      case ("brightness", 2): brightness = try Self.part(parts)
      case ("contrast", 2): contrast = try Self.part(parts)
      case ("color", 2): color = try Self.part(parts)
      default:
        let known = Self.words.map { String($0.prefix { $0 != "=" }) }
        throw Diagnostic(
          "DAT040",
          "'\(item)' is no way to vary pictures",
          remedy: nearest(to: parts[0], among: known).map { "did you mean '\($0)'?" }
            ?? "there are " + Self.words.joined(separator: ", ")
        )
      }
    }
  }

  /// The items that `init(parsing:)` knows.
  public static let words = [
    "none", "standard", "flip", "vflip", "crop=0.2", "shift=0.1", "rotate=10", "brightness=0.1",
    "contrast=0.2", "color=0.2",
  ]

  private static func part(_ parts: [String], below limit: Float = 1) throws -> Float {
    guard let value = Float(parts[1]), value >= 0, value < limit else {
      throw Diagnostic(
        "DAT040",
        "\(parts[0]) is a number from 0 to \(limit < 2 ? "1" : "180"), not '\(parts[1])'"
      )
    }
    return value
  }

  /// The items that give this augmentation.
  public var text: String {
    var items: [String] = []
    if flips { items.append("flip") }
    if flipsVertically { items.append("vflip") }
    for (name, value) in [
      ("crop", crop), ("shift", shift), ("rotate", rotation), ("brightness", brightness),
      ("contrast", contrast), ("color", color),
    ] where value > 0 {
      items.append("\(name)=\(Words.short(Double(value)))")
    }
    return items.isEmpty ? "none" : items.joined(separator: ",")
  }

  /// A varied picture of the same extents.
  func applied(to picture: Picture, using rng: inout SeededRNG) -> Picture {
    guard self != .none else { return picture }
    // Every number is drawn, whatever is wanted, so that one option does not change the others.
    let isFlipped = rng.uniform() < 0.5 && flips
    let isUpsideDown = rng.uniform() < 0.5 && flipsVertically
    let scale = 1 - rng.uniform() * crop
    let room = (1 - scale) / 2
    let dx = rng.uniform(-1, 1) * (room + shift)
    let dy = rng.uniform(-1, 1) * (room + shift)
    let angle = rng.uniform(-1, 1) * rotation * .pi / 180
    let added = rng.uniform(-1, 1) * brightness * 255
    let stretch = 1 + rng.uniform(-1, 1) * contrast
    let saturation = 1 + rng.uniform(-1, 1) * color
    var result = picture
    if isFlipped || isUpsideDown || scale != 1 || dx != 0 || dy != 0 || angle != 0 {
      result = moved(
        picture,
        scaleX: isFlipped ? -scale : scale,
        scaleY: isUpsideDown ? -scale : scale,
        dx: dx * Float(picture.width),
        dy: dy * Float(picture.height),
        angle: angle
      )
    }
    if added != 0 || stretch != 1 || saturation != 1 {
      recolor(&result, added: added, stretch: stretch, saturation: saturation)
    }
    return result
  }

  /// Takes each pixel from where an affine map leads.
  private func moved(
    _ picture: Picture,
    scaleX: Float,
    scaleY: Float,
    dx: Float,
    dy: Float,
    angle: Float
  ) -> Picture {
    let (width, height, channels) = (picture.width, picture.height, picture.channels)
    let (sine, cosine) = (sinf(angle), cosf(angle))
    let centerX = Float(width - 1) / 2
    let centerY = Float(height - 1) / 2
    var result = picture
    var to = 0
    for y in 0..<height {
      let v = Float(y) - centerY
      for x in 0..<width {
        let u = Float(x) - centerX
        let sx = mirrored((cosine * u - sine * v) * scaleX + centerX + dx, width)
        let sy = mirrored((sine * u + cosine * v) * scaleY + centerY + dy, height)
        let (left, top) = (Int(sx), Int(sy))
        let (fx, fy) = (sx - Float(left), sy - Float(top))
        let right = min(left + 1, width - 1)
        let bottom = min(top + 1, height - 1)
        for channel in 0..<channels {
          let a = picture.values[(top * width + left) * channels + channel]
          let b = picture.values[(top * width + right) * channels + channel]
          let c = picture.values[(bottom * width + left) * channels + channel]
          let d = picture.values[(bottom * width + right) * channels + channel]
          let upper = a + (b - a) * fx
          result.values[to] = upper + (c + (d - c) * fx - upper) * fy
          to &+= 1
        }
      }
    }
    return result
  }

  private func recolor(
    _ picture: inout Picture,
    added: Float,
    stretch: Float,
    saturation: Float
  ) {
    let mean = picture.values.reduce(0, +) / Float(max(picture.values.count, 1))
    let channels = picture.channels
    for start in stride(from: 0, to: picture.values.count, by: channels) {
      var gray: Float = 0
      if channels == 3 {
        gray =
          picture.values[start] * 0.299 + picture.values[start + 1] * 0.587
          + picture.values[start + 2] * 0.114
      }
      for index in start..<start + channels {
        var value = picture.values[index]
        if channels == 3 { value = gray + (value - gray) * saturation }
        value = mean + (value - mean) * stretch + added
        picture.values[index] = min(max(value, 0), 255)
      }
    }
  }
}

/// A coordinate folded into 0...extent-1, as in a mirror at each end.
private func mirrored(_ position: Float, _ extent: Int) -> Float {
  let last = Float(extent - 1)
  guard last > 0 else { return 0 }
  var place = abs(position).truncatingRemainder(dividingBy: 2 * last)
  if place > last { place = 2 * last - place }
  return min(max(place, 0), last)
}
