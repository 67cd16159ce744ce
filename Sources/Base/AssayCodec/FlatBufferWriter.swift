import AssayBase

/// A table to be written: fields numbered from 0 as in its schema, in any order.
///
/// Fields equal to their schema's default are left out, as readers expect.
public struct FlatObject: Sendable {
  /// The content of one field.
  enum Content: Sendable {
    case scalar(bits: UInt64, width: Int)
    case string(String)
    case vector(bits: [UInt64], width: Int)
    case table(FlatObject)
    case tables([FlatObject])
    case bytes(ByteView, alignment: Int)
  }

  private(set) var fields: [(id: Int, content: Content)] = []

  /// A table without fields.
  public init() {}

  /// Sets an integer, unless it is the default.
  public mutating func set<T: FixedWidthInteger>(_ field: Int, _ value: T, default byDefault: T = 0)
  {
    guard value != byDefault else { return }
    fields.append((field, .scalar(bits: UInt64(truncatingIfNeeded: value), width: T.bitWidth / 8)))
  }

  /// Sets a float, unless it is the default.
  public mutating func set(_ field: Int, _ value: Float, default byDefault: Float = 0) {
    guard value.bitPattern != byDefault.bitPattern else { return }
    fields.append((field, .scalar(bits: UInt64(value.bitPattern), width: 4)))
  }

  /// Sets a truth value, unless it is the default.
  public mutating func set(_ field: Int, _ value: Bool, default byDefault: Bool = false) {
    set(field, UInt8(value ? 1 : 0), default: byDefault ? 1 : 0)
  }

  /// Sets text; `nil` leaves the field out.
  public mutating func set(_ field: Int, _ value: String?) {
    if let value { fields.append((field, .string(value))) }
  }

  /// Sets a vector of integers; `nil` leaves the field out.
  public mutating func set<T: FixedWidthInteger>(_ field: Int, _ values: [T]?) {
    guard let values else { return }
    let bits = values.map { UInt64(truncatingIfNeeded: $0) }
    fields.append((field, .vector(bits: bits, width: T.bitWidth / 8)))
  }

  /// Sets a vector of floats; `nil` leaves the field out.
  public mutating func set(_ field: Int, _ values: [Float]?) {
    guard let values else { return }
    fields.append((field, .vector(bits: values.map { UInt64($0.bitPattern) }, width: 4)))
  }

  /// Sets a nested table; `nil` leaves the field out.
  public mutating func set(_ field: Int, _ value: FlatObject?) {
    if let value { fields.append((field, .table(value))) }
  }

  /// Sets a vector of tables; `nil` leaves the field out.
  public mutating func set(_ field: Int, _ values: [FlatObject]?) {
    if let values { fields.append((field, .tables(values))) }
  }

  /// Sets a vector of bytes whose first byte lies at a multiple of `alignment` in the file.
  ///
  /// - Precondition: `alignment` is a power of two, at least 4 and at most 64.
  public mutating func set(_ field: Int, _ bytes: ByteView, alignment: Int) {
    precondition(alignment >= 4 && alignment <= 64 && alignment & (alignment - 1) == 0)
    fields.append((field, .bytes(bytes, alignment: alignment)))
  }
}

/// Writes FlatBuffers.
///
/// Tables are built from the end of the file towards its start, as the format wants it (an offset
/// always leads forward). Vectors of bytes with an alignment lie behind all tables: offsets to them
/// lead forward too, so their bytes never move, and large ones are handed through as they are.
public enum FlatBufferWriter {
  /// Vectors of at least so many bytes become pieces of their own.
  static let passThrough = 4096

  /// The greatest length of a file: offsets of 32 bits, signed in some readers.
  static let maximumLength = 0x7FFF_FFFF

  /// The file's bytes, in pieces to be written one after the other.
  ///
  /// - Parameter identifier: four ASCII characters after the root offset.
  /// - Throws: `Diagnostic` FLB010 when the file would be longer than 2 GB - 1.
  public static func write(
    _ root: FlatObject,
    identifier: String? = nil
  ) throws(Diagnostic) -> [ByteView] {
    var builder = Builder()
    let table = builder.add(root)
    builder.finish(root: table, identifier: identifier)
    guard builder.head.count + builder.tailLength <= maximumLength else {
      throw Diagnostic(
        "FLB010",
        "the file would have \(builder.head.count + builder.tailLength) bytes",
        remedy: "a FlatBuffer holds less than 2 GB: use weights of fewer bits or another format"
      )
    }
    return builder.pieces()
  }
}

/// A place in the file, counted in bytes before the end of the tables (negative behind it).
private typealias Place = Int

private struct Builder {
  /// The tables' bytes in reverse order.
  var head: [UInt8] = []
  /// Where every vtable written so far lies, by its content.
  private var vtables: [[UInt16]: Place] = [:]
  /// What lies behind the tables, each with the zeros and the length before it.
  private var tail: [(padding: Int, bytes: ByteView)] = []
  var tailLength = 0
  /// The greatest alignment asked for; the end of the tables lies at a multiple of it.
  private var alignment = 16

