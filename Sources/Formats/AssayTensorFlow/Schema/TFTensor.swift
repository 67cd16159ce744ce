import AssayBase
import AssayCodec
import AssayTensor

/// A constant as it stands in a file (`TensorProto`).
public struct TFTensor: Sendable {
  /// The type of the elements.
  public var dtype: TFDataType = .invalid
  /// The extents.
  public var shape = TFShape([])
  /// The packed elements, where they are stored so.
  public var content: ByteView?
  /// Elements of type float; a list that is shorter than the tensor repeats its last element.
  public var floats: [Float] = []
  /// Elements of type double.
  public var doubles: [Double] = []
  /// Elements of every integer type, truth values, and the bits of halves.
  public var integers: [Int64] = []
  /// Elements of type string.
  public var strings: [ByteView] = []

  /// A scalar without a value.
  public init() {}

  /// The constant as a file holds it.
  public init(_ tensor: Tensor) {
    dtype = TFDataType(tensor.dtype)
    shape = TFShape(tensor.shape.dims.map(Int64.init))
    content = tensor.bytes
  }

  /// Reads one message.
  ///
  /// - Throws: `Diagnostic` PRB… when it is malformed.
  public init(reading message: ProtobufReader) throws {
    var reader = message
    while let field = try reader.next() {
      switch field.number {
      case 1: dtype = TFDataType(number: try field.integer())
      case 2: shape = try TFShape(reading: try reader.message(field))
      case 4: content = try field.bytes()
      case 5: try field.append(to: &floats)
      case 6: try field.append(to: &doubles)
      case 7, 10, 11, 13, 16, 17: try field.append(to: &integers)
      case 8: strings.append(try field.bytes())
      default: break
      }
    }
  }

  /// The message's bytes.
  public func encoded() -> ProtobufWriter {
    var writer = ProtobufWriter()
    writer.integer(1, dtype.rawValue)
    writer.message(2, shape.encoded())
    if let content { writer.bytes(4, [content]) }
    for number in floats { writer.float(5, number) }
    for string in strings { writer.bytes(8, [string]) }
    return writer
  }

  /// The number of elements.
  private func elementCount() throws -> (Shape, Int) {
    guard let shape = try shape.shape(), shape.isStatic, let count = shape.elementCount else {
      throw Diagnostic("TFG003", "a constant's extents are unknown or too large")
    }
    return (shape, count)
  }

  /// The elements as text; those of another type than string are refused.
  public func texts() throws -> [String] {
    let (_, count) = try elementCount()
    guard dtype == .string, strings.count == count || strings.count == 1 && count < 1 << 20 else {
      throw Diagnostic("TFG003", "a constant of \(count) texts has \(strings.count)")
    }
    let decoded = strings.map { String(decoding: $0.array, as: UTF8.self) }
    return strings.count == count ? decoded : [String](repeating: decoded[0], count: count)
  }

  /// The constant as a Tensor; packed elements stay where they are.
  ///
  /// - Throws: `Diagnostic` TFG003 when elements and shape do not fit, TFG004 for a type that no
  ///   Tensor has.
  public func tensor() throws -> Tensor {
    guard let type = dtype.dtype, type != .string else {
      throw Diagnostic("TFG004", "constants of type \(dtype) are not supported")
    }
    let (shape, count) = try elementCount()
    guard let bytes = type.byteCount(count), bytes < 1 << 40 else {
      throw Diagnostic("TFG003", "a constant's extents \(shape) are too large")
    }
    if let content, content.count > 0 || count == 0 {
      guard content.count == bytes else {
        throw Diagnostic("TFG003", "\(type)[\(shape)] takes \(bytes) bytes, not \(content.count)")
      }
      return try Tensor(TensorType(type, shape), bytes: content)
    }
    func packed<S, T: BitwiseCopyable>(_ list: [S], _ zero: T, _ convert: (S) -> T) throws -> Tensor
    {
      guard list.count <= count else {
        throw Diagnostic("TFG003", "\(type)[\(shape)] is given \(list.count) elements")
      }
      // A short list is how files keep a large constant of one value; the size is still bounded.
      guard list.count == count || bytes < 1 << 28 else {
        throw Diagnostic("TFG003", "a repeated element fills \(bytes) bytes")
      }
      var elements = list.map(convert)
      let last = elements.last ?? zero
      elements += [T](repeating: last, count: count - elements.count)
      return Tensor(elements, shape, dtype: type)
    }
    switch type {
    case .float32: return try packed(floats, Float(0)) { $0 }
    case .float64: return try packed(doubles, Double(0)) { $0 }
    case .float16, .bfloat16, .uint16:
      return try packed(integers, UInt16(0)) { UInt16(truncatingIfNeeded: $0) }
    case .int16: return try packed(integers, Int16(0)) { Int16(truncatingIfNeeded: $0) }
    case .int8: return try packed(integers, Int8(0)) { Int8(truncatingIfNeeded: $0) }
    case .uint8: return try packed(integers, UInt8(0)) { UInt8(truncatingIfNeeded: $0) }
    case .bool: return try packed(integers, UInt8(0)) { $0 == 0 ? 0 : 1 }
    case .int32: return try packed(integers, Int32(0)) { Int32(truncatingIfNeeded: $0) }
    case .uint32: return try packed(integers, UInt32(0)) { UInt32(truncatingIfNeeded: $0) }
    case .int64: return try packed(integers, Int64(0)) { $0 }
    case .uint64: return try packed(integers, UInt64(0)) { UInt64(bitPattern: $0) }
    default: throw Diagnostic("TFG004", "constants of type \(dtype) are not supported")
    }
  }
}

extension TFShape {
  /// Reads a `TensorShapeProto`.
  public init(reading message: ProtobufReader) throws {
    var reader = message
    var extents: [Int64] = []
    var isKnown = true
    while let field = try reader.next() {
      switch field.number {
      case 2:
        var size: Int64 = 0
        var inner = try reader.message(field)
        while let part = try inner.next() { if part.number == 1 { size = try part.integer() } }
        extents.append(size)
      case 3: isKnown = try field.integer() == 0
      default: break
      }
    }
    dims = isKnown ? extents : nil
  }

  /// The message's bytes.
  func encoded() -> ProtobufWriter {
    var writer = ProtobufWriter()
    guard let dims else {
      writer.integer(3, 1)
      return writer
    }
    for dim in dims { writer.message(2) { $0.integer(1, dim) } }
    return writer
  }
}
