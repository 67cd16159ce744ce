import AssayBase
import AssayCodec
import AssayTensor
import AssayTensorFlow

/// A checkpoint of TensorFlow's second format: a table of entries, `<prefix>.index`, and the elements in
/// `<prefix>.data-00000-of-00001` and so on.
///
/// Format: tensorflow/core/util/tensor_bundle (BundleHeaderProto, BundleEntryProto). Faults are
/// `Diagnostic`s TFG041 (not a bundle), TFG042 (damaged), TFG043 (a type that no Tensor has).
public struct TensorBundle: Checkpoint {
  /// Where a value lies.
  private struct Entry {
    var dtype: TFDataType = .invalid
    var shape = TFShape([])
    var shard = 0
    var offset = 0
    var size = 0
    var checksum: UInt32?
    var slices: [ByteView] = []
  }

  private var entries: [String: ByteView] = [:]
  /// Entries whose names are no text: the parts of variables that were saved in several.
  private var parts: [[UInt8]: ByteView] = [:]
  private let shards: [ByteView]

  public var names: [String] { entries.keys.sorted() }

  /// Reads a bundle's index.
  ///
  /// - Parameters:
  ///   - index: the bytes of `<prefix>.index`.
  ///   - shard: opens the file of elements with this number of so many.
  ///   - verifiesChecksums: whether damage of the index is looked for.
  public init(
    index: ByteView,
    verifiesChecksums: Bool = true,
    shard: (Int, Int) throws -> ByteView
  ) throws {
    var shardCount: Int64?
    for entry in try LevelDBTable(index, verifiesChecksums: verifiesChecksums).entries {
      if entry.key.isEmpty {
        shardCount = try Self.header(entry.value)
      } else if entry.key[0] == 0 {
        parts[entry.key] = entry.value
      } else if let name = String(validating: entry.key, as: UTF8.self) {
        entries[name] = entry.value
      }
    }
    guard let shardCount, (1...4096).contains(shardCount) else {
      throw Diagnostic("TFG041", "the table is no index of a checkpoint")
    }
    shards = try (0..<Int(shardCount)).map { try shard($0, Int(shardCount)) }
  }

  /// The number of files of elements.
  private static func header(_ bytes: ByteView) throws -> Int64 {
    var reader = ProtobufReader(bytes)
    var count: Int64 = 0
    while let field = try reader.next() {
      if field.number == 1 { count = try field.integer() }
      if field.number == 2, try field.integer() != 0 {
        throw Diagnostic("TFG041", "the checkpoint was saved on a big-endian machine")
      }
    }
    return count
  }

  private func entry(_ bytes: ByteView) throws -> Entry {
    var entry = Entry()
    var reader = ProtobufReader(bytes)
    func bounded(_ value: Int64) throws -> Int {
      guard value >= 0, value < 1 << 46 else { throw damaged("it lies at \(value)") }
      return Int(value)
    }
    while let field = try reader.next() {
      switch field.number {
      case 1: entry.dtype = TFDataType(number: try field.integer())
      case 2: entry.shape = try TFShape(reading: try reader.message(field))
      case 3: entry.shard = try bounded(try field.integer())
      case 4: entry.offset = try bounded(try field.integer())
      case 5: entry.size = try bounded(try field.integer())
      case 6:
        guard case .fixed32(let value) = field.payload else { throw damaged("no checksum") }
        entry.checksum = value
      case 7: entry.slices.append(try field.bytes())
      default: break
      }
    }
    return entry
  }

  private func damaged(_ what: String) -> Diagnostic {
    Diagnostic("TFG042", "a value of the checkpoint is damaged: \(what)")
  }

