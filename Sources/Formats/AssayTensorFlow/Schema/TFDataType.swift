import AssayBase
import AssayTensor

/// TensorFlow's element types (`types.proto`), as far as files of networks hold them.
public enum TFDataType: Int64, Sendable, CaseIterable {
  case invalid = 0
  case float = 1
  case double = 2
  case int32 = 3
  case uint8 = 4
  case int16 = 5
  case int8 = 6
  case string = 7
  case complex64 = 8
  case int64 = 9
  case bool = 10
  case qint8 = 11
  case quint8 = 12
  case qint32 = 13
  case bfloat16 = 14
  case uint16 = 17
  case complex128 = 18
  case half = 19
  case resource = 20
  case variant = 21
  case uint32 = 22
  case uint64 = 23
  case int4 = 29
  case uint4 = 30

  /// The type that a number in a file stands for; references (100 more) are their base type.
  public init(number: Int64) {
    let base = number > 100 ? number - 100 : number
    self = TFDataType(rawValue: base) ?? .invalid
  }

  /// Types that both sides have.
  private static let known: [(TFDataType, DType)] = [
    (.float, .float32), (.double, .float64), (.half, .float16), (.bfloat16, .bfloat16),
    (.int8, .int8), (.uint8, .uint8), (.int16, .int16), (.uint16, .uint16), (.int32, .int32),
    (.uint32, .uint32), (.int64, .int64), (.uint64, .uint64), (.bool, .bool), (.string, .string),
  ]

  /// The type that a tensor's elements have in TensorFlow; `invalid` where there is none.
  public init(_ dtype: DType) {
    self = Self.known.first { $0.1 == dtype }?.0 ?? .invalid
  }

  /// The element type of a Tensor; `nil` for types that no Tensor has.
  public var dtype: DType? { Self.known.first { $0.0 == self }?.1 }
}

/// A shape as TensorFlow declares it: the rank or an extent (-1) may be unknown.
public struct TFShape: Sendable, Hashable {
  /// The extents; `nil` when not even the rank is known.
  public var dims: [Int64]?

  /// Makes a shape.
  public init(_ dims: [Int64]?) { self.dims = dims }

  /// The extents as a Shape, unknown ones as -1.
  ///
  /// - Throws: `Diagnostic` TFG002 for an extent that no tensor has.
  public func shape() throws -> Shape? {
    guard let dims else { return nil }
    guard dims.count <= 64 else { throw Diagnostic("TFG002", "a shape has \(dims.count) axes") }
    return Shape(
      try dims.map { dim in
        guard dim >= -1, dim < 1 << 40 else { throw Diagnostic("TFG002", "an extent is \(dim)") }
        return Int(dim)
      }
    )
  }
}
