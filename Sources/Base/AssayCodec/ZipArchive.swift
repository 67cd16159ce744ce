import AssayBase

/// A ZIP archive (PKWARE's APPNOTE 6.3), read from its central directory.
///
/// Stored and deflated entries, ZIP64, data descriptors. Stored entries are slices of the archive.
/// The names are safe to use below a folder: none is absolute, climbs out, or comes twice. Entries
/// that overlap, or that stand for more bytes than the budget, are refused.
public struct ZipArchive: Sendable {
  /// One file of the archive.
  public struct Entry: Sendable, Equatable {
    /// The path inside the archive, parts joined by `/`.
    public var name: String
    /// How many bytes it stands for.
    public var byteCount: Int
    /// Whether it is deflated (stored otherwise).
    public var isDeflated: Bool
    fileprivate var packedCount: Int
    fileprivate var checksum: UInt32
    fileprivate var headerOffset: Int
  }

  /// The files in the directory's order; folders are left out.
  public let entries: [Entry]
  private let bytes: ByteView
  private let directoryStart: Int

  /// Whether the bytes begin like a ZIP archive.
  public static func sniff(_ bytes: ByteView) -> Bool {
    bytes.starts(with: [0x50, 0x4B, 3, 4]) || bytes.starts(with: [0x50, 0x4B, 5, 6])
  }

  /// Reads the directory.
  ///
  /// - Parameter limit: the most bytes that all entries together may stand for; by default 64 times
  ///   the archive's size, at least 256 MiB.
  /// - Throws: `Diagnostic` ZIP01x.
  public init(_ bytes: ByteView, limit: Int? = nil) throws {
    let (scaled, overflow) = bytes.count.multipliedReportingOverflow(by: 64)
    let limit = limit ?? max(1 << 28, overflow ? Int.max : scaled)
    let directory = try located { try Directory(bytes) }
    self.bytes = bytes
    directoryStart = directory.offset
    entries = try located { try ZipArchive.entries(of: directory, in: bytes, limit: limit) }
  }

  /// The entry of this name.
  public func entry(_ name: String) -> Entry? { entries.first { $0.name == name } }

  /// The bytes that an entry stands for, checked against its checksum.
  ///
  /// - Throws: `Diagnostic` ZIP01x, ZIP001.
  public func read(_ entry: Entry) throws -> ByteView {
    try locating("entry '\(entry.name)'") {
      let packed = try located { try data(of: entry) }
      let content =
        entry.isDeflated
        ? try Zlib.inflate(packed, wrapping: .raw, count: entry.byteCount) : packed
      guard Zlib.crc32(content) == entry.checksum else {
        throw Diagnostic(
          "ZIP015",
          "the bytes do not have the checksum that the archive gives",
          remedy: "the file was damaged; copy or download it again"
        )
      }
      return content
    }
  }

  private func data(of entry: Entry) throws -> ByteView {
    let start = try ZipArchive.dataOffset(of: entry, in: bytes)
    guard entry.packedCount <= directoryStart, start <= directoryStart - entry.packedCount else {
      throw Diagnostic("ZIP012", "its bytes run into the archive's directory")
    }
    return try bytes.slice(start, entry.packedCount)
  }

  private static func dataOffset(of entry: Entry, in bytes: ByteView) throws -> Int {
    let offset = entry.headerOffset
    guard try bytes.load(UInt32.self, at: offset) == 0x0403_4B50 else {
      throw Diagnostic("ZIP012", "there is no entry where the directory points")
    }
    let nameCount = Int(try bytes.load(UInt16.self, at: offset + 26))
    let extraCount = Int(try bytes.load(UInt16.self, at: offset + 28))
    return offset + 30 + nameCount + extraCount
  }
}

/// Where the central directory lies.
private struct Directory {
  var offset: Int
  var byteCount: Int
  var entryCount: Int

