import AssayBase
import AssayTensor

/// How a picture becomes a network's input; declared once and used alike for calibration, accuracy
/// and running.
///
/// In order: the color order, a central crop of the picture, the resize to the network's extents (or
/// to a size of its own, of whose middle the network's extents are then taken), and for every value
/// `(x * scale - mean) / std` in single precision, `x` being 0...255.
public struct Preprocessing: Sendable, Equatable {
  /// The order of the channels that the network gets.
  public enum Color: String, Sendable, CaseIterable {
    /// Gray for one channel, red-green-blue for three.
    case auto
    case rgb, bgr, gray
  }

  /// Where the channels lie in the network's input.
  public enum Layout: String, Sendable, CaseIterable {
    /// Last if the last axis has 1 or 3 elements, else second.
    case auto
    case nhwc, nchw
  }

  /// The size that the picture is resized to.
  public enum Resize: Sendable, Equatable {
    /// The network's extents, whatever the picture's proportions.
    case fit
    /// The shorter side to this many pixels, the other in proportion.
    case shorter(Int)
    /// To this size.
    case size(width: Int, height: Int)
    /// As large as fits, in its proportions, with gray (114) around it: YOLO's letterbox.
    case letterbox
    /// Not at all: the middle is taken, and black put around what is too small, as TensorFlow's
    /// `resize_with_crop_or_pad` does.
    case cropOrPad
  }

  /// The order of the channels.
  public var color: Color
  /// The central part of the picture's sides that is kept before resizing, 0 < crop <= 1.
  public var crop: Double
  /// Whether the picture is first cut to the proportions of what it is resized to.
  public var isSquared: Bool
  /// The size to resize to.
  public var resize: Resize
  /// How values between pixels are found.
  public var filter: ResizeFilter
  /// The factor of each value, as numerator and denominator: `x * n / d` keeps `x / 255` exact.
  public var scale: (numerator: Double, denominator: Double) {
    get { (scaleNumerator, scaleDenominator) }
    set { (scaleNumerator, scaleDenominator) = newValue }
  }
  private var scaleNumerator: Double
  private var scaleDenominator: Double
  /// What is subtracted: one value, or one for each channel in the network's order.
  public var mean: [Double]
  /// What is divided by: one value, or one for each channel in the network's order.
  public var std: [Double]
  /// Where the channels lie.
  public var layout: Layout
  /// Whether a JPEG is turned as its EXIF orientation says.
  public var isOriented: Bool

  /// Values as they are, 0...255, resized to the network's extents.
  public init() {
    color = .auto
    crop = 1
    isSquared = false
    resize = .fit
    filter = .bilinear
    scaleNumerator = 1
    scaleDenominator = 1
    mean = [0]
    std = [1]
    layout = .auto
    isOriented = true
  }

  /// Whether values go through unchanged.
  public var keepsValues: Bool {
    scaleNumerator == scaleDenominator && mean.allSatisfy { $0 == 0 }
      && std.allSatisfy { $0 == 1 }
  }

  /// One value of a channel.
  func value(_ x: Float, channel: Int) -> Float { Affine(self, channel: channel)(x) }
}

/// What happens to the values of one channel, in single precision as the frameworks do it.
private struct Affine {
  private let numerator: Float
  private let denominator: Float
  private let mean: Float
  private let std: Float

  init(_ preprocessing: Preprocessing, channel: Int) {
    let (means, stds) = (preprocessing.mean, preprocessing.std)
    numerator = Float(preprocessing.scale.numerator)
    denominator = Float(preprocessing.scale.denominator)
    mean = Float(means.count > channel ? means[channel] : means.first ?? 0)
    std = Float(stds.count > channel ? stds[channel] : stds.first ?? 1)
  }

  // Factors and divisors of 1 change no bit.
  @inline(__always)
  func callAsFunction(_ x: Float) -> Float { (x * numerator / denominator - mean) / std }
}

extension Preprocessing {
  /// The network's input for one picture: float32, with a first axis of 1.
  ///
  /// - Parameter type: the input's type: four axes (the first for samples) or three; unknown extents
  ///   are taken from `resize`, else from the picture.
  /// - Throws: `Diagnostic` DAT011 when the input takes no pictures, DAT012 when the resized picture
  ///   is smaller than the input.
  public func tensor(_ image: Image, for type: TensorType) throws -> Tensor {
    guard filter.isRounded else { return try tensor(picture(image, for: type), for: type) }
    return try tensor(levels: levels(image, for: type), for: type)
  }

