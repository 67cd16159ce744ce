import AssayBase

/// A sorted table of LevelDB: keys and values, as TensorFlow keeps its checkpoints' index in.
///
/// Blocks are checked against their checksums and may be compressed with Snappy. Faults are
/// `Diagnostic`s LDB001 (not a table), LDB002 (damaged), LDB003 (too large).
///
/// Format: https://github.com/google/leveldb/blob/main/doc/table_format.md
public struct LevelDBTable: Sendable {
  /// A key with its value, a slice of the file where it is not compressed.
  public struct Entry: Sendable {
    /// The key.
    public var key: [UInt8]
    /// The value.
    public var value: ByteView

    /// Makes an entry.
    public init(key: [UInt8], value: ByteView) {
      self.key = key
      self.value = value
    }
  }

  /// Where a block lies.
  fileprivate struct Handle {
    var offset: Int
    var size: Int
  }

  fileprivate static let magic: UInt64 = 0xDB47_7524_8B80_FB57
  private static let footerSize = 48

  /// All entries in the order of their keys.
  public private(set) var entries: [Entry] = []

  /// Whether bytes end as a table does.
  public static func isTable(_ bytes: ByteView) -> Bool {
    (try? bytes.load(UInt64.self, at: bytes.count - 8)) == magic
  }

  /// Reads a whole table.
  ///
  /// - Parameters:
  ///   - limit: the most bytes that compressed blocks may become, all together.
  ///   - verifiesChecksums: whether damage is looked for; tests of what lies behind it do without.
  public init(_ bytes: ByteView, limit: Int = 1 << 31, verifiesChecksums: Bool = true) throws {
    guard bytes.count >= Self.footerSize, Self.isTable(bytes) else {
      throw Diagnostic("LDB001", "this is no LevelDB table: it does not end as one")
    }
    let footer = try bytes.slice(bytes.count - Self.footerSize, Self.footerSize - 8)
    var cursor = Cursor(bytes: footer)
    _ = try cursor.handle()
    let index = try cursor.handle()
    var left = limit
    var read: Set<Int> = []
    for entry in try Self.block(bytes, index, &left, verifiesChecksums) {
      var cursor = Cursor(bytes: entry.value)
      let handle = try cursor.handle()
      guard read.insert(handle.offset).inserted else {
        throw Self.damaged("two entries name the block at \(handle.offset)")
      }
      entries += try Self.block(bytes, handle, &left, verifiesChecksums)
    }
  }

  private static func damaged(_ what: String) -> Diagnostic {
    Diagnostic("LDB002", "the LevelDB table is damaged: \(what)")
  }

  /// The entries of a block.
  private static func block(
    _ bytes: ByteView,
    _ handle: Handle,
    _ left: inout Int,
    _ verifiesChecksum: Bool
  ) throws -> [Entry] {
    guard handle.size <= bytes.count - 5, handle.offset <= bytes.count - 5 - handle.size else {
      throw damaged("a block of \(handle.size) bytes at \(handle.offset)")
    }
    var content = try bytes.slice(handle.offset, handle.size)
    let covered = try bytes.slice(handle.offset, handle.size + 1)
    let stored = try bytes.load(UInt32.self, at: handle.offset + handle.size + 1)
    guard !verifiesChecksum || CRC32C.masked(CRC32C.checksum(covered)) == stored else {
      throw damaged("the checksum of the block at \(handle.offset) is wrong")
    }
    switch try bytes.load(UInt8.self, at: handle.offset + handle.size) {
    case 0: break
    case 1:
      let plain = try Snappy.decompress(content, limit: left)
      left -= plain.count
      content = ByteView(plain)
    case let kind: throw damaged("the block at \(handle.offset) has compression \(kind)")
    }
    guard content.count >= 4 else { throw damaged("a block is \(content.count) bytes long") }
    let restarts = Int(try content.load(UInt32.self, at: content.count - 4))
    guard restarts <= (content.count - 4) / 4 else { throw damaged("\(restarts) restarts") }
    var cursor = Cursor(bytes: try content.slice(0, content.count - 4 - 4 * restarts))
    var entries: [Entry] = []
    var key: [UInt8] = []
    while !cursor.isAtEnd {
      let (shared, own, size) = (try cursor.varint(), try cursor.varint(), try cursor.varint())
      guard shared <= key.count else { throw damaged("a key shares \(shared) bytes") }
      key = key.prefix(shared) + (try cursor.take(own)).array
      // Keys that repeat long beginnings are how a small table would fill the memory.
      left -= key.count
      guard left >= 0 else { throw Diagnostic("LDB003", "the table's keys are too large") }
      entries.append(Entry(key: key, value: try cursor.take(size)))
    }
    return entries
  }

