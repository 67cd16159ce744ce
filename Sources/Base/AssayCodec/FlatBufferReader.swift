import AssayBase

/// Reads one FlatBuffer (the binary format of google/flatbuffers) from untrusted bytes.
///
/// Every offset is checked when it is followed, so nothing has to be verified beforehand. Because
/// many offsets may lead to one table, work is limited by budgets rather than by the file's size
/// alone: a reader gives out a limited number of tables and of copied vector elements. Faults are
/// diagnostics FLB001 (an offset leaves the file), FLB002 (a budget is spent), FLB003 (wrong
/// identifier) and FLB004 (text that is not UTF-8).
public final class FlatBufferReader {
  /// The whole buffer.
  public let bytes: ByteView
  private var tablesLeft: Int
  private var elementsLeft: Int
  private let maximumDepth: Int

  /// A reader of `bytes`.
  ///
  /// - Parameters:
  ///   - maximumTables: tables that may be visited; by default four for each hundred bytes and at
  ///     least ten thousand.
  ///   - maximumElements: vector elements that may be copied; by default four for each byte.
  ///   - maximumDepth: nesting of tables.
  public init(
    _ bytes: ByteView,
    maximumTables: Int? = nil,
    maximumElements: Int? = nil,
    maximumDepth: Int = 64
  ) {
    self.bytes = bytes
    tablesLeft = maximumTables ?? max(10_000, bytes.count / 25)
    elementsLeft = maximumElements ?? max(100_000, bytes.count &* 4)
    self.maximumDepth = maximumDepth
  }

  /// The four identifier bytes after the root offset, as text; `nil` when there are none.
  public static func identifier(of bytes: ByteView) -> String? {
    (try? bytes.slice(4, 4))?.utf8
  }

  /// The root table.
  ///
  /// - Parameter identifier: the file identifier that must be there, four characters.
  public func root(identifier: String? = nil) throws(Diagnostic) -> FlatTable {
    if let identifier, Self.identifier(of: bytes) != identifier {
      throw Diagnostic(
        "FLB003",
        "the file does not carry the identifier '\(identifier)'",
        at: ["byte 4"]
      )
    }
    return try table(at: follow(0), depth: 0)
  }

  /// A little-endian scalar.
  func load<T: BitwiseCopyable>(_ type: T.Type, at offset: Int) throws(Diagnostic) -> T {
    do {
      return try bytes.load(type, at: offset)
    } catch {
      throw outside(offset)
    }
  }

  /// Where the unsigned 32-bit offset at `position` leads.
  func follow(_ position: Int) throws(Diagnostic) -> Int {
    let distance = Int(try load(UInt32.self, at: position))
    let target = position + distance
    guard distance > 0, target < bytes.count else { throw outside(position) }
    return target
  }

  func table(at position: Int, depth: Int) throws(Diagnostic) -> FlatTable {
    guard tablesLeft > 0, depth <= maximumDepth else {
      throw Diagnostic(
        "FLB002",
        depth > maximumDepth ? "tables are nested too deeply" : "there are too many tables",
        at: ["byte \(position)"]
      )
    }
    tablesLeft -= 1
    let vtable = position - Int(try load(Int32.self, at: position))
    guard vtable >= 0 else { throw outside(position) }
    let vtableSize = Int(try load(UInt16.self, at: vtable))
    let tableSize = Int(try load(UInt16.self, at: vtable + 2))
    guard vtableSize >= 4, vtableSize % 2 == 0, vtableSize <= bytes.count - vtable, tableSize >= 4,
      tableSize <= bytes.count - position
    else { throw outside(position) }
    return FlatTable(
      reader: self,
      position: position,
      size: tableSize,
      vtable: vtable,
      vtableSize: vtableSize,
      depth: depth
    )
  }

  /// The elements' start and number of the vector at `position`, elements `width` bytes wide.
  func vector(at position: Int, width: Int) throws(Diagnostic) -> (start: Int, count: Int) {
    let count = Int(try load(UInt32.self, at: position))
    guard count <= (bytes.count - position - 4) / width else { throw outside(position) }
    return (position + 4, count)
  }

  func spend(elements: Int, at position: Int) throws(Diagnostic) {
    guard elements <= elementsLeft else {
      throw Diagnostic("FLB002", "there are too many elements", at: ["byte \(position)"])
    }
    elementsLeft -= elements
  }

  func outside(_ position: Int) -> Diagnostic {
    Diagnostic(
      "FLB001",
      "an offset or a count leads outside the file",
      at: ["byte \(position)"],
      remedy: "the file is truncated or damaged: make or download it again"
    )
  }
}

