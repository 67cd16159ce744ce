import AssayBase

/// One message of an object header: what kind of fact, and its bytes.
struct HDF5Message: Sendable {
  /// The kinds that this reader understands.
  enum Kind: Int {
    case dataspace = 0x01
    case linkInfo = 0x02
    case datatype = 0x03
    case fillValue = 0x05
    case link = 0x06
    case externalFiles = 0x07
    case layout = 0x08
    case filters = 0x0B
    case attribute = 0x0C
    case continuation = 0x10
    case symbolTable = 0x11
    case attributeInfo = 0x15
  }

  var kind: Kind
  var bytes: ByteView
}

extension HDF5Source {
  /// The messages of the object header at `address`, shared ones resolved.
  func messages(at address: Int, depth: Int = 0) throws -> [HDF5Message] {
    var reader = HDF5HeaderReader(source: self, depth: depth)
    try reader.read(at: address)
    return reader.messages
  }
}

/// Collects the messages of one object header and its continuations.
private struct HDF5HeaderReader {
  let source: HDF5Source
  let depth: Int
  var messages: [HDF5Message] = []
  private var blocks: [(offset: Int, count: Int)] = []
  private var seen: Set<Int> = []

  init(source: HDF5Source, depth: Int) {
    self.source = source
    self.depth = depth
  }

  mutating func read(at address: Int) throws {
    guard depth < 4 else { throw HDF5.broken("messages share one another too deeply") }
    let isNew = try source.bytes.slice(address, 4).starts(with: Array("OHDR".utf8))
    if isNew { try readNew(at: address) } else { try readOld(at: address) }
  }

  private mutating func readOld(at address: Int) throws {
    var cursor = source.cursor(at: address)
    _ = try cursor.version(1...1, of: "an object header")
    cursor.skip(7)
    let count = try cursor.int(4)
    try push(address + 16, count)
    while let block = blocks.popLast() {
      var cursor = source.cursor(over: try source.bytes.slice(block.offset, block.count))
      while cursor.offset + 8 <= block.count {
        let type = try cursor.int(2)
        let count = try cursor.int(2)
        let flags = try cursor.int(1)
        cursor.skip(3)
        try add(type, flags, try cursor.take(count))
      }
    }
  }

  private mutating func readNew(at address: Int) throws {
    var cursor = source.cursor(at: address)
    try cursor.expect("OHDR")
    _ = try cursor.version(2...2, of: "an object header")
    let headerFlags = try cursor.int(1)
    if headerFlags & 0x20 != 0 { cursor.skip(16) }
    if headerFlags & 0x10 != 0 { cursor.skip(4) }
    let count = try cursor.int(1 << (headerFlags & 3))
    try push(cursor.offset, count)
    let prefix = headerFlags & 4 != 0 ? 6 : 4
    while let block = blocks.popLast() {
      var cursor = source.cursor(over: try source.bytes.slice(block.offset, block.count))
      while cursor.offset + prefix <= block.count {
        let type = try cursor.int(1)
        let count = try cursor.int(2)
        let flags = try cursor.int(1)
        if prefix == 6 { cursor.skip(2) }
        try add(type, flags, try cursor.take(count), isNew: true)
      }
    }
  }

  private mutating func push(_ offset: Int, _ count: Int) throws {
    guard seen.insert(offset).inserted else {
      throw HDF5.broken("an object header continues in itself")
    }
    blocks.append((offset, count))
  }

  private mutating func add(
    _ type: Int,
    _ flags: Int,
    _ bytes: ByteView,
    isNew: Bool = false
  )
    throws
  {
    guard let kind = HDF5Message.Kind(rawValue: type) else { return }
    if kind == .continuation {
      var cursor = source.cursor(over: bytes)
      let offset = try cursor.definedAddress()
      let count = try cursor.length()
      guard isNew else { return try push(offset, count) }
      var block = source.cursor(at: offset)
      try block.expect("OCHK")
      guard count >= 8 else { throw HDF5.broken("a continuation is too short") }
      return try push(offset + 4, count - 8)
    }
    guard messages.count < 1 << 20 else { throw HDF5.broken("too many messages") }
    guard flags & 2 != 0 else { return messages.append(HDF5Message(kind: kind, bytes: bytes)) }
    messages.append(try source.sharedMessage(kind, bytes, depth: depth))
  }
}

extension HDF5Source {
  /// The message that lies in another object (a committed datatype).
  func sharedMessage(
    _ kind: HDF5Message.Kind,
    _ reference: ByteView,
    depth: Int
  ) throws -> HDF5Message {
    var cursor = cursor(over: reference)
    let version = try cursor.version(1...3, of: "a shared message")
    let type = try cursor.int(1)
    if version == 1 { cursor.skip(6) }
    guard version < 3 || type == 2 else {
      throw Diagnostic("HDF005", "messages in a shared heap are not read")
    }
    let address = try cursor.definedAddress()
    let found = try messages(at: address, depth: depth + 1).first { $0.kind == kind }
    guard let found else { throw HDF5.broken("a shared message is not where it should be") }
    return found
  }
}
