import AssayBase

extension Tensor {
  /// The elements as real numbers: quantized integers are dequantized, others converted.
  ///
  /// Text gives an empty array.
  public func floats() -> [Float] {
    switch dtype {
    case .float32: elements(as: Float.self)
    case .float64: elements(as: Double.self).map { Float($0) }
    case .float16: elements(as: UInt16.self).map { float(halfBits: $0) }
    case .bfloat16: elements(as: UInt16.self).map { Float(bitPattern: UInt32($0) << 16) }
    case .string: []
    case .float8E4M3FN, .float8E4M3FNUZ, .float8E5M2, .float8E5M2FNUZ, .float4E2M1: smallFloats()
    default: dequantized(integers())
    }
  }

  /// The elements as integers, not dequantized; floats are truncated towards zero and clamped.
  public func integers() -> [Int] {
    switch dtype {
    case .int8: elements(as: Int8.self).map { Int($0) }
    case .uint8, .bool: elements(as: UInt8.self).map { Int($0) }
    case .int16: elements(as: Int16.self).map { Int($0) }
    case .uint16: elements(as: UInt16.self).map { Int($0) }
    case .int32: elements(as: Int32.self).map { Int($0) }
    case .uint32: elements(as: UInt32.self).map { Int($0) }
    case .int64: elements(as: Int64.self).map { Int($0) }
    case .uint64: elements(as: UInt64.self).map { Int(clamping: $0) }
    case .int4, .uint4: nibbles()
    case .string: []
    case .float64: elements(as: Double.self).map(truncated)
    default: floats().map { truncated(Double($0)) }
    }
  }

  /// The integer next to `real` towards zero; clamped, and 0 for NaN.
  private func truncated(_ real: Double) -> Int {
    if real.isNaN { return 0 }
    return real >= 0x1p63 ? Int.max : real < -0x1p63 ? Int.min : Int(real)
  }

  private func nibbles() -> [Int] {
    codes().map { dtype == .int4 && $0 > 7 ? Int($0) - 16 : Int($0) }
  }

  /// The bits of each element of a type of at most 8 bits, one a byte.
  ///
  /// - Precondition: the elements have 4 or 8 bits.
  public func codes() -> [UInt8] {
    let packed = bytes.array
    guard dtype.bitWidth == 4 else { return packed }
    return (0..<count).map { $0 % 2 == 0 ? packed[$0 / 2] & 15 : packed[$0 / 2] >> 4 }
  }

  /// A tensor of elements of at most 8 bits from the bits of each, one a byte.
  ///
  /// - Precondition: the type has 4 or 8 bits and as many elements as there are codes.
  public init(codes: [UInt8], _ type: TensorType) {
    let byteCount = type.byteCount ?? 0
    precondition(codes.count == type.shape.count, "\(codes.count) codes for \(type)")
    unsafe self.init(type, packed: byteCount) { target in
      let isNarrow = type.dtype.bitWidth == 4
      for (index, code) in codes.enumerated() {
        if isNarrow {
          unsafe target[index / 2] |= index % 2 == 0 ? code & 15 : code << 4
        } else {
          unsafe target[index] = code
        }
      }
    }
  }

  private func smallFloats() -> [Float] {
    guard let format = SmallFloat(dtype) else { return [] }
    let values = (0...255).map { format.value(code: UInt8($0)) }
    return codes().map { values[Int($0)] }
  }

  private func dequantized(_ integers: [Int]) -> [Float] {
    guard let quantization else { return integers.map { Float($0) } }
    guard quantization.isPerChannel || quantization.isBlockwise,
      let channels = quantization.channels(of: shape)
    else { return integers.map { quantization.dequantize($0) } }
    return zip(integers, channels).map { quantization.dequantize($0, channel: $1) }
  }

