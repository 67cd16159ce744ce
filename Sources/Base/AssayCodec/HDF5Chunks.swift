import AssayBase
import AssayTensor

/// A chunk of a dataset in the file.
private struct HDF5Chunk {
  /// The first element's position along each axis.
  var origin: [Int]
  var address: Int
  /// Bytes in the file.
  var byteCount: Int
  /// The filters that were left out, one bit each.
  var skippedFilters: Int
}

extension HDF5LayoutReader {
  /// Chunks indexed by a version 1 B-tree (layouts of version 3).
  func readChunks(_ cursor: inout HDF5Cursor) throws -> ByteView {
    let rank = try cursor.int(1)
    let address = try cursor.address()
    return try readChunks(&cursor, rank: rank, treeAddress: address)
  }

  /// The same; `rank` counts the bytes of an element as an axis.
  func readChunks(
    _ cursor: inout HDF5Cursor,
    rank: Int,
    treeAddress: Int?
  ) throws -> ByteView {
    guard rank == shape.rank + 1 else { throw HDF5.broken("chunks of \(rank - 1) axes") }
    let extents = try (0..<shape.rank).map { _ in try cursor.int(4) }
    let grid = try HDF5ChunkGrid(shape: shape, extents: extents, elementSize: elementSize)
    guard let treeAddress else { return try filled() }
    var seen: Set<Int> = []
    return try assemble(grid) { place in
      try visitTree(treeAddress, level: nil, rank: rank, seen: &seen, place)
    }
  }

  private func visitTree(
    _ address: Int,
    level expected: Int?,
    rank: Int,
    seen: inout Set<Int>,
    _ place: (HDF5Chunk) throws -> Void
  ) throws {
    guard seen.insert(address).inserted else { throw HDF5.broken("the tree of chunks loops") }
    var cursor = source.cursor(at: address)
    try cursor.expect("TREE")
    let type = try cursor.int(1)
    let level = try cursor.int(1)
    guard type == 1, expected == nil || level == expected, level < 16 else {
      throw HDF5.broken("the tree of chunks is malformed")
    }
    let count = try cursor.int(2)
    cursor.skip(2 * source.addressWidth)
    for _ in 0..<count {
      let byteCount = try cursor.int(4)
      let skipped = try cursor.int(4)
      let origin = try (0..<rank).map { _ in try cursor.int(8) }
      let child = try cursor.definedAddress()
      if level > 0 {
        try visitTree(child, level: level - 1, rank: rank, seen: &seen, place)
      } else {
        let chunk = HDF5Chunk(
          origin: Array(origin.dropLast()),
          address: child,
          byteCount: byteCount,
          skippedFilters: skipped
        )
        try place(chunk)
      }
    }
  }

  /// Chunks indexed as layouts of version 4 do it.
  func readIndexedChunks(_ cursor: inout HDF5Cursor) throws -> ByteView {
    let flags = try cursor.int(1)
    let rank = try cursor.int(1)
    let width = try cursor.int(1)
    guard rank == shape.rank + 1, (1...8).contains(width) else {
      throw HDF5.broken("chunks of \(rank - 1) axes")
    }
    let extents = try (0..<shape.rank).map { _ in try cursor.int(width) }
    _ = try cursor.int(width)
    let grid = try HDF5ChunkGrid(shape: shape, extents: extents, elementSize: elementSize)
    switch try cursor.int(1) {
    case 1:
      let isFiltered = flags & 2 != 0
      let byteCount = isFiltered ? try cursor.length() : grid.chunkByteCount
      let skipped = isFiltered ? try cursor.int(4) : 0
      guard let address = try cursor.address() else { return try filled() }
      return try assemble(grid) { place in
        try place(
          HDF5Chunk(
            origin: grid.origin(0),
            address: address,
            byteCount: byteCount,
            skippedFilters: skipped
          )
        )
      }
    case 2:
      guard let address = try cursor.address() else { return try filled() }
      return try assemble(grid) { place in
        for index in 0..<grid.count {
          try place(
            HDF5Chunk(
              origin: grid.origin(index),
              address: address + index * grid.chunkByteCount,
              byteCount: grid.chunkByteCount,
              skippedFilters: 0
            )
          )
        }
      }
    case 3:
      cursor.skip(1)
      guard let address = try cursor.address() else { return try filled() }
      return try assemble(grid) { try visitFixedArray(address, grid, $0) }
    default:
      throw Diagnostic(
        "HDF005",
        "datasets that can grow, in the newest layout, are not read",
        remedy: "save the dataset with fixed extents, or with libver='earliest'"
      )
    }
  }

