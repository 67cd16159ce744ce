/// The type of a tensor's elements.
public enum DType: String, Sendable, CaseIterable {
  case float32, float16, bfloat16, float64
  case int8, uint8, int16, uint16, int32, uint32, int64, uint64
  case bool
  /// Two elements a byte, the first in the low half.
  case int4, uint4
  /// Eight bits: exponent and mantissa bits as named (`SmallFloat` says how they are read).
  case float8E4M3FN, float8E4M3FNUZ, float8E5M2, float8E5M2FNUZ
  /// Four bits, two elements a byte, the first in the low half.
  case float4E2M1
  /// Text; kept for description only, no kernel computes with it.
  case string

  /// Bits of one element; 0 for text.
  public var bitWidth: Int {
    switch self {
    case .float64, .int64, .uint64: 64
    case .float32, .int32, .uint32: 32
    case .float16, .bfloat16, .int16, .uint16: 16
    case .int8, .uint8, .bool: 8
    case .float8E4M3FN, .float8E4M3FNUZ, .float8E5M2, .float8E5M2FNUZ: 8
    case .int4, .uint4, .float4E2M1: 4
    case .string: 0
    }
  }

  /// Bytes that `count` elements take, packed; `nil` when the number overflows.
  public func byteCount(_ count: Int) -> Int? {
    let (bits, overflow) = count.multipliedReportingOverflow(by: bitWidth)
    guard !overflow, bits <= Int.max - 7 else { return nil }
    return (bits + 7) / 8
  }

  /// Whether it is a floating-point type.
  public var isFloat: Bool {
    switch self {
    case .float32, .float16, .bfloat16, .float64, .float8E4M3FN, .float8E4M3FNUZ, .float8E5M2,
      .float8E5M2FNUZ, .float4E2M1:
      true
    default: false
    }
  }

  /// Whether it is an integer type.
  public var isInteger: Bool { !isFloat && self != .bool && self != .string }

  /// The least and greatest value of an integer type of at most 32 bits, else `nil`.
  public var integerRange: ClosedRange<Int>? {
    switch self {
    case .int4: -8...7
    case .uint4: 0...15
    case .int8: -128...127
    case .uint8: 0...255
    case .int16: -32768...32767
    case .uint16: 0...65535
    case .int32: Int(Int32.min)...Int(Int32.max)
    case .uint32: 0...Int(UInt32.max)
    default: nil
    }
  }
}
