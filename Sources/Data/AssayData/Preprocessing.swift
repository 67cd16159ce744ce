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
    try tensor(picture(image, for: type), for: type)
  }

  /// A picture cut and resized to a network's extents, before its values are changed.
  ///
  /// - Throws: as `tensor(_:for:)`.
  func picture(_ image: Image, for type: TensorType) throws -> Picture {
    let target = try extents(of: type)
    let pixels = recolored(image, channels: target.channels)
    let cut = cropped(pixels, target)
    let size = resizedSize(of: cut, target)
    let values = cut.resized(width: size.width, height: size.height, filter: filter)
    let width = target.width ?? size.width
    let height = target.height ?? size.height
    guard width <= size.width, height <= size.height else {
      throw Diagnostic(
        "DAT012",
        "the picture of \(image.width) x \(image.height), resized to \(size.width) x "
          + "\(size.height), is smaller than the network's input of \(width) x \(height)",
        remedy: "give a larger resize= in --preprocess, or none"
      )
    }
    let whole = Picture(
      width: size.width,
      height: size.height,
      channels: target.channels,
      values: values
    )
    return whole.middle(width: width, height: height)
  }

  /// The network's input for a picture of its extents.
  func tensor(_ picture: Picture, for type: TensorType) throws -> Tensor {
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
    let tensor = Tensor(output, shape)
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

  private func cropped(_ image: Image, _ target: Target) -> Image {
    var width = image.width
    var height = image.height
    if isSquared {
      var proportion = 1.0
      if case .size(let w, let h) = resize {
        proportion = Double(w) / Double(h)
      } else if let w = target.width, let h = target.height {
        proportion = Double(w) / Double(h)
      }
      width = min(width, Int((Double(height) * proportion).rounded()))
      height = min(height, Int((Double(image.width) / proportion).rounded()))
    }
    // As tf.image.central_crop: the offset is rounded down, the rest is kept.
    if crop < 1 {
      width -= Int((Double(width) - Double(width) * crop) / 2) * 2
      height -= Int((Double(height) - Double(height) * crop) / 2) * 2
    }
    width = max(width, 1)
    height = max(height, 1)
    return image.cropped(
      x: (image.width - width) / 2,
      y: (image.height - height) / 2,
      width: width,
      height: height
    )
  }

  private func resizedSize(of image: Image, _ target: Target) -> (width: Int, height: Int) {
    switch resize {
    case .fit: return (target.width ?? image.width, target.height ?? image.height)
    case .size(let width, let height): return (width, height)
    case .shorter(let side):
      let short = min(image.width, image.height)
      func scaled(_ extent: Int) -> Int {
        // As torchvision: the longer side is rounded down.
        extent == short ? side : max(1, min(1 << 15, extent * side / short))
      }
      return (scaled(image.width), scaled(image.height))
    }
  }
}