  private func visitFixedArray(
    _ address: Int,
    _ grid: HDF5ChunkGrid,
    _ place: (HDF5Chunk) throws -> Void
  ) throws {
    var header = source.cursor(at: address)
    try header.expect("FAHD")
    _ = try header.version(0...0, of: "an index of chunks")
    let isFiltered = try header.int(1) == 1
    let entrySize = try header.int(1)
    let pageBits = try header.int(1)
    let count = try header.length()
    let sizeWidth = entrySize - source.addressWidth - 4
    guard count == grid.count, pageBits < 32,
      isFiltered ? (1...8).contains(sizeWidth) : entrySize == source.addressWidth
    else { throw HDF5.broken("an index of chunks is malformed") }
    guard let blockAddress = try header.address() else { return }
    var cursor = source.cursor(at: blockAddress)
    try cursor.expect("FADB")
    cursor.skip(2 + source.addressWidth)
    let pageSize = 1 << pageBits
    let isPaged = count > pageSize
    var written = ByteView([UInt8]())
    if isPaged {
      written = try cursor.take(((count - 1) / pageSize + 8) / 8)
      cursor.skip(4)
    }
    for index in 0..<count {
      if isPaged, index % pageSize == 0 {
        if index > 0 { cursor.skip(4) }
        let page = index / pageSize
        // Pages that were never written keep their place.
        _ = try written.load(UInt8.self, at: page / 8)
      }
      let chunkAddress = try cursor.address()
      let byteCount = isFiltered ? try cursor.int(sizeWidth) : grid.chunkByteCount
      let skipped = isFiltered ? try cursor.int(4) : 0
      if isPaged {
        let page = index / pageSize
        guard try written.load(UInt8.self, at: page / 8) >> UInt8(7 - page % 8) & 1 == 1 else {
          continue
        }
      }
      guard let chunkAddress else { continue }
      try place(
        HDF5Chunk(
          origin: grid.origin(index),
          address: chunkAddress,
          byteCount: byteCount,
          skippedFilters: skipped
        )
      )
    }
  }

  /// Puts the chunks that `visit` hands over where they belong.
  private func assemble(
    _ grid: HDF5ChunkGrid,
    _ visit: ((HDF5Chunk) throws -> Void) throws -> Void
  ) throws -> ByteView {
    try checkLimit()
    guard byteCount > 0 else { return ByteView([UInt8]()) }
    let background = try fill == nil ? nil : filled()
    return try unsafe ByteView(byteCount: byteCount) { target in
      if let background {
        unsafe background.withUnsafeBytes { unsafe target.copyMemory(from: $0) }
      }
      var remaining = grid.count
      try visit { chunk in
        guard remaining > 0 else { throw HDF5.broken("there are too many chunks") }
        remaining -= 1
        let stored = try source.bytes.slice(chunk.address, chunk.byteCount)
        let bytes = try filters.undo(
          stored,
          skipped: chunk.skippedFilters,
          byteCount: grid.chunkByteCount
        )
        try unsafe bytes.withUnsafeBytes {
          try unsafe grid.copy($0, at: chunk.origin, to: target)
        }
      }
    }
  }
}

/// How a dataset is cut into chunks.
private struct HDF5ChunkGrid {
  let shape: Shape
  let extents: [Int]
  let elementSize: Int
  /// Bytes of a whole chunk; those at the border are whole, too.
  let chunkByteCount: Int
  /// Chunks along each axis.
  let counts: [Int]
  /// Chunks in all.
  let count: Int

  init(shape: Shape, extents: [Int], elementSize: Int) throws {
    guard extents.allSatisfy({ $0 > 0 }), let elements = Shape(extents).elementCount else {
      throw HDF5.broken("chunks of \(Shape(extents))")
    }
    let (byteCount, overflow) = elements.multipliedReportingOverflow(by: elementSize)
    // The format keeps the size of a chunk in 32 bits.
    guard !overflow, byteCount < 1 << 32 else { throw HDF5.broken("chunks of \(byteCount) bytes") }
    self.shape = shape
    self.extents = extents
    self.elementSize = elementSize
    chunkByteCount = byteCount
    counts = zip(shape.dims, extents).map { ($0 + $1 - 1) / $1 }
    guard let count = Shape(counts).elementCount else { throw HDF5.broken("too many chunks") }
    self.count = count
  }

  /// The position of the first element of a chunk, counted in row-major order.
  func origin(_ index: Int) -> [Int] {
    zip(Shape(counts).strides, zip(counts, extents)).map { stride, axis in
      index / stride % axis.0 * axis.1
    }
  }

  /// Copies the part of a chunk that lies inside the dataset, row by row.
  func copy(
    _ chunk: UnsafeRawBufferPointer,
    at origin: [Int],
    to target: UnsafeMutableRawBufferPointer
  ) throws {
    let rank = shape.rank
    guard origin.count == rank, zip(origin, shape.dims).allSatisfy({ $0 < $1 }),
      zip(origin, extents).allSatisfy({ $0 % $1 == 0 })
    else { throw HDF5.broken("a chunk lies outside its dataset") }
    let inside = (0..<rank).map { min(extents[$0], shape.dims[$0] - origin[$0]) }
    guard rank > 0, let from = chunk.baseAddress, let to = target.baseAddress else { return }
    let (targetSteps, chunkSteps) = (shape.strides, Shape(extents).strides)
    let rowBytes = inside[rank - 1] * elementSize
    var position = [Int](repeating: 0, count: rank - 1)
    while true {
      var (source, place) = (0, origin[rank - 1])
      for axis in 0..<rank - 1 {
        source += position[axis] * chunkSteps[axis]
        place += (origin[axis] + position[axis]) * targetSteps[axis]
      }
      unsafe (to + place * elementSize).copyMemory(
        from: from + source * elementSize,
        byteCount: rowBytes
      )
      var axis = rank - 2
      while axis >= 0 {
        position[axis] += 1
        if position[axis] < inside[axis] { break }
        position[axis] = 0
        axis -= 1
      }
      if axis < 0 { return }
    }
  }
}
