/// A floating-point format of at most 8 bits: a sign, a few exponent bits, the rest mantissa.
///
/// The formats are those of ONNX (https://onnx.ai/onnx/technical/float8.html and float4.html): `FN`
/// has no infinity, `UZ` has no negative zero (its code stands for NaN).
public struct SmallFloat: Sendable {
  /// Bits of the exponent.
  public let exponentBits: Int
  /// Bits of the mantissa.
  public let mantissaBits: Int
  /// Taken from the stored exponent.
  public let bias: Int
  /// The codes without sign that stand for finite numbers are those up to this one.
  public let greatestCode: Int
  /// The code of +infinity, or `nil` when the format has none.
  public let infinityCode: Int?
  /// The code of NaN, or `nil` when the format has none.
  public let nanCode: Int?
  /// Whether the code of negative zero stands for NaN.
  public let hasUnsignedZero: Bool

  /// The format of an element type; `nil` for every other type.
  public init?(_ dtype: DType) {
    switch dtype {
    case .float8E4M3FN: self.init(4, 3, bias: 7, greatest: 0x7E, nan: 0x7F)
    case .float8E4M3FNUZ: self.init(4, 3, bias: 8, greatest: 0x7F, nan: 0x80, isUnsigned: true)
    case .float8E5M2: self.init(5, 2, bias: 15, greatest: 0x7B, infinity: 0x7C, nan: 0x7F)
    case .float8E5M2FNUZ: self.init(5, 2, bias: 16, greatest: 0x7F, nan: 0x80, isUnsigned: true)
    case .float4E2M1: self.init(2, 1, bias: 1, greatest: 0x7, nan: nil)
    default: return nil
    }
  }

  private init(
    _ exponentBits: Int,
    _ mantissaBits: Int,
    bias: Int,
    greatest: Int,
    infinity: Int? = nil,
    nan: Int?,
    isUnsigned: Bool = false
  ) {
    self.exponentBits = exponentBits
    self.mantissaBits = mantissaBits
    self.bias = bias
    greatestCode = greatest
    infinityCode = infinity
    nanCode = nan
    hasUnsignedZero = isUnsigned
  }

  private var signBit: Int { 1 << (exponentBits + mantissaBits) }

  /// The number that a code stands for.
  public func value(code: UInt8) -> Float {
    let magnitudeCode = Int(code) & (signBit - 1)
    let isNegative = Int(code) & signBit != 0
    if hasUnsignedZero, isNegative, magnitudeCode == 0 { return .nan }
    if magnitudeCode > greatestCode {
      return magnitudeCode == infinityCode ? signed(.infinity) : .nan
    }
    return signed(magnitude(magnitudeCode))

    func signed(_ value: Float) -> Float { isNegative ? -value : value }
  }

  private func magnitude(_ code: Int) -> Float {
    let exponent = code >> mantissaBits
    let mantissa = Float(code & (1 << mantissaBits - 1)) / Float(1 << mantissaBits)
    return exponent == 0
      ? mantissa * power(1 - bias) : (1 + mantissa) * power(exponent - bias)
  }

  private func power(_ exponent: Int) -> Float {
    Float(sign: .plus, exponent: exponent, significand: 1)
  }

  /// The code of the number nearest to `value` (ties to even).
  ///
  /// - Parameter saturates: whether a number that is too large becomes the greatest finite one;
  ///   otherwise it becomes infinity, or NaN where the format has none.
  public func code(_ value: Float, saturates: Bool = true) -> UInt8 {
    let sign = value.sign == .minus ? signBit : 0
    guard !value.isNaN else {
      // A format without NaN keeps the sign and takes its greatest number.
      return UInt8(nanCode.map { $0 == signBit ? $0 : $0 | sign } ?? (greatestCode | sign))
    }
    let magnitude = value.magnitude
    let greatest = self.magnitude(greatestCode)
    if magnitude > greatest {
      // Half a step above the greatest number is still rounded down to it (to even above that).
      let half = (greatest - self.magnitude(greatestCode - 1)) / 2
      let isRoundedDown =
        magnitude < greatest + half
        || magnitude == greatest + half
          && greatestCode % 2 == 0
      if saturates || isRoundedDown { return UInt8(greatestCode | sign) }
      if let infinityCode { return UInt8(infinityCode | sign) }
      return UInt8(nanCode.map { $0 == signBit ? $0 : $0 | sign } ?? (greatestCode | sign))
    }
    var (low, high) = (0, greatestCode)
    while high - low > 1 {
      let middle = (low + high) / 2
      if self.magnitude(middle) <= magnitude { low = middle } else { high = middle }
    }
    let (below, above) = (magnitude - self.magnitude(low), self.magnitude(high) - magnitude)
    let nearest = below < above || below == above && low % 2 == 0 ? low : high
    return UInt8(nearest == 0 && hasUnsignedZero ? 0 : nearest | sign)
  }
}