/// One table of a FlatBuffer; fields are numbered from 0 as in its schema.
///
/// A field that is absent gives its default, as the format demands.
public struct FlatTable {
  let reader: FlatBufferReader
  /// Where the table lies in the file, for messages.
  public let position: Int
  let size: Int
  let vtable: Int
  let vtableSize: Int
  let depth: Int

  /// Where the field's bytes lie, or `nil` when it is absent; it must be `width` bytes wide.
  private func place(_ field: Int, width: Int) throws(Diagnostic) -> Int? {
    let slot = 4 + 2 * field
    guard slot + 2 <= vtableSize else { return nil }
    let offset = Int(try reader.load(UInt16.self, at: vtable + slot))
    guard offset != 0 else { return nil }
    guard offset >= 4, offset + width <= size else { throw reader.outside(vtable + slot) }
    return position + offset
  }

  /// Whether the field is there.
  public func has(_ field: Int) throws(Diagnostic) -> Bool { try place(field, width: 1) != nil }

  /// An integer or a float.
  public func scalar<T: BitwiseCopyable>(
    _ field: Int,
    default value: T
  ) throws(Diagnostic) -> T where T: Numeric {
    guard let place = try place(field, width: MemoryLayout<T>.size) else { return value }
    return try reader.load(T.self, at: place)
  }

  /// A truth value; every byte but 0 is true.
  public func bool(_ field: Int, default value: Bool = false) throws(Diagnostic) -> Bool {
    try scalar(field, default: UInt8(value ? 1 : 0)) != 0
  }

  /// A nested table.
  public func table(_ field: Int) throws(Diagnostic) -> FlatTable? {
    guard let place = try place(field, width: 4) else { return nil }
    return try reader.table(at: reader.follow(place), depth: depth + 1)
  }

  /// Text.
  public func string(_ field: Int) throws(Diagnostic) -> String? {
    guard let place = try place(field, width: 4) else { return nil }
    return try string(at: reader.follow(place))
  }

  private func string(at position: Int) throws(Diagnostic) -> String {
    let (start, count) = try reader.vector(at: position, width: 1)
    try reader.spend(elements: count, at: position)
    guard let text = try view(start, count).utf8 else {
      throw Diagnostic("FLB004", "text is not UTF-8", at: ["byte \(position)"])
    }
    return text
  }

  private func view(_ start: Int, _ count: Int) throws(Diagnostic) -> ByteView {
    do {
      return try reader.bytes.slice(start, count)
    } catch {
      throw reader.outside(start)
    }
  }

  /// The bytes of a vector of bytes, not copied.
  public func bytes(_ field: Int) throws(Diagnostic) -> ByteView? {
    guard let place = try place(field, width: 4) else { return nil }
    let (start, count) = try reader.vector(at: reader.follow(place), width: 1)
    return try view(start, count)
  }

  /// A vector of texts as bytes, which need not be UTF-8, not copied; an absent one is empty.
  public func blobs(_ field: Int) throws(Diagnostic) -> [ByteView] {
    var blobs: [ByteView] = []
    for target in try targets(field) ?? [] {
      let (start, count) = try reader.vector(at: target, width: 1)
      blobs.append(try view(start, count))
    }
    return blobs
  }

  /// A vector of integers or floats.
  public func vector<T: BitwiseCopyable & Numeric>(
    _ field: Int,
    of type: T.Type
  ) throws(Diagnostic) -> [T]? {
    guard let place = try place(field, width: 4) else { return nil }
    let width = MemoryLayout<T>.size
    let (start, count) = try reader.vector(at: reader.follow(place), width: width)
    try reader.spend(elements: count, at: start)
    var elements: [T] = []
    elements.reserveCapacity(count)
    for index in 0..<count { elements.append(try reader.load(type, at: start + index * width)) }
    return elements
  }

  /// The places of the elements of a vector of offsets.
  private func targets(_ field: Int) throws(Diagnostic) -> [Int]? {
    guard let place = try place(field, width: 4) else { return nil }
    let (start, count) = try reader.vector(at: reader.follow(place), width: 4)
    try reader.spend(elements: count, at: start)
    var targets: [Int] = []
    targets.reserveCapacity(count)
    for index in 0..<count { targets.append(try reader.follow(start + 4 * index)) }
    return targets
  }

  /// A vector of tables; an absent one is empty.
  public func tables(_ field: Int) throws(Diagnostic) -> [FlatTable] {
    var tables: [FlatTable] = []
    for target in try targets(field) ?? [] {
      tables.append(try reader.table(at: target, depth: depth + 1))
    }
    return tables
  }

  /// A vector of texts; an absent one is empty.
  public func strings(_ field: Int) throws(Diagnostic) -> [String] {
    var strings: [String] = []
    for target in try targets(field) ?? [] { strings.append(try string(at: target)) }
    return strings
  }
}