  /// Where a picture's parts come to lie in a network's input.
  ///
  /// - Throws: as `tensor(_:for:)`.
  public func placement(
    width: Int,
    height: Int,
    for type: TensorType
  ) throws -> PicturePlacement {
    let target = try extents(of: type)
    let cut = cut(width, height, target)
    let size = resizedSize(cut.width, cut.height, target)
    let input = (width: target.width ?? size.width, height: target.height ?? size.height)
    let isPadded = resize == .letterbox || resize == .cropOrPad
    guard isPadded || (input.width <= size.width && input.height <= size.height) else {
      throw Diagnostic(
        "DAT012",
        "the picture of \(width) x \(height), resized to \(size.width) x "
          + "\(size.height), is smaller than the network's input of \(input.width) x "
          + "\(input.height)",
        remedy: "give a larger resize= in --preprocess, or none"
      )
    }
    func offset(_ inner: Int, _ outer: Int) -> Int {
      inner > outer ? -((inner - outer) / 2) : (outer - inner) / 2
    }
    return PicturePlacement(
      cut: cut,
      size: size,
      offset: (offset(size.width, input.width), offset(size.height, input.height)),
      input: input
    )
  }

  /// A picture cut and resized to a network's extents, before its values are changed.
  ///
  /// - Throws: as `tensor(_:for:)`.
  public func picture(_ image: Image, for type: TensorType) throws -> Picture {
    if filter.isRounded { return Picture(try levels(image, for: type)) }
    let target = try extents(of: type)
    let place = try placement(width: image.width, height: image.height, for: type)
    let cut = recolored(image, channels: target.channels).cropped(
      x: place.cut.x,
      y: place.cut.y,
      width: place.cut.width,
      height: place.cut.height
    )
    let (size, input) = (place.size, place.input)
    let whole = Picture(
      width: size.width,
      height: size.height,
      channels: target.channels,
      values: cut.resized(width: size.width, height: size.height, filter: filter)
    )
    if size.width >= input.width, size.height >= input.height {
      return whole.middle(width: input.width, height: input.height)
    }
    return whole.framed(
      width: input.width,
      height: input.height,
      offset: place.offset,
      filling: resize == .letterbox ? 114 : 0
    )
  }

  /// A picture cut and resized to a network's extents by a filter that gives whole gray levels.
  ///
  /// - Precondition: the filter is one that rounds.
  /// - Throws: as `tensor(_:for:)`.
  public func levels(_ image: Image, for type: TensorType) throws -> Image {
    let target = try extents(of: type)
    let place = try placement(width: image.width, height: image.height, for: type)
    let (cut, size, input) = (place.cut, place.size, place.input)
    let whole = recolored(image, channels: target.channels)
      .cropped(x: cut.x, y: cut.y, width: cut.width, height: cut.height)
      .resizedLevels(width: size.width, height: size.height, filter: filter)
    if size.width >= input.width, size.height >= input.height {
      return whole.cropped(
        x: (size.width - input.width) / 2,
        y: (size.height - input.height) / 2,
        width: input.width,
        height: input.height
      )
    }
    return whole.framed(
      width: input.width,
      height: input.height,
      offset: place.offset,
      filling: resize == .letterbox ? 114 : 0
    )
  }

  /// The network's input for gray levels of its extents: float32.
  public func tensor(levels: Image, for type: TensorType) throws -> Tensor {
    // An input of bytes without a scale takes gray levels as they are.
    if type.dtype == .uint8, type.quantization == nil, keepsValues {
      return try looked(levels, type, DType.uint8, nil) { _ in (0...255).map { UInt8($0) } }
    }
    try refuseBytes(type)
    return try looked(levels, type, DType.float32, nil) { table(channel: $0) }
  }

  /// The network's input for gray levels of its extents, in the input's own type: 256 levels are quantized for
  /// each channel instead of every value.
  public func input(levels: Image, for type: TensorType) throws -> Tensor {
    guard let quantization = type.quantization, !quantization.isPerChannel,
      !quantization.isBlockwise, [.int8, .uint8].contains(type.dtype)
    else { return try tensor(levels: levels, for: type) }
    return try looked(levels, type, type.dtype, quantization) { channel -> [UInt8] in
      let values = Tensor(table(channel: channel), [256])
      return values.converted(to: type.dtype, quantization: quantization)?.bytes.array ?? []
    }
  }

