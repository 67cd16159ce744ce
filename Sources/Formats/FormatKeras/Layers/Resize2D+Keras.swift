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
        _ = try layer.factors("size", count: 2)
        _ = try layer.interpolation()
      },
      emit: { context, inputs in
        try context.onImage(context.image(inputs, rank: 4)) { context, x in
          let size = try context.scaledSize(of: x, by: context.layer.factors("size", count: 2))
          let kind = try context.layer.interpolation()
          let op = Resize2D(kind, size: size, usesHalfPixels: kind == .bilinear)
          return try context.node("resize", op, [x])
        }
      }
    ),
    "UpSampling3D": KerasLayerKind(
      check: { _ = try $0.factors("size", count: 3) },
      emit: { context, inputs in
        try context.onImage(context.image(inputs, rank: 5)) { context, x in
          let dims = context.shape(x).dims
          let factors = try context.layer.factors("size", count: 3)
          // Slices first, then depth as the height of an image.
          let slices = try context.node(
            "slices",
            Reshape([dims[0] * dims[1], dims[2], dims[3], dims[4]]),
            [x]
          )
          let size = try context.scaledSize(of: slices, by: [factors[1], factors[2]])
          let wide = try context.node("repeat", Resize2D(.nearest, size: size), [slices])
          let row = size.height * size.width * dims[4]
          let columns = try context.node("columns", Reshape([dims[0], dims[1], 1, row]), [wide])
          let depth = try context.scaledSize(of: columns, by: [factors[0], 1])
          let deep = try context.node("deepen", Resize2D(.nearest, size: depth), [columns])
          let target = [dims[0], depth.height, size.height, size.width, dims[4]]
          return try context.node("volume", Reshape(target), [deep])
        }
      }
    ),
    "Resizing": KerasLayerKind(
      check: { layer in
        try layer.require("pad_to_aspect_ratio", toBe: false)
        try layer.require("antialias", toBe: false)
        _ = try layer.interpolation()
      },
      emit: { context, inputs in
        try context.onImage(context.image(inputs, rank: 4)) { context, x in
          let layer = context.layer
          let size = Size2D(try layer.int("height"), try layer.int("width"))
          let cut = try layer.bool("crop_to_aspect_ratio", default: false)
          let image = cut ? try context.cropped(x, toAspectOf: size) : x
          let op = Resize2D(try layer.interpolation(), size: size, usesHalfPixels: true)
          return try context.node("resize", op, [image])
        }
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
  /// The middle of an image, as large as it can be in the proportions of `size`.
  fileprivate mutating func cropped(_ x: ValueID, toAspectOf size: Size2D) throws -> ValueID {
    let dims = shape(x).dims
    guard size.height > 0, size.width > 0, dims[1] < 1 << 24, dims[2] < 1 << 24 else {
      throw Diagnostic("KER006", "the image cannot be cropped to \(size.text)")
    }
    // Keras computes in float32.
    let height = Int(Float(dims[2] * size.height) / Float(size.width))
    let width = Int(Float(dims[1] * size.width) / Float(size.height))
    let kept = [min(dims[1], height), min(dims[2], width)]
    guard kept != [dims[1], dims[2]] else { return x }
    let begin = [0, (dims[1] - kept[0]) / 2, (dims[2] - kept[1]) / 2, 0]
    let op = Slice(begin: begin, sizes: [dims[0], kept[0], kept[1], dims[3]])
    return try node("crop", op, [x])
  }

  fileprivate func scaledSize(of image: ValueID, by factors: [Int]) throws -> Size2D {
    let dims = shape(image).dims
    guard dims[1] < 1 << 30, dims[2] < 1 << 30 else {
      throw Diagnostic("KER008", "the image is too large")
    }
    return Size2D(dims[1] * factors[0], dims[2] * factors[1])
  }
}
