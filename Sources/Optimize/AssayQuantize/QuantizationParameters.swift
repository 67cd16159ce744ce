import AssayBase
import AssayTensor

// The arithmetic of the TensorFlow Lite 8-bit quantization specification.

extension Quantization {
  /// The asymmetric int8 quantization of values between `low` and `high`.
  ///
  /// The range is widened to include zero, and the zero point is an integer, so that zero is exact.
  public static func int8(low: Float, high: Float) -> Quantization {
    let (least, most) = (Double(min(low, 0)), Double(max(high, 0)))
    let scale = Float((most - least) / 255)
    // All zeros, or so little that the scale would not be a normal number.
    guard scale.isNormal else { return Quantization(scale: 1, zeroPoint: 0) }
    // Each end gives a zero point; the end whose own numbers are smaller gives the more exact one.
    let step = (most - least) / 255
    let fromLow = -128 - least / step
    let fromHigh = 127 - most / step
    let lowError = 128 + (least / step).magnitude
    let highError = 127 + (most / step).magnitude
    let zero = (lowError < highError ? fromLow : fromHigh).rounded(.toNearestOrAwayFromZero)
    return Quantization(scale: scale, zeroPoint: Int32(min(max(zero, -128), 127)))
  }

  /// The symmetric int16 quantization of values between `low` and `high`: no zero point.
  public static func int16(low: Float, high: Float) -> Quantization {
    let scale = max(high, -low, 0) / 32767
    return Quantization(scale: scale.isNormal ? scale : 1, zeroPoint: 0)
  }

  /// The quantization of values between `low` and `high` in integers of this type.
  static func integers(_ dtype: DType, low: Float, high: Float) -> Quantization {
    dtype == .int16 ? .int16(low: low, high: high) : .int8(low: low, high: high)
  }

  /// The same step for the unsigned integers that are greater by 128.
  var unsigned: Quantization { Quantization(scale: scale, zeroPoint: zeroPoint + 128) }
}

/// A filter in 8 bits, symmetric, with a scale for each output channel.
struct QuantizedFilter {
  var filter: Tensor
  var bias: Tensor?
  /// Channels whose bias would not have fitted 32 bits and whose scale was therefore raised.
  var raisedChannels = 0

  /// The greatest integer of a bias: room is left for the sum that it is added to.
  ///
  /// Kernels for values of 16 bits rescale sums of at most 47 bits.
  static func biasLimit(_ dtype: DType) -> Double { dtype == .int64 ? 0x1p45 : 0x1p30 }

  /// Quantizes `weights` along `axis` and, for an input of `inputScale`, the bias.
  ///
  /// A channel's scale is the greatest magnitude over 127. Where the bias in units of
  /// `inputScale * scale` would leave its type (weights that are all but zero), the scale is raised
  /// until it fits; a channel without weights gets a scale that holds its bias well. A filter of few
  /// different values has one scale for all channels, so that it has as few integers.
  init(
    _ weights: Tensor,
    axis: Int,
    bias: Tensor?,
    inputScale: Float?,
    biasType: DType = .int32
  ) {
    let extent = weights.shape[axis]
    let inner = weights.shape.strides[axis]
    let floats = weights.floats()
    let biases = bias?.floats()
    var greatest = [Float](repeating: 0, count: extent)
    Self.forEachRun(floats.count, inner, extent) { channel, run in
      var peak: Float = 0
      for index in run where floats[index].magnitude > peak { peak = floats[index].magnitude }
      greatest[channel] = max(greatest[channel], peak)
    }
    var scales = greatest.map { $0 / 127 }
    for channel in scales.indices {
      let magnitude = Double(biases?[channel].magnitude ?? 0)
      if let inputScale, magnitude > 0 {
        let isEmpty = !scales[channel].isNormal
        // An empty channel's bias gets 20 bits.
        let least = magnitude / (Double(inputScale) * (isEmpty ? 0x1p20 : Self.biasLimit(biasType)))
        if Double(scales[channel]) < least {
          if !isEmpty { raisedChannels += 1 }
          scales[channel] = Float(least).nextUp
        }
      }
      if !scales[channel].isNormal { scales[channel] = 1 }
    }
    if Self.hasFewValues(floats) {
      let greatest = scales.reduce(0) { max($0, $1) }
      scales = scales.map { _ in greatest }
    }
    var integers = [Int8](repeating: 0, count: floats.count)
    Self.forEachRun(floats.count, inner, extent) { channel, run in
      let scale = scales[channel]
      for index in run {
        let scaled = (floats[index] / scale).rounded(.toNearestOrAwayFromZero)
        integers[index] = Int8(min(max(scaled, -127), 127))
      }
    }
    filter = Tensor(
      integers,
      weights.shape,
      dtype: .int8,
      quantization: Quantization(scales: scales, axis: axis)
    )
    guard let bias, let biases, let inputScale else { return }
    let biasScales = scales.map { $0 * inputScale }
    let limit = biasType == .int64 ? 0x1p62 : Double(Int32.max)
    let integerBiases = zip(biases, biasScales).map { value, scale in
      let scaled = (Double(value) / Double(scale)).rounded(.toNearestOrAwayFromZero)
      return Int64(min(max(scaled, -limit), limit))
    }
    let quantization = Quantization(scales: biasScales, axis: 0)
    self.bias =
      biasType == .int64
      ? Tensor(integerBiases, bias.shape, dtype: .int64, quantization: quantization)
      : Tensor(
        integerBiases.map { Int32(clamping: $0) },
        bias.shape,
        dtype: .int32,
        quantization: quantization
      )
  }

  /// Whether a filter is clustered: it has at most 64 values, and each stands for many weights.
  static func hasFewValues(_ floats: [Float]) -> Bool {
    var values: Set<Float> = []
    let limit = min(64, floats.count / 16)
    for value in floats {
      if values.insert(value).inserted, values.count > limit { return false }
    }
    return limit > 0
  }

  /// The runs of elements that belong to one channel, in order.
  private static func forEachRun(
    _ count: Int,
    _ inner: Int,
    _ extent: Int,
    _ body: (_ channel: Int, _ run: Range<Int>) -> Void
  ) {
    guard inner > 0, extent > 0 else { return }
    var (start, channel) = (0, 0)
    while start < count {
      body(channel, start..<min(start + inner, count))
      start += inner
      channel = channel + 1 == extent ? 0 : channel + 1
    }
  }
}