  /// Throws for an input of bytes that takes gray levels as they are, where values are changed.
  private func refuseBytes(_ type: TensorType) throws {
    guard type.dtype == .uint8, type.quantization == nil, !keepsValues else { return }
    throw Diagnostic(
      "DAT033",
      "the network's input \(type) takes gray levels from 0 to 255 as they are",
      remedy: "leave scale, mean, std and modes such as mobilenet out of --preprocess"
    )
  }

  /// What each gray level of a channel becomes.
  private func table(channel: Int) -> [Float] {
    let affine = Affine(self, channel: channel)
    return (0...255).map { affine(Float($0)) }
  }

  /// Puts every level through the table of its channel, into the order that the network wants.
  private func looked<Value: BitwiseCopyable>(
    _ levels: Image,
    _ type: TensorType,
    _ dtype: DType,
    _ quantization: Quantization?,
    _ table: (_ channel: Int) -> [Value]
  ) throws -> Tensor {
    let target = try extents(of: type)
    let (width, height, channels) = (levels.width, levels.height, levels.channels)
    let isBGR = color == .bgr && channels == 3
    let tables = (0..<channels).map { table($0) }
    guard let zero = tables.first?.first, tables.allSatisfy({ $0.count == 256 }) else {
      throw Diagnostic("DAT011", "the network's input \(type) takes no pictures")
    }
    var output = [Value](repeating: zero, count: levels.pixels.count)
    if channels == 3, !target.isChannelsFirst {
      let (first, second, third) = (tables[0], tables[1], tables[2])
      let (a, c) = isBGR ? (2, 0) : (0, 2)
      for at in stride(from: 0, to: output.count, by: 3) {
        output[at] = first[Int(levels.pixels[at &+ a])]
        output[at &+ 1] = second[Int(levels.pixels[at &+ 1])]
        output[at &+ 2] = third[Int(levels.pixels[at &+ c])]
      }
    } else {
      for channel in 0..<channels {
        let table = tables[channel]
        var from = isBGR ? 2 - channel : channel
        for to in channel * width * height..<(channel + 1) * width * height {
          output[to] = table[Int(levels.pixels[from])]
          from &+= channels
        }
      }
    }
    let shape: Shape =
      target.isChannelsFirst ? [1, channels, height, width] : [1, height, width, channels]
    let tensor = Tensor(output, shape, dtype: dtype, quantization: quantization)
    return type.shape.rank == 3 && !target.hasSampleAxis
      ? tensor.reshaped(Shape(Array(shape.dims.dropFirst()))) : tensor
  }

  /// The network's input for a picture of its extents.
  public func tensor(_ picture: Picture, for type: TensorType) throws -> Tensor {
    try refuseBytes(type)
    let target = try extents(of: type)
    let (width, height, channels) = (picture.width, picture.height, picture.channels)
    let isBGR = color == .bgr && channels == 3
    var output = [Float](repeating: 0, count: width * height * channels)
    for channel in 0..<channels {
      let affine = Affine(self, channel: channel)
      let source = isBGR ? 2 - channel : channel
      let step = target.isChannelsFirst ? 1 : channels
      var to = target.isChannelsFirst ? channel * height * width : channel
      var from = source
      for _ in 0..<width * height {
        output[to] = affine(picture.values[from])
        from &+= channels
        to &+= step
      }
    }
    let shape: Shape =
      target.isChannelsFirst ? [1, channels, height, width] : [1, height, width, channels]
    var tensor = Tensor(output, shape)
    // An input of bytes without a scale takes gray levels as they are.
    if type.dtype == .uint8, type.quantization == nil, keepsValues {
      let levels = output.map { UInt8(min(max($0.rounded(), 0), 255)) }
      tensor = Tensor(levels, shape, dtype: .uint8)
    }
    return type.shape.rank == 3 && !target.hasSampleAxis
      ? tensor.reshaped(Shape(Array(shape.dims.dropFirst()))) : tensor
  }

  private struct Target {
    var width: Int?
    var height: Int?
    var channels: Int
    var isChannelsFirst: Bool
    var hasSampleAxis: Bool
  }