  init(_ bytes: ByteView) throws {
    let end = try Directory.endRecord(in: bytes)
    entryCount = Int(try bytes.load(UInt16.self, at: end + 10))
    byteCount = Int(try bytes.load(UInt32.self, at: end + 12))
    offset = Int(try bytes.load(UInt32.self, at: end + 16))
    var limit = end
    if entryCount == 0xFFFF || byteCount == 0xFFFF_FFFF || offset == 0xFFFF_FFFF, end >= 20,
      try bytes.load(UInt32.self, at: end - 20) == 0x0706_4B50
    {
      let record = try checkedInt(bytes.load(UInt64.self, at: end - 12))
      guard try bytes.load(UInt32.self, at: record) == 0x0606_4B50 else {
        throw Diagnostic("ZIP011", "the ZIP64 directory is not where the archive says")
      }
      entryCount = try checkedInt(bytes.load(UInt64.self, at: record + 32))
      byteCount = try checkedInt(bytes.load(UInt64.self, at: record + 40))
      offset = try checkedInt(bytes.load(UInt64.self, at: record + 48))
      limit = record
    }
    guard byteCount <= limit, offset <= limit - byteCount, entryCount <= byteCount / 46 else {
      throw Diagnostic("ZIP011", "the archive's directory does not fit the file")
    }
  }

  /// The end record: the last one whose comment reaches the end of the file.
  private static func endRecord(in bytes: ByteView) throws -> Int {
    let last = bytes.count - 22
    guard last >= 0 else { throw notZip }
    for offset in stride(from: last, through: max(0, last - 0xFFFF), by: -1) {
      guard try bytes.load(UInt32.self, at: offset) == 0x0605_4B50 else { continue }
      if Int(try bytes.load(UInt16.self, at: offset + 20)) == last - offset { return offset }
    }
    throw notZip
  }

  private static var notZip: Diagnostic {
    Diagnostic(
      "ZIP010",
      "this is not a whole ZIP archive: its directory is missing",
      remedy: "the file may be cut short; copy or download it again"
    )
  }
}

extension ZipArchive {
  fileprivate static func entries(
    of directory: Directory,
    in bytes: ByteView,
    limit: Int
  ) throws -> [Entry] {
    var entries: [Entry] = []
    var names: Set<String> = []
    var total = 0
    var offset = directory.offset
    let end = directory.offset + directory.byteCount
    for index in 0..<directory.entryCount {
      let (entry, next) = try locating("entry \(index)") {
        try located { try readEntry(at: offset, end: end, in: bytes) }
      }
      offset = next
      if entry.name.hasSuffix("/"), entry.byteCount == 0 { continue }
      try locating("entry '\(entry.name)'") {
        try check(name: entry.name)
        guard names.insert(entry.name).inserted else {
          throw Diagnostic("ZIP013", "the archive has two entries of this name")
        }
        let ratio = entry.isDeflated ? Zlib.greatestRatio : 1
        guard entry.byteCount / ratio <= entry.packedCount,
          entry.isDeflated || entry.byteCount == entry.packedCount
        else { throw Diagnostic("ZIP012", "its sizes do not fit one another") }
        guard entry.byteCount <= limit - total else {
          throw Diagnostic(
            "ZIP014",
            "the archive stands for more than \(limit) bytes",
            remedy: "if the file is genuine, store its entries without compression"
          )
        }
        total += entry.byteCount
      }
      entries.append(entry)
    }
    try checkOverlaps(entries, in: bytes)
    return entries
  }

