import AssayBase
import AssayGraph
import AssayTensor

extension KerasLayerKind {
  /// UpSampling over one and two axes, Resizing.
  static let resizing: [String: KerasLayerKind] = [
    "UpSampling1D": KerasLayerKind(
      check: { _ = try $0.factors("size", count: 1) },
      emit: { context, inputs in
        let x = try context.image(inputs, rank: 3)
        let factor = try context.layer.factors("size", count: 1)[0]
        let image = try context.widened(x)
        let size = try context.scaledSize(of: image, by: [1, factor])
        return try context.narrowed(
          context.node("repeat", Resize2D(.nearest, size: size), [image])
        )
      }
    ),
    "UpSampling2D": KerasLayerKind(
      check: { layer in
        try layer.requireChannelsLast()
        _ = try layer.factors("size", count: 2)
        _ = try layer.interpolation()
      },
      emit: { context, inputs in
        let x = try context.image(inputs, rank: 4)
        let size = try context.scaledSize(of: x, by: context.layer.factors("size", count: 2))
        let kind = try context.layer.interpolation()
        let op = Resize2D(kind, size: size, usesHalfPixels: kind == .bilinear)
        return try context.node("resize", op, [x])
      }
    ),
    "Resizing": KerasLayerKind(
      check: { layer in
        try layer.requireChannelsLast()
        try layer.require("crop_to_aspect_ratio", toBe: false)
        try layer.require("pad_to_aspect_ratio", toBe: false)
        try layer.require("antialias", toBe: false)
        _ = try layer.interpolation()
      },
      emit: { context, inputs in
        let x = try context.image(inputs, rank: 4)
        let layer = context.layer
        let size = Size2D(try layer.int("height"), try layer.int("width"))
        let op = Resize2D(try layer.interpolation(), size: size, usesHalfPixels: true)
        return try context.node("resize", op, [x])
      }
    ),
  ]
}

extension KerasLayer {
  fileprivate func interpolation() throws -> Resize2D.Kind {
    let fallback = className == "Resizing" ? "bilinear" : "nearest"
    let text = try string("interpolation", default: fallback)
    guard let kind = Resize2D.Kind(rawValue: text) else {
      throw unsupported("interpolation", "'\(text)' is not imported")
    }
    return kind
  }

  fileprivate func factors(_ key: String, count: Int) throws -> [Int] {
    let factors = try ints(key, count: count, default: 2)
    guard factors.allSatisfy({ (1..<1 << 16).contains($0) }) else {
      throw unsupported(key, "\(factors) is no factor")
    }
    return factors
  }
}

extension KerasContext {
  fileprivate func scaledSize(of image: ValueID, by factors: [Int]) throws -> Size2D {
    let dims = shape(image).dims
    guard dims[1] < 1 << 30, dims[2] < 1 << 30 else {
      throw Diagnostic("KER008", "the image is too large")
    }
    return Size2D(dims[1] * factors[0], dims[2] * factors[1])
  }
}