  mutating func add(_ object: FlatObject) -> Place {
    var offsets: [(id: Int, place: Place)] = []
    for field in object.fields {
      switch field.content {
      case .scalar: break
      case .string(let text): offsets.append((field.id, add(text)))
      case .vector(let bits, let width): offsets.append((field.id, add(bits, width: width)))
      case .table(let table): offsets.append((field.id, add(table)))
      case .tables(let tables):
        let places = tables.map { add($0) }
        offsets.append((field.id, add(places)))
      case .bytes(let bytes, let alignment):
        offsets.append((field.id, addTail(bytes, alignment: alignment)))
      }
    }
    return addTable(object, offsets: offsets)
  }

  /// Writes the inline part of a table and its vtable, unless an equal one is there.
  private mutating func addTable(
    _ object: FlatObject,
    offsets: [(id: Int, place: Place)]
  ) -> Place {
    var scalars: [(id: Int, bits: UInt64, width: Int)] = []
    var widest = 4
    for case (let id, .scalar(let bits, let width)) in object.fields {
      scalars.append((id, bits, width))
      widest = max(widest, width)
    }
    align(to: widest, before: 0)
    let end = head.count
    var slots: [Int: Int] = [:]
    // Wide fields lie nearest to the table's end, so that padding is needed at most once.
    for width in [8, 4, 2, 1] {
      for field in scalars where field.width == width {
        align(to: width, before: width)
        write(field.bits, width: width)
        slots[field.id] = head.count
      }
      guard width == 4 else { continue }
      for field in offsets {
        align(to: 4, before: 4)
        writeOffset(to: field.place)
        slots[field.id] = head.count
      }
    }
    align(to: 4, before: 4)
    let table = head.count + 4
    var vtable = [UInt16](repeating: 0, count: (slots.keys.max() ?? -1) + 1)
    for (id, place) in slots { vtable[id] = UInt16(truncatingIfNeeded: table - place) }
    vtable.insert(UInt16(truncatingIfNeeded: table - end), at: 0)
    vtable.insert(UInt16(truncatingIfNeeded: 2 * (vtable.count + 1)), at: 0)
    // The table begins with the distance back to its vtable: positive when that lies before it.
    if let known = vtables[vtable] {
      write(UInt64(truncatingIfNeeded: Int32(truncatingIfNeeded: known - table)), width: 4)
    } else {
      write(UInt64(2 * vtable.count), width: 4)
      for slot in vtable.reversed() { write(UInt64(slot), width: 2) }
      vtables[vtable] = head.count
    }
    return table
  }

  private mutating func add(_ text: String) -> Place {
    let utf8 = Array(text.utf8)
    align(to: 4, before: utf8.count + 1)
    head.append(0)
    head.append(contentsOf: utf8.reversed())
    write(UInt64(utf8.count), width: 4)
    return head.count
  }

  private mutating func add(_ bits: [UInt64], width: Int) -> Place {
    align(to: max(4, width), before: bits.count * width)
    for element in bits.reversed() { write(element, width: width) }
    write(UInt64(bits.count), width: 4)
    return head.count
  }

  private mutating func add(_ places: [Place]) -> Place {
    align(to: 4, before: places.count * 4)
    for place in places.reversed() { writeOffset(to: place) }
    write(UInt64(places.count), width: 4)
    return head.count
  }

  private mutating func addTail(_ bytes: ByteView, alignment: Int) -> Place {
    self.alignment = max(self.alignment, alignment)
    let past = (tailLength + 4) % alignment
    let padding = past == 0 ? 0 : alignment - past
    tail.append((padding, bytes))
    let place = -(tailLength + padding)
    tailLength += padding + 4 + bytes.count
    return place
  }

  mutating func finish(root: Place, identifier: String?) {
    align(to: alignment, before: identifier == nil ? 4 : 8)
    if let identifier { head.append(contentsOf: identifier.utf8.prefix(4).reversed()) }
    writeOffset(to: root)
  }

  func pieces() -> [ByteView] {
    var pieces: [ByteView] = []
    var pending = Array(head.reversed())
    for (padding, bytes) in tail {
      pending.append(contentsOf: repeatElement(0, count: padding))
      for shift in [0, 8, 16, 24] {
        pending.append(UInt8(truncatingIfNeeded: bytes.count >> shift))
      }
      if bytes.count >= FlatBufferWriter.passThrough {
        pieces.append(ByteView(pending))
        pieces.append(bytes)
        pending.removeAll(keepingCapacity: true)
      } else {
        pending.append(contentsOf: bytes.array)
      }
    }
    if !pending.isEmpty { pieces.append(ByteView(pending)) }
    return pieces
  }

  /// Adds zeros so that after `byteCount` more bytes the place is a multiple of `alignment`.
  private mutating func align(to alignment: Int, before byteCount: Int) {
    let past = (head.count + byteCount) % alignment
    if past != 0 { head.append(contentsOf: repeatElement(0, count: alignment - past)) }
  }

  private mutating func write(_ bits: UInt64, width: Int) {
    for index in stride(from: width - 1, through: 0, by: -1) {
      head.append(UInt8(truncatingIfNeeded: bits >> (8 * UInt64(index))))
    }
  }

  private mutating func writeOffset(to place: Place) {
    write(UInt64(truncatingIfNeeded: head.count + 4 - place), width: 4)
  }
}
