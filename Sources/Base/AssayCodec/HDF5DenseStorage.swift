import AssayBase

extension HDF5Source {
  /// The records of a version 2 B-tree, in order.
  func records(ofTreeAt address: Int, type: Int) throws -> [ByteView] {
    try HDF5Tree2(at: address, type: type, in: self).records()
  }
}

/// A version 2 B-tree.
private struct HDF5Tree2 {
  let source: HDF5Source
  let type: Int
  let recordSize: Int
  let depth: Int
  let root: Int?
  let rootCount: Int
  /// Bytes of a node's number of records in its parent.
  let countWidth: Int
  /// Bytes of a subtree's number of records in its parent, by the subtree's depth.
  let totalWidths: [Int]

  init(at address: Int, type: Int, in source: HDF5Source) throws {
    self.source = source
    self.type = type
    var cursor = source.cursor(at: address)
    try cursor.expect("BTHD")
    _ = try cursor.version(0...0, of: "a tree")
    guard try cursor.int(1) == type else { throw HDF5.broken("a tree is of another type") }
    let nodeSize = try cursor.int(4)
    recordSize = try cursor.int(2)
    depth = try cursor.int(2)
    cursor.skip(2)
    root = try cursor.address()
    rootCount = try cursor.int(2)
    guard recordSize > 0, nodeSize > 10 + recordSize, depth <= 16 else {
      throw HDF5.broken("a tree's header is malformed")
    }
    // How many records fit a node decides how wide the parents' counts are.
    let leafCapacity = (nodeSize - 10) / recordSize
    countWidth = HDF5.width(of: leafCapacity)
    var widths = [0]
    var total = leafCapacity
    for level in 0..<depth {
      let pointer = source.addressWidth + countWidth + widths[level]
      let capacity = max(0, (nodeSize - 10 - pointer) / (recordSize + pointer))
      let (product, overflow) = (capacity + 1).multipliedReportingOverflow(by: total)
      guard !overflow, product < 1 << 60 else { throw HDF5.broken("a tree is too deep") }
      total = product + capacity
      widths.append(HDF5.width(of: total))
    }
    totalWidths = widths
  }

  func records() throws -> [ByteView] {
    var result: [ByteView] = []
    guard let root else { return [] }
    try visit(root, count: rootCount, depth: depth, into: &result)
    return result
  }

  private func visit(
    _ address: Int,
    count: Int,
    depth: Int,
    into result: inout [ByteView]
  ) throws {
    guard result.count <= source.bytes.count / recordSize else { throw HDF5.broken("a tree loops") }
    var cursor = source.cursor(at: address)
    try cursor.expect(depth == 0 ? "BTLF" : "BTIN")
    _ = try cursor.version(0...0, of: "a tree's node")
    guard try cursor.int(1) == type else { throw HDF5.broken("a tree is of another type") }
    let (byteCount, overflow) = count.multipliedReportingOverflow(by: recordSize)
    guard !overflow, byteCount <= source.bytes.count else {
      throw HDF5.broken("a tree's node is too large")
    }
    var records = source.cursor(over: try cursor.take(byteCount))
    guard depth > 0 else {
      for _ in 0..<count { result.append(try records.take(recordSize)) }
      return
    }
    // An inner node without records would let a loop go unnoticed.
    guard count > 0 else { throw HDF5.broken("a tree's inner node is empty") }
    for index in 0...count {
      let child = try cursor.definedAddress()
      let childCount = try cursor.int(countWidth)
      cursor.skip(totalWidths[depth - 1])
      try visit(child, count: childCount, depth: depth - 1, into: &result)
      if index < count { result.append(try records.take(recordSize)) }
    }
  }
}

/// A fractal heap: many small objects in blocks whose sizes double.
struct HDF5FractalHeap {
  private let source: HDF5Source
  private let hasFilters: Bool
  private let tableWidth: Int
  private let startSize: Int
  private let largestDirect: Int
  private let offsetWidth: Int
  private let lengthWidth: Int
  private let idWidth: Int
  /// Where the objects are listed that are too large for a block.
  private let hugeTree: Int?
  private let rootAddress: Int?
  private let rootRows: Int