  public func tensor(_ name: String) throws -> Tensor? {
    guard let bytes = entries[name] else { return nil }
    return try locating("variable '\(name)'") {
      let entry = try entry(bytes)
      guard let dtype = entry.dtype.dtype, dtype != .string else {
        throw Diagnostic("TFG043", "variables of type \(entry.dtype) are not supported")
      }
      guard let shape = try entry.shape.shape(), shape.isStatic else {
        throw damaged("its shape is not known")
      }
      let type = TensorType(dtype, shape)
      if entry.slices.isEmpty { return try load(entry, type) }
      var whole = try PartitionedTensor(type)
      for bytes in entry.slices {
        let slice = try CheckpointSlice(reading: ProtobufReader(bytes), of: shape)
        guard let part = parts[Self.key(name, slice)] else {
          throw damaged("a part of it is not there")
        }
        try whole.place(try load(try self.entry(part), TensorType(dtype, slice.shape)), at: slice)
      }
      return try whole.finish()
    }
  }

  /// The bytes of a text: its length, a checksum of that, and the text itself.
  public func text(_ name: String) throws -> ByteView? {
    guard let bytes = entries[name] else { return nil }
    return try locating("variable '\(name)'") {
      let entry = try entry(bytes)
      guard entry.dtype == .string, shards.indices.contains(entry.shard) else { return nil }
      let shard = shards[entry.shard]
      guard entry.size <= shard.count, entry.offset <= shard.count - entry.size else {
        throw damaged("\(entry.size) bytes at \(entry.offset) of \(shard.count)")
      }
      let stored = try shard.slice(entry.offset, entry.size)
      var length = 0
      for position in 0..<5 {
        let byte = try stored.load(UInt8.self, at: position)
        length |= Int(byte & 0x7F) << (7 * position)
        if byte < 0x80 {
          guard position + 5 + length == stored.count else { throw damaged("its length is wrong") }
          return try stored.slice(position + 5, length)
        }
      }
      throw damaged("its length is too large")
    }
  }

  private func load(_ entry: Entry, _ type: TensorType) throws -> Tensor {
    guard shards.indices.contains(entry.shard) else { throw damaged("its file is not there") }
    let shard = shards[entry.shard]
    guard entry.size == type.byteCount, entry.size <= shard.count,
      entry.offset <= shard.count - entry.size
    else { throw damaged("\(type) in \(entry.size) bytes at \(entry.offset) of \(shard.count)") }
    let bytes = try shard.slice(entry.offset, entry.size)
    if let stored = entry.checksum, CRC32C.masked(CRC32C.checksum(bytes)) != stored {
      throw damaged("its checksum is wrong")
    }
    return try Tensor(type, bytes: bytes)
  }

  // MARK: - Keys of parts

  /// The key under which a part is kept: its name and place in LevelDB's ordered code
  /// (tensorflow/core/lib/strings/ordered_code.h).
  private static func key(_ name: String, _ slice: CheckpointSlice) -> [UInt8] {
    var key: [UInt8] = [0]
    for byte in name.utf8 {
      switch byte {
      case 0: key += [0, 0xFF]
      case 0xFF: key += [0xFF, 0]
      default: key.append(byte)
      }
    }
    key += [0, 1]
    key += [1, UInt8(truncatingIfNeeded: slice.ranges.count)]
    for range in slice.ranges {
      key += ordered(range.start)
      key += ordered(range.isOpen ? -1 : range.count)
    }
    return key
  }

  /// A signed number so that the order of bytes is that of numbers; small ones take one byte.
  private static func ordered(_ value: Int) -> [UInt8] {
    let magnitude = UInt64(bitPattern: Int64(value < 0 ? ~value : value))
    let bits = 64 - magnitude.leadingZeroBitCount
    let length = min(bits / 7 + 1, 10)
    let sign: UInt8 = value < 0 ? 0xFF : 0
    var bytes = [sign, sign]
    for shift in stride(from: UInt64(56), through: 0, by: -8) {
      bytes.append(UInt8(truncatingIfNeeded: UInt64(bitPattern: Int64(value)) >> shift))
    }
    bytes = Array(bytes.suffix(length))
    // As many leading ones as there are bytes, below the sign.
    for bit in 0..<length { bytes[bit / 8] ^= 0x80 >> UInt8(bit % 8) }
    return bytes
  }
}