  private static func readEntry(
    at offset: Int,
    end: Int,
    in bytes: ByteView
  ) throws -> (Entry, next: Int) {
    guard offset <= end - 46, try bytes.load(UInt32.self, at: offset) == 0x0201_4B50 else {
      throw Diagnostic("ZIP011", "the archive's directory is broken")
    }
    let flags = try bytes.load(UInt16.self, at: offset + 8)
    let method = try bytes.load(UInt16.self, at: offset + 10)
    let nameCount = Int(try bytes.load(UInt16.self, at: offset + 28))
    let extraCount = Int(try bytes.load(UInt16.self, at: offset + 30))
    let commentCount = Int(try bytes.load(UInt16.self, at: offset + 32))
    let next = offset + 46 + nameCount + extraCount + commentCount
    guard next <= end else {
      throw Diagnostic("ZIP011", "the archive's directory is broken")
    }
    guard let name = try bytes.slice(offset + 46, nameCount).utf8 else {
      throw Diagnostic("ZIP013", "an entry's name is not UTF-8")
    }
    guard flags & 1 == 0 else { throw Diagnostic("ZIP016", "'\(name)' is encrypted") }
    guard method == 0 || method == 8 else {
      throw Diagnostic(
        "ZIP016",
        "'\(name)' is compressed by method \(method)",
        remedy: "store or deflate the entries"
      )
    }
    var entry = Entry(
      name: name,
      byteCount: Int(try bytes.load(UInt32.self, at: offset + 24)),
      isDeflated: method == 8,
      packedCount: Int(try bytes.load(UInt32.self, at: offset + 20)),
      checksum: try bytes.load(UInt32.self, at: offset + 16),
      headerOffset: Int(try bytes.load(UInt32.self, at: offset + 42))
    )
    try widen(&entry, by: bytes.slice(offset + 46 + nameCount, extraCount))
    return (entry, next)
  }

  /// Replaces the numbers that do not fit 32 bits by those of the ZIP64 extra field.
  private static func widen(_ entry: inout Entry, by extra: ByteView) throws {
    let unknown = 0xFFFF_FFFF
    guard
      entry.byteCount == unknown || entry.packedCount == unknown || entry.headerOffset == unknown
    else { return }
    var offset = 0
    while offset + 4 <= extra.count {
      let id = try extra.load(UInt16.self, at: offset)
      let count = Int(try extra.load(UInt16.self, at: offset + 2))
      if id == 1 {
        let field = try extra.slice(offset + 4, count)
        var at = 0
        func take(_ value: inout Int) throws {
          guard value == unknown else { return }
          value = try checkedInt(field.load(UInt64.self, at: at))
          at += 8
        }
        try take(&entry.byteCount)
        try take(&entry.packedCount)
        try take(&entry.headerOffset)
        return
      }
      offset += 4 + count
    }
  }

  private static func check(name: String) throws {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    let isSafe =
      !name.contains("\\") && !name.contains("\0")
      && parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
    guard isSafe else {
      throw Diagnostic("ZIP013", "the name of an entry leaves its folder or is no path")
    }
  }

  private static func checkOverlaps(_ entries: [Entry], in bytes: ByteView) throws {
    var end = 0
    for entry in entries.sorted(by: { $0.headerOffset < $1.headerOffset }) {
      let start = try locating("entry '\(entry.name)'") {
        try located { try dataOffset(of: entry, in: bytes) }
      }
      guard entry.headerOffset >= end, entry.packedCount <= bytes.count - start else {
        throw Diagnostic(
          "ZIP012",
          "its bytes overlap others or leave the file",
          at: ["entry '\(entry.name)'"]
        )
      }
      end = start + entry.packedCount
    }
  }
}

/// A 64-bit number of the file as an offset or count.
private func checkedInt(_ value: UInt64) throws -> Int {
  guard value < 1 << 60 else {
    throw Diagnostic("ZIP011", "an offset or size of the archive is impossible")
  }
  return Int(value)
}

/// Turns an access outside the file into a finding.
private func located<T>(_ body: () throws -> T) throws -> T {
  do { return try body() } catch let error as ByteView.OutOfBounds {
    throw Diagnostic(
      "ZIP011",
      "the archive points outside itself (byte \(error.offset) of \(error.count))",
      remedy: "the file may be cut short; copy or download it again"
    )
  }
}