  /// A place in bytes that are read one after the other.
  private struct Cursor {
    let bytes: ByteView
    var offset = 0

    init(bytes: ByteView) { self.bytes = bytes }

    var isAtEnd: Bool { offset >= bytes.count }

    mutating func varint() throws -> Int {
      var value: UInt64 = 0
      for shift in stride(from: UInt64(0), to: 63, by: 7) {
        guard let byte = try? bytes.load(UInt8.self, at: offset) else {
          throw LevelDBTable.damaged("it ends inside a number")
        }
        offset += 1
        value |= UInt64(byte & 0x7F) << shift
        if byte < 0x80 { return Int(value) }
      }
      throw LevelDBTable.damaged("a number has more than 63 bits")
    }

    mutating func handle() throws -> Handle {
      Handle(offset: try varint(), size: try varint())
    }

    mutating func take(_ count: Int) throws -> ByteView {
      guard count <= bytes.count - offset else {
        throw LevelDBTable.damaged("an entry of \(count) bytes does not fit its block")
      }
      let slice = try bytes.slice(offset, count)
      offset += count
      return slice
    }
  }
}

/// Writes a LevelDB table of uncompressed blocks.
public struct LevelDBTableWriter {
  private static let blockSize = 1 << 18
  private static let restartInterval = 16

  private var file: [UInt8] = []
  private var index = Block()
  private var block = Block()

  /// The entries of one block so far.
  private struct Block {
    var bytes: [UInt8] = []
    var restarts: [UInt32] = [0]
    var count = 0
    var lastKey: [UInt8] = []

    mutating func add(_ key: [UInt8], _ value: [UInt8]) {
      var shared = 0
      if count == LevelDBTableWriter.restartInterval {
        restarts.append(UInt32(truncatingIfNeeded: bytes.count))
        count = 0
      } else {
        while shared < min(key.count, lastKey.count), key[shared] == lastKey[shared] { shared += 1 }
      }
      for number in [shared, key.count - shared, value.count] {
        bytes += LevelDBTableWriter.varint(number)
      }
      bytes += key[shared...] + value
      lastKey = key
      count += 1
    }
  }

  /// A table without entries.
  public init() {}

  /// Adds an entry; keys must come in ascending order.
  public mutating func add(_ key: [UInt8], _ value: [UInt8]) {
    block.add(key, value)
    if block.bytes.count >= Self.blockSize { finishBlock() }
  }

  /// The table's bytes.
  public consuming func finish() -> [UInt8] {
    if !block.bytes.isEmpty { finishBlock() }
    let meta = append(Block())
    let index = append(index)
    var footer = Self.varint(meta.offset) + Self.varint(meta.size)
    footer += Self.varint(index.offset) + Self.varint(index.size)
    footer += [UInt8](repeating: 0, count: 40 - footer.count)
    for shift in stride(from: UInt64(0), to: 64, by: 8) {
      footer.append(UInt8(truncatingIfNeeded: LevelDBTable.magic >> shift))
    }
    return file + footer
  }

  private mutating func finishBlock() {
    let handle = append(block)
    // The last key of a block is at least all its keys and less than those of the next.
    index.add(block.lastKey, Self.varint(handle.offset) + Self.varint(handle.size))
    block = Block()
  }

  private mutating func append(_ block: Block) -> LevelDBTable.Handle {
    var content = block.bytes
    for number in block.restarts + [UInt32(block.restarts.count)] { content += Self.bytes(number) }
    let handle = LevelDBTable.Handle(offset: file.count, size: content.count)
    content.append(0)
    let checksum = CRC32C.masked(CRC32C.checksum(ByteView(content)))
    file += content + Self.bytes(checksum)
    return handle
  }

  private static func bytes(_ number: UInt32) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * UInt32($0))) }
  }

  fileprivate static func varint(_ value: Int) -> [UInt8] {
    var rest = UInt64(value)
    var bytes: [UInt8] = []
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    return bytes + [UInt8(rest)]
  }
}
