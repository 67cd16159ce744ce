import AssayBase

/// Builds one protobuf message.
///
/// Large byte fields are kept as views and handed out as pieces of their own, so that weights are
/// never copied; a message's length is known as soon as its fields are, because inner messages are
/// built before they are put into outer ones.
public struct ProtobufWriter: Sendable {
  /// Byte fields from this length on become pieces; shorter ones are cheaper to copy.
  private static let pieceThreshold = 4096

  private var pieces: [ByteView] = []
  private var tail: [UInt8] = []
  private var pieceBytes = 0

  /// An empty message.
  public init() {}

  /// The number of bytes so far.
  public var count: Int { pieceBytes + tail.count }

  /// The message's bytes, in pieces to be written one after the other.
  public consuming func finish() -> [ByteView] {
    flush()
    return pieces
  }

  private mutating func flush() {
    guard !tail.isEmpty else { return }
    pieces.append(ByteView(tail))
    pieceBytes += tail.count
    tail = []
  }

  private mutating func append(_ view: ByteView) {
    if view.count < Self.pieceThreshold {
      tail += view.array
    } else {
      flush()
      pieces.append(view)
      pieceBytes += view.count
    }
  }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      tail.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    tail.append(UInt8(rest))
  }

  private mutating func tag(_ field: Int, _ wireType: UInt64) {
    varint(UInt64(field) << 3 | wireType)
  }

  /// Adds a field of type int64, int32, bool or an enumeration.
  public mutating func integer(_ field: Int, _ value: Int64) {
    tag(field, 0)
    varint(UInt64(bitPattern: value))
  }

  /// Adds a field of type float.
  public mutating func float(_ field: Int, _ value: Float) { fixed32(field, value.bitPattern) }

  /// Adds a field of type fixed32.
  public mutating func fixed32(_ field: Int, _ value: UInt32) {
    tag(field, 5)
    for shift in stride(from: UInt32(0), to: 32, by: 8) {
      tail.append(UInt8(truncatingIfNeeded: value >> shift))
    }
  }

  /// Adds a field of type double.
  public mutating func double(_ field: Int, _ value: Double) {
    tag(field, 1)
    for shift in stride(from: UInt64(0), to: 64, by: 8) {
      tail.append(UInt8(truncatingIfNeeded: value.bitPattern >> shift))
    }
  }

  /// Adds a field of type string.
  public mutating func string(_ field: Int, _ value: String) {
    tag(field, 2)
    varint(UInt64(value.utf8.count))
    tail += value.utf8
  }

  /// Adds a field of type bytes, given in pieces.
  public mutating func bytes(_ field: Int, _ value: [ByteView]) {
    tag(field, 2)
    varint(UInt64(value.reduce(0) { $0 + $1.count }))
    for piece in value { append(piece) }
  }

  /// Adds a message.
  public mutating func message(_ field: Int, _ message: ProtobufWriter) {
    tag(field, 2)
    varint(UInt64(message.count))
    for piece in message.pieces { append(piece) }
    tail += message.tail
  }

  /// Adds a message that `body` fills.
  public mutating func message(_ field: Int, _ body: (inout ProtobufWriter) throws -> Void) rethrows
  {
    var inner = ProtobufWriter()
    try body(&inner)
    message(field, inner)
  }

  /// Adds a repeated integer field, packed; nothing when it is empty.
  public mutating func packed(_ field: Int, _ values: [Int64]) {
    guard !values.isEmpty else { return }
    var inner = ProtobufWriter()
    for value in values { inner.varint(UInt64(bitPattern: value)) }
    message(field, inner)
  }
}