  init(at address: Int, in source: HDF5Source) throws {
    self.source = source
    var cursor = source.cursor(at: address)
    try cursor.expect("FRHP")
    _ = try cursor.version(0...0, of: "a heap")
    idWidth = try cursor.int(2)
    hasFilters = try cursor.int(2) != 0
    cursor.skip(1)
    let largestManaged = try cursor.int(4)
    cursor.skip(source.lengthWidth)
    hugeTree = try cursor.address()
    cursor.skip(source.lengthWidth + source.addressWidth)
    cursor.skip(8 * source.lengthWidth)
    tableWidth = try cursor.int(2)
    startSize = try cursor.length()
    largestDirect = try cursor.length()
    let bits = try cursor.int(2)
    cursor.skip(2)
    rootAddress = try cursor.address()
    rootRows = try cursor.int(2)
    offsetWidth = (bits + 7) / 8
    lengthWidth = HDF5.width(of: min(largestManaged, largestDirect))
    guard tableWidth > 0, startSize > 0, largestDirect >= startSize, largestDirect < 1 << 40,
      bits <= 64, rootRows <= 64, tableWidth.nonzeroBitCount == 1,
      startSize.nonzeroBitCount == 1, largestDirect.nonzeroBitCount == 1
    else { throw HDF5.broken("a heap's header is malformed") }
  }

  /// The object of an ID.
  func object(_ id: ByteView) throws -> ByteView {
    var cursor = source.cursor(over: try id.slice(0, idWidth))
    let head = try cursor.int(1)
    switch head >> 4 & 3 {
    case 0:
      let offset = try cursor.int(offsetWidth)
      return try managed(offset, try cursor.int(lengthWidth))
    case 1: return try huge(cursor)
    case 2 where idWidth <= 17: return try cursor.take((head & 15) + 1)
    case 2: return try cursor.take((head & 15) << 8 + cursor.int(1) + 1)
    default: throw HDF5.broken("an object of a heap is of an unknown kind")
    }
  }

  private func huge(_ id: HDF5Cursor) throws -> ByteView {
    var id = id
    guard !hasFilters else { throw Diagnostic("HDF005", "heaps with filters are not read") }
    let direct = source.addressWidth + source.lengthWidth
    if idWidth > direct {
      return try source.bytes.slice(id.definedAddress(), id.length())
    }
    let key = try id.int(min(source.lengthWidth, idWidth - 1))
    guard let hugeTree else { throw HDF5.broken("a heap has no large objects") }
    for record in try source.records(ofTreeAt: hugeTree, type: 1) {
      var cursor = source.cursor(over: record)
      let address = try cursor.definedAddress()
      let count = try cursor.length()
      if try cursor.length() == key { return try source.bytes.slice(address, count) }
    }
    throw HDF5.broken("a large object is missing from its heap")
  }

  private func managed(_ offset: Int, _ count: Int) throws -> ByteView {
    guard !hasFilters else { throw Diagnostic("HDF005", "heaps with filters are not read") }
    guard var address = rootAddress else { throw HDF5.broken("a heap is empty") }
    var (base, rows, size) = (0, rootRows, startSize)
    // Each round goes from an indirect block to one of its children, which is smaller.
    while rows > 0 {
      guard let place = try child(of: address, base: base, rows: rows, containing: offset) else {
        throw HDF5.broken("an object lies outside its heap")
      }
      (address, base, rows, size) = place
    }
    guard offset >= base, offset - base <= size, count <= size - (offset - base) else {
      throw HDF5.broken("an object lies outside its heap")
    }
    var block = source.cursor(at: address)
    try block.expect("FHDB")
    return try source.bytes.slice(address + (offset - base), count)
  }

  private func child(
    of address: Int,
    base: Int,
    rows: Int,
    containing offset: Int
  ) throws -> (address: Int, base: Int, rows: Int, size: Int)? {
    var cursor = source.cursor(at: address)
    try cursor.expect("FHIB")
    cursor.skip(1 + source.addressWidth + offsetWidth)
    var start = base
    for row in 0..<rows {
      let (size, overflow) = startSize.multipliedReportingOverflow(by: 1 << max(0, row - 1))
      let (extent, overflow2) = size.multipliedReportingOverflow(by: tableWidth)
      guard !overflow, !overflow2, extent < 1 << 61 else {
        throw HDF5.broken("a heap is too large")
      }
      guard offset >= start + extent else {
        let index = (offset - start) / size
        cursor.skip(index * source.addressWidth)
        guard let found = try cursor.address() else { return nil }
        return (found, start + index * size, size > largestDirect ? self.rows(of: size) : 0, size)
      }
      start += extent
      cursor.skip(tableWidth * source.addressWidth)
    }
    return nil
  }

  /// The rows of an indirect block that stands for `size` bytes.
  private func rows(of size: Int) -> Int {
    let first = startSize * tableWidth
    return (Int.bitWidth - size.leadingZeroBitCount) - (Int.bitWidth - first.leadingZeroBitCount)
      + 1
  }
}
