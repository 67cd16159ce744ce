import AssayBase

/// One field of a protobuf message, as it stands on the wire.
public struct ProtobufField: Sendable {
  /// What the wire holds; a schema says what it means.
  public enum Payload: Sendable {
    /// Wire type 0.
    case varint(UInt64)
    /// Wire type 1.
    case fixed64(UInt64)
    /// Wire type 2: bytes, text, a message or packed numbers; a slice of the input.
    case bytes(ByteView)
    /// Wire type 5.
    case fixed32(UInt32)
  }

  /// The field's number in its schema.
  public var number: Int
  /// What it holds.
  public var payload: Payload
}

/// Reads one protobuf message, field by field, over bytes that stay where they are.
///
/// Every length is checked against what is left before it is used, nesting is limited, and groups
/// (wire types 3 and 4, deprecated since proto3) are refused. Bytes are slices of the input. Faults
/// are `Diagnostic`s PRB001 (cut short), PRB002 (malformed), PRB003 (nested too deeply),
/// PRB004 (a field is not of the wire type that the schema says).
///
/// Wire format: https://protobuf.dev/programming-guides/encoding/
public struct ProtobufReader {
  private let bytes: ByteView
  /// Messages that may still be opened inside this one.
  private let depth: Int
  /// Bytes read so far.
  public private(set) var offset = 0

  /// Reads `bytes` as one message.
  ///
  /// - Parameter maximumDepth: how deep messages may nest.
  public init(_ bytes: ByteView, maximumDepth: Int = 64) {
    self.bytes = bytes
    depth = maximumDepth
  }

  /// The next field, or `nil` at the end of the message.
  public mutating func next() throws -> ProtobufField? {
    guard offset < bytes.count else { return nil }
    let tag = try varint()
    guard let number = Int(exactly: tag >> 3), number > 0, number < 1 << 29 else {
      throw malformed("field number \(tag >> 3) does not exist")
    }
    switch tag & 7 {
    case 0: return ProtobufField(number: number, payload: .varint(try varint()))
    case 1: return ProtobufField(number: number, payload: .fixed64(try fixed(UInt64.self)))
    case 2:
      let length = try varint()
      guard let count = Int(exactly: length), count <= bytes.count - offset else {
        throw cutShort("field \(number) says it is \(length) bytes long")
      }
      let slice = try bytes.slice(offset, count)
      offset += count
      return ProtobufField(number: number, payload: .bytes(slice))
    case 5: return ProtobufField(number: number, payload: .fixed32(try fixed(UInt32.self)))
    case 3, 4: throw malformed("field \(number) is a group")
    default: throw malformed("field \(number) has wire type \(tag & 7)")
    }
  }

  /// A reader of a message inside this one.
  public func message(_ field: ProtobufField) throws -> ProtobufReader {
    guard depth > 0 else { throw Diagnostic("PRB003", "messages are nested too deeply") }
    return ProtobufReader(try field.bytes(), maximumDepth: depth - 1)
  }

  private mutating func varint() throws -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: 0, to: 70, by: 7) {
      guard offset < bytes.count else { throw cutShort("it ends inside a number") }
      let byte = try bytes.load(UInt8.self, at: offset)
      offset += 1
      guard shift < 63 || byte <= 1 else { throw malformed("a number has more than 64 bits") }
      value |= UInt64(byte & 0x7F) << UInt64(shift)
      if byte < 0x80 { return value }
    }
    throw malformed("a number has more than 64 bits")
  }

  private mutating func fixed<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type) throws -> T {
    guard MemoryLayout<T>.size <= bytes.count - offset else {
      throw cutShort("it ends inside a number")
    }
    let value = T(littleEndian: try bytes.load(type, at: offset))
    offset += MemoryLayout<T>.size
    return value
  }

  private func malformed(_ what: String) -> Diagnostic {
    Diagnostic("PRB002", "this is not a protobuf message: \(what)", at: ["byte \(offset)"])
  }

  private func cutShort(_ what: String) -> Diagnostic {
    Diagnostic("PRB001", "the protobuf message is cut short: \(what)", at: ["byte \(offset)"])
  }
}

extension ProtobufField {
  private func mismatch(_ wanted: String) -> Diagnostic {
    Diagnostic("PRB004", "field \(number) is not \(wanted)")
  }

  /// A field of type bytes, or a message's bytes.
  public func bytes() throws -> ByteView {
    guard case .bytes(let view) = payload else { throw mismatch("bytes") }
    return view
  }

  /// A field of type string.
  public func string() throws -> String {
    guard let text = try bytes().utf8 else { throw mismatch("UTF-8 text") }
    return text
  }

  /// A field of type int64, int32, uint64, bool or an enumeration.
  public func integer() throws -> Int64 {
    guard case .varint(let value) = payload else { throw mismatch("a number") }
    return Int64(bitPattern: value)
  }

  /// A field of type float.
  public func float() throws -> Float {
    guard case .fixed32(let bits) = payload else { throw mismatch("a float") }
    return Float(bitPattern: bits)
  }

  /// A field of type double.
  public func double() throws -> Double {
    guard case .fixed64(let bits) = payload else { throw mismatch("a double") }
    return Double(bitPattern: bits)
  }

  /// Appends a repeated integer field, packed or not.
  public func append(to integers: inout [Int64]) throws {
    guard case .bytes(let view) = payload else {
      integers.append(try integer())
      return
    }
    try unsafe view.withUnsafeBytes { raw in
      var value: UInt64 = 0
      var shift: UInt64 = 0
      for index in 0..<raw.count {
        let byte = unsafe raw[index]
        guard shift < 63 || shift == 63 && byte <= 1 else { throw mismatch("packed numbers") }
        value |= UInt64(byte & 0x7F) << shift
        if byte < 0x80 {
          integers.append(Int64(bitPattern: value))
          value = 0
          shift = 0
        } else {
          shift += 7
        }
      }
      guard shift == 0 else { throw mismatch("packed numbers") }
    }
  }

  /// Appends a repeated float field, packed or not.
  public func append(to floats: inout [Float]) throws {
    guard case .bytes(let view) = payload else {
      floats.append(try float())
      return
    }
    guard view.count % 4 == 0 else { throw mismatch("packed floats") }
    floats.reserveCapacity(floats.count + view.count / 4)
    for offset in stride(from: 0, to: view.count, by: 4) {
      floats.append(Float(bitPattern: try view.load(UInt32.self, at: offset)))
    }
  }

  /// Appends a repeated double field, packed or not.
  public func append(to doubles: inout [Double]) throws {
    guard case .bytes(let view) = payload else {
      doubles.append(try double())
      return
    }
    guard view.count % 8 == 0 else { throw mismatch("packed doubles") }
    doubles.reserveCapacity(doubles.count + view.count / 8)
    for offset in stride(from: 0, to: view.count, by: 8) {
      doubles.append(Double(bitPattern: try view.load(UInt64.self, at: offset)))
    }
  }
}