  private func extents(of type: TensorType) throws -> Target {
    var dims = type.shape.dims
    let hasSampleAxis = dims.count == 4
    if hasSampleAxis { dims.removeFirst() }
    func fault(_ words: String) -> Diagnostic {
      Diagnostic(
        "DAT011",
        "the network's input \(type) takes no pictures: \(words)",
        remedy: "give the data as .npy or .npz arrays"
      )
    }
    guard dims.count == 3 else { throw fault("it has \(type.shape.rank) axes") }
    func isColor(_ extent: Int) -> Bool { extent == 1 || extent == 3 }
    let isFirst =
      switch layout {
      case .nhwc: false
      case .nchw: true
      case .auto: !isColor(dims[2]) && isColor(dims[0])
      }
    let channels = isFirst ? dims[0] : dims[2]
    guard isColor(channels) else { throw fault("it has \(channels) channels") }
    let height = isFirst ? dims[1] : dims[0]
    let width = isFirst ? dims[2] : dims[1]
    for extent in [width, height] where extent == 0 || extent > 1 << 15 {
      throw fault("its extents are \(width) x \(height)")
    }
    return Target(
      width: width > 0 ? width : nil,
      height: height > 0 ? height : nil,
      channels: channels,
      isChannelsFirst: isFirst,
      hasSampleAxis: hasSampleAxis
    )
  }

  private func recolored(_ image: Image, channels: Int) -> Image {
    if channels == 1 { return image.gray }
    return color == .gray ? image.gray.color : image.color
  }

  private func cut(
    _ wholeWidth: Int,
    _ wholeHeight: Int,
    _ target: Target
  ) -> (x: Int, y: Int, width: Int, height: Int) {
    var width = wholeWidth
    var height = wholeHeight
    if isSquared {
      var proportion = 1.0
      if case .size(let w, let h) = resize {
        proportion = Double(w) / Double(h)
      } else if let w = target.width, let h = target.height {
        proportion = Double(w) / Double(h)
      }
      width = min(width, Int((Double(height) * proportion).rounded()))
      height = min(height, Int((Double(wholeWidth) / proportion).rounded()))
    }
    // As tf.image.central_crop: the offset is rounded down, the rest is kept.
    if crop < 1 {
      width -= Int((Double(width) - Double(width) * crop) / 2) * 2
      height -= Int((Double(height) - Double(height) * crop) / 2) * 2
    }
    width = max(width, 1)
    height = max(height, 1)
    return ((wholeWidth - width) / 2, (wholeHeight - height) / 2, width, height)
  }

  private func resizedSize(
    _ oldWidth: Int,
    _ oldHeight: Int,
    _ target: Target
  ) -> (width: Int, height: Int) {
    switch resize {
    case .fit: return (target.width ?? oldWidth, target.height ?? oldHeight)
    case .size(let width, let height): return (width, height)
    case .cropOrPad: return (oldWidth, oldHeight)
    case .letterbox:
      let (width, height) = (target.width ?? oldWidth, target.height ?? oldHeight)
      let ratio = min(Double(width) / Double(oldWidth), Double(height) / Double(oldHeight))
      func scaled(_ extent: Int, _ limit: Int) -> Int {
        max(1, min(Int((Double(extent) * ratio).rounded(.toNearestOrEven)), limit))
      }
      return (scaled(oldWidth, width), scaled(oldHeight, height))
    case .shorter(let side):
      let short = min(oldWidth, oldHeight)
      func scaled(_ extent: Int) -> Int {
        // As torchvision: the longer side is rounded down.
        extent == short ? side : max(1, min(1 << 15, extent * side / short))
      }
      return (scaled(oldWidth), scaled(oldHeight))
    }
  }
}

/// Where a picture's parts come to lie in a network's input: a part is cut out, resized, and put at a
/// place of the input, of which it may be a part or which may be a part of it.
public struct PicturePlacement: Sendable {
  /// The part of the picture that is taken, in pixels.
  public var cut: (x: Int, y: Int, width: Int, height: Int)
  /// What it is resized to.
  public var size: (width: Int, height: Int)
  /// Where its corner lies in the input; below zero when only its middle is seen.
  public var offset: (x: Int, y: Int)
  /// The input's extents.
  public var input: (width: Int, height: Int)
}
