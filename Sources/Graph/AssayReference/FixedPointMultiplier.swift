import AssayGraph
import AssayTensor

/// A positive real factor as TFLite's integer kernels apply it: 31 bits and a shift.
///
/// The product is exact and is rounded once, half up, as TFLite's kernels do when built with single
/// rounding. Their default rounds twice (gemmlowp's doubling high multiplication, then a shift), and
/// XNNPACK, which LiteRT uses by default, multiplies in float32 and rounds half to even; all three
/// differ by one step at most, next to ties.
struct FixedPointMultiplier {
  /// The factor's leading bits, in [2^30, 2^31), or 0.
  let multiplier: Int
  /// The power of two that remains.
  let shift: Int

  /// The nearest multiplier to `real`; anything that is no positive number gives 0.
  init(_ real: Double) {
    guard real.isFinite, real > 0 else {
      (multiplier, shift) = (0, 0)
      return
    }
    var exponent = Int(real.exponent) + 1
    var fraction = Int((real.significand * 0x1p30).rounded(.toNearestOrAwayFromZero))
    if fraction == 1 << 31 {
      fraction >>= 1
      exponent += 1
    }
    if exponent < -30 { (fraction, exponent) = (0, 0) }
    if exponent > 30 { (fraction, exponent) = (1 << 31 - 1, 30) }
    (multiplier, shift) = (fraction, exponent)
  }

  /// `value` times the factor, rounded; a value beyond 32 bits in double precision.
  func apply(_ value: Int) -> Int {
    guard let narrow = Int32(exactly: value) else {
      let real = Double(value) * Double(multiplier) * 0x1p-31
      return truncated(
        (shift < 0 ? real / Double(1 << -shift) : real * Double(1 << shift)).rounded()
      )
    }
    let product = Int(narrow) * multiplier
    let places = 31 - shift
    return (product + 1 << (places - 1)) >> places
  }
}

/// The integers that a quantized result may take when `activation` is applied to it.
func integerBounds(_ activation: Activation, _ type: TensorType) -> ClosedRange<Int> {
  guard let range = type.dtype.integerRange else { return Int.min...Int.max }
  guard let quantization = type.quantization else { return range }
  let (low, high) = activation.bounds
  let lower = low.isFinite ? quantization.quantize(low, to: range) : range.lowerBound
  let upper = high.isFinite ? quantization.quantize(high, to: range) : range.upperBound
  return lower...max(lower, upper)
}

extension Activation {
  /// The activation of a real number.
  func apply(_ real: Double) -> Double {
    if real.isNaN { return real }
    return min(max(real, Double(bounds.low)), Double(bounds.high))
  }
}