  /// The tensor in another element type.
  ///
  /// A float tensor becomes integers by `quantization` (rounded half away from zero, clamped) or,
  /// without one, by truncation and clamping; an integer tensor becomes floats by its own
  /// quantization.
  ///
  /// - Parameter saturates: whether a number that is too large for a float of at most 8 bits becomes
  ///   the greatest one, instead of infinity or NaN.
  /// - Returns: the converted tensor, or `nil` for text.
  public func converted(
    to target: DType,
    quantization targetQuantization: Quantization? = nil,
    saturates: Bool = true
  ) -> Tensor? {
    if target == dtype, targetQuantization == quantization { return self }
    let type = TensorType(target, shape, quantization: targetQuantization)
    func make<T: BitwiseCopyable>(_ values: [T]) -> Tensor {
      Tensor(values, shape, dtype: target, quantization: targetQuantization)
    }
    switch target {
    case .float32: return make(floats())
    case .float64: return make(floats().map { Double($0) })
    case .float16: return make(floats().map { halfBits($0) })
    case .bfloat16: return make(floats().map { bfloat16Bits($0) })
    case .bool: return make(floats().map { UInt8($0 == 0 ? 0 : 1) })
    case .int8: return make(integers(for: type).map { Int8(clamping: $0) })
    case .uint8: return make(integers(for: type).map { UInt8(clamping: $0) })
    case .int16: return make(integers(for: type).map { Int16(clamping: $0) })
    case .uint16: return make(integers(for: type).map { UInt16(clamping: $0) })
    case .int32: return make(integers(for: type).map { Int32(clamping: $0) })
    case .uint32: return make(integers(for: type).map { UInt32(clamping: $0) })
    case .int64: return make(integers(for: type).map { Int64($0) })
    case .uint64: return make(integers(for: type).map { UInt64(clamping: $0) })
    case .int4, .uint4:
      let range = target.integerRange ?? 0...0
      let codes = integers(for: type).map {
        UInt8(truncatingIfNeeded: min(max($0, range.lowerBound), range.upperBound)) & 15
      }
      return Tensor(codes: codes, type)
    case .float8E4M3FN, .float8E4M3FNUZ, .float8E5M2, .float8E5M2FNUZ, .float4E2M1:
      guard let format = SmallFloat(target) else { return nil }
      return Tensor(codes: floats().map { format.code($0, saturates: saturates) }, type)
    case .string: return nil
    }
  }

  private func integers(for type: TensorType) -> [Int] {
    guard let quantization = type.quantization, let range = type.dtype.integerRange else {
      return integers()
    }
    guard quantization.isPerChannel || quantization.isBlockwise,
      let channels = quantization.channels(of: shape)
    else { return floats().map { quantization.quantize($0, to: range) } }
    return zip(floats(), channels).map { quantization.quantize($0, to: range, channel: $1) }
  }
}

/// The float of an IEEE 754 half's bits.
@inlinable
public func float(halfBits bits: UInt16) -> Float {
  let sign = UInt32(bits & 0x8000) << 16
  let exponent = UInt32(bits >> 10) & 0x1F
  let mantissa = UInt32(bits & 0x3FF)
  if exponent == 0x1F { return Float(bitPattern: sign | 0x7F80_0000 | mantissa << 13) }
  if exponent != 0 { return Float(bitPattern: sign | (exponent + 112) << 23 | mantissa << 13) }
  let magnitude = Float(mantissa) * 0x1p-24
  return sign == 0 ? magnitude : -magnitude
}

/// The bits of the IEEE 754 half nearest to `value` (ties to even; too large gives infinity).
@inlinable
public func halfBits(_ value: Float) -> UInt16 {
  let bits = value.bitPattern
  let sign = UInt16(truncatingIfNeeded: bits >> 16) & 0x8000
  let magnitude = bits & 0x7FFF_FFFF
  if magnitude > 0x7F80_0000 { return sign | 0x7E00 }
  if magnitude >= 0x4780_0000 { return sign | 0x7C00 }
  if magnitude < 0x3880_0000 {
    // Subnormal halves: adding 0.5 aligns the mantissa so that the hardware rounds it.
    let aligned = (Float(bitPattern: magnitude) + 0.5).bitPattern &- Float(0.5).bitPattern
    return sign | UInt16(truncatingIfNeeded: aligned)
  }
  let rounded = magnitude &+ 0xFFF &+ ((magnitude >> 13) & 1)
  return sign | UInt16(truncatingIfNeeded: (rounded &- 0x3800_0000) >> 13)
}

/// The bits of the bfloat16 nearest to `value` (ties to even).
@inlinable
public func bfloat16Bits(_ value: Float) -> UInt16 {
  if value.isNaN { return 0x7FC0 }
  let bits = value.bitPattern
  return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) >> 16)
}
