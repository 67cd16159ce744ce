import AssayBase

extension HDF5Source {
  /// The members of a group with these messages; none for a dataset.
  func links(_ messages: [HDF5Message]) throws -> [(name: String, link: HDF5Link)] {
    var result: [(name: String, link: HDF5Link)] = []
    for message in messages {
      var cursor = cursor(over: message.bytes)
      switch message.kind {
      case .symbolTable:
        guard let tree = try cursor.address() else { continue }
        let heap = try localHeap(at: cursor.definedAddress())
        for table in try leaves(ofTreeAt: tree) {
          try readSymbols(at: table, heap: heap, into: &result)
        }
      case .link:
        result.append(try readLink(&cursor))
      case .linkInfo:
        _ = try cursor.version(0...0, of: "a group's links")
        let flags = try cursor.int(1)
        if flags & 1 != 0 { cursor.skip(8) }
        guard let heapAddress = try cursor.address(), let tree = try cursor.address() else {
          continue
        }
        let heap = try HDF5FractalHeap(at: heapAddress, in: self)
        // A record of the index by name: the name's hash, then the heap's ID.
        for record in try records(ofTreeAt: tree, type: 5) {
          var link = self.cursor(over: try heap.object(record.dropFirst(4)))
          result.append(try readLink(&link))
        }
      default: break
      }
    }
    return result
  }

  /// The data segment of the heap that holds the names of a symbol table.
  private func localHeap(at address: Int) throws -> ByteView {
    var cursor = cursor(at: address)
    try cursor.expect("HEAP")
    cursor.skip(4)
    let count = try cursor.length()
    _ = try cursor.length()
    return try bytes.slice(cursor.definedAddress(), count)
  }

  /// The symbol table nodes of a version 1 B-tree, in order.
  private func leaves(ofTreeAt address: Int) throws -> [Int] {
    var leaves: [Int] = []
    var seen: Set<Int> = []
    func visit(_ address: Int, level expected: Int?) throws {
      guard seen.insert(address).inserted else { throw HDF5.broken("a tree loops") }
      var cursor = cursor(at: address)
      try cursor.expect("TREE")
      let type = try cursor.int(1)
      let level = try cursor.int(1)
      guard type == 0, expected == nil || level == expected else {
        throw HDF5.broken("a group's tree is malformed")
      }
      let count = try cursor.int(2)
      cursor.skip(2 * addressWidth)
      for _ in 0..<count {
        cursor.skip(lengthWidth)
        let child = try cursor.definedAddress()
        if level == 0 { leaves.append(child) } else { try visit(child, level: level - 1) }
      }
    }
    try visit(address, level: nil)
    return leaves
  }

  private func readSymbols(
    at address: Int,
    heap: ByteView,
    into result: inout [(name: String, link: HDF5Link)]
  ) throws {
    var cursor = cursor(at: address)
    try cursor.expect("SNOD")
    cursor.skip(2)
    let count = try cursor.int(2)
    for _ in 0..<count {
      let nameOffset = try cursor.int(addressWidth)
      let target = try cursor.address()
      let cacheType = try cursor.int(4)
      cursor.skip(4)
      let scratch = try cursor.take(16)
      let name = try heap.terminatedText(at: nameOffset)
      if cacheType == 2 {
        let offset = Int(try scratch.load(UInt32.self, at: 0))
        result.append((name, .soft(try heap.terminatedText(at: offset))))
      } else if let target {
        result.append((name, .hard(target)))
      }
      guard result.count <= bytes.count / 8 else { throw HDF5.broken("too many members") }
    }
  }

  private func readLink(_ cursor: inout HDF5Cursor) throws -> (name: String, link: HDF5Link) {
    _ = try cursor.version(1...1, of: "a link")
    let flags = try cursor.int(1)
    let type = flags & 8 != 0 ? try cursor.int(1) : 0
    if flags & 4 != 0 { cursor.skip(8) }
    if flags & 16 != 0 { cursor.skip(1) }
    let nameCount = try cursor.int(1 << (flags & 3))
    let name = String(decoding: try cursor.take(nameCount).array, as: UTF8.self)
    switch type {
    case 0: return (name, .hard(try cursor.definedAddress()))
    case 1:
      let count = try cursor.int(2)
      return (name, .soft(String(decoding: try cursor.take(count).array, as: UTF8.self)))
    default: return (name, .external)
    }
  }
}

extension ByteView {
  /// The text from `offset` to the next zero byte (or the end).
  func terminatedText(at offset: Int) throws -> String {
    let rest = try dropFirst(offset)
    let count = unsafe rest.withUnsafeBytes { unsafe $0.firstIndex(of: 0) ?? $0.count }
    return String(decoding: try rest.slice(0, count).array, as: UTF8.self)
  }
}
