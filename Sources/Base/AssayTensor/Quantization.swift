/// How integers stand for real numbers: `real = scale * (integer - zeroPoint)`.
///
/// The affine scheme of the TensorFlow Lite 8-bit quantization specification.
public struct Quantization: Sendable, Hashable {
  /// One positive scale, or one for each slice along `axis`.
  public var scales: [Float]
  /// As many zero points as scales.
  public var zeroPoints: [Int32]
  /// The axis that has a scale for each of its slices; `nil` for one scale in all.
  public var axis: Int?
  /// The number of consecutive elements along `axis` that share a scale (blockwise quantization);
  /// `nil` when whole slices do.
  ///
  /// Scales and zero points then lie as the elements of a tensor of this shape in which the extent of
  /// `axis` is divided by this number, rounded up.
  public var blockSize: Int?

  /// One scale for the whole tensor.
  public init(scale: Float, zeroPoint: Int32) {
    scales = [scale]
    zeroPoints = [zeroPoint]
    axis = nil
  }

  /// A scale for each slice along `axis`; zero points default to 0 (symmetric).
  public init(scales: [Float], zeroPoints: [Int32]? = nil, axis: Int) {
    self.scales = scales
    self.zeroPoints = zeroPoints ?? [Int32](repeating: 0, count: scales.count)
    self.axis = axis
  }

  /// A scale for every `blockSize` elements along `axis`; zero points default to 0 (symmetric).
  public init(scales: [Float], zeroPoints: [Int32]? = nil, axis: Int, blockSize: Int) {
    self.init(scales: scales, zeroPoints: zeroPoints, axis: axis)
    self.blockSize = blockSize
  }

  /// The scale when there is one for the whole tensor (the first otherwise; 1 when there is none).
  public var scale: Float { scales.first ?? 1 }
  /// The zero point when there is one for the whole tensor.
  public var zeroPoint: Int32 { zeroPoints.first ?? 0 }
  /// Whether each slice along an axis has a scale of its own.
  public var isPerChannel: Bool { axis != nil && blockSize == nil && scales.count > 1 }
  /// Whether every few elements along an axis have a scale of their own.
  public var isBlockwise: Bool { axis != nil && blockSize != nil }

  /// The place in `scales` of each element of a tensor, in order; `nil` when the scales do not fit the
  /// shape.
  public func channels(of shape: Shape) -> [Int]? {
    guard let count = shape.elementCount else { return nil }
    guard let axis else { return [Int](repeating: 0, count: count) }
    guard let axis = shape.normalized(axis: axis), count > 0 else {
      return count == 0 ? [] : nil
    }
    let (inner, extent) = (shape.strides[axis], shape.dims[axis])
    guard let blockSize else {
      if scales.count == 1 { return [Int](repeating: 0, count: count) }
      guard scales.count == extent else { return nil }
      return (0..<count).map { $0 / inner % extent }
    }
    guard blockSize > 0 else { return nil }
    let blocks = (extent - 1) / blockSize + 1
    guard scales.count == count / extent * blocks else { return nil }
    return (0..<count).map { index in
      let (outer, place) = (index / (inner * extent), index / inner % extent)
      return (outer * blocks + place / blockSize) * inner + index % inner
    }
  }

  /// The integer that stands for `real`, rounded half away from zero and clamped to `range`.
  public func quantize(_ real: Float, to range: ClosedRange<Int>, channel: Int = 0) -> Int {
    let scale = scales.indices.contains(channel) ? scales[channel] : self.scale
    let zero = zeroPoints.indices.contains(channel) ? zeroPoints[channel] : zeroPoint
    let scaled = (real / scale).rounded(.toNearestOrAwayFromZero) + Float(zero)
    if scaled.isNaN { return min(max(Int(zero), range.lowerBound), range.upperBound) }
    if scaled <= Float(range.lowerBound) { return range.lowerBound }
    if scaled >= Float(range.upperBound) { return range.upperBound }
    return Int(scaled)
  }

  /// The real number that `integer` stands for.
  public func dequantize(_ integer: Int, channel: Int = 0) -> Float {
    let scale = scales.indices.contains(channel) ? scales[channel] : self.scale
    let zero = zeroPoints.indices.contains(channel) ? zeroPoints[channel] : zeroPoint
    return scale * Float(integer - Int(zero))
  }
}
