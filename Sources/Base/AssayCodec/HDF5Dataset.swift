import AssayBase
import AssayTensor

extension HDF5Object {
  /// The extents of a dataset without its elements; `nil` for a group or an empty dataset.
  public func shape() throws -> Shape? {
    try locating(path) {
      try HDF5.checked { try first(.dataspace).map { try dataspace($0).shape } ?? nil }
    }
  }

  /// The numbers of a dataset.
  ///
  /// A contiguous dataset of little-endian elements is a slice of the file; others are copied.
  ///
  /// - Throws: `Diagnostic` HDF00x; HDF007 when this holds no numbers.
  public func tensor() throws -> Tensor {
    guard case .tensor(let tensor) = try value() else {
      throw Diagnostic("HDF007", "this holds no numbers", at: [path])
    }
    return tensor
  }

  /// What a dataset holds.
  ///
  /// - Throws: `Diagnostic` HDF00x; HDF007 when this is no dataset.
  public func value() throws -> HDF5Value {
    try locating(path) { try HDF5.checked { try readValue() } }
  }

  private func first(_ kind: HDF5Message.Kind) -> HDF5Message? {
    messages.first { $0.kind == kind }
  }

  private func dataspace(_ message: HDF5Message) throws -> HDF5Dataspace {
    var cursor = file.source.cursor(over: message.bytes)
    return try HDF5Dataspace(&cursor)
  }

  private func readValue() throws -> HDF5Value {
    guard let space = first(.dataspace), let type = first(.datatype), let layout = first(.layout)
    else { throw Diagnostic("HDF007", "this is no dataset") }
    guard first(.externalFiles) == nil else {
      throw Diagnostic("HDF005", "elements in other files are not read")
    }
    guard let shape = try dataspace(space).shape else { return .empty }
    var cursor = file.source.cursor(over: type.bytes)
    let datatype = try HDF5Datatype(&cursor)
    if case .other(let what) = datatype.kind { return .unsupported(what) }
    guard let count = shape.elementCount else { throw HDF5.broken("extents \(shape)") }
    let (byteCount, overflow) = count.multipliedReportingOverflow(by: datatype.byteCount)
    guard !overflow else { throw HDF5.broken("extents \(shape)") }
    let reader = HDF5LayoutReader(
      source: file.source,
      shape: shape,
      elementSize: datatype.byteCount,
      byteCount: byteCount,
      filters: try first(.filters).map { try HDF5Filters($0.bytes, in: file.source) }
        ?? HDF5Filters(),
      fill: try first(.fillValue).flatMap { try fillValue($0) }
    )
    return try file.source.value(of: datatype, shape, try reader.read(layout.bytes))
  }

  /// The bytes of the element that stands where nothing was written; `nil` for zeros.
  private func fillValue(_ message: HDF5Message) throws -> ByteView? {
    var cursor = file.source.cursor(over: message.bytes)
    let version = try cursor.version(1...3, of: "a fill value")
    if version < 3 {
      cursor.skip(2)
      guard try cursor.int(1) != 0 || version == 1 else { return nil }
    } else if try cursor.int(1) & 0x20 == 0 {
      return nil
    }
    let count = try cursor.int(4)
    return count == 0 ? nil : try cursor.take(count)
  }
}

/// Brings the elements of a dataset together.
struct HDF5LayoutReader {
  let source: HDF5Source
  let shape: Shape
  let elementSize: Int
  let byteCount: Int
  let filters: HDF5Filters
  let fill: ByteView?

  func read(_ layout: ByteView) throws -> ByteView {
    var cursor = source.cursor(over: layout)
    let version = try cursor.version(1...4, of: "a dataset's layout")
    guard version > 2 else { return try readOld(&cursor) }
    switch try cursor.int(1) {
    case 0:
      let count = try cursor.int(2)
      return try exactly(cursor.take(count))
    case 1:
      guard let address = try cursor.address() else { return try filled() }
      guard try cursor.length() >= byteCount else {
        throw HDF5.broken("there are fewer elements than the extents say")
      }
      return try source.bytes.slice(address, byteCount)
    case 2:
      return try version == 3 ? readChunks(&cursor) : readIndexedChunks(&cursor)
    default: throw Diagnostic("HDF005", "virtual datasets are not read")
    }
  }

  private func readOld(_ cursor: inout HDF5Cursor) throws -> ByteView {
    let rank = try cursor.int(1)
    let kind = try cursor.int(1)
    cursor.skip(5)
    switch kind {
    case 0:
      cursor.skip(rank * 4)
      let count = try cursor.int(4)
      return try exactly(cursor.take(count))
    case 1:
      guard let address = try cursor.address() else { return try filled() }
      return try source.bytes.slice(address, byteCount)
    case 2:
      let address = try cursor.address()
      return try readChunks(&cursor, rank: rank, treeAddress: address)
    default: throw HDF5.broken("an unknown layout")
    }
  }

  private func exactly(_ bytes: ByteView) throws -> ByteView {
    guard bytes.count >= byteCount else {
      throw HDF5.broken("there are fewer elements than the extents say")
    }
    return try bytes.slice(0, byteCount)
  }

  /// Elements that were never written.
  func filled() throws -> ByteView {
    try checkLimit()
    guard let fill, fill.count == elementSize else {
      return unsafe ByteView(byteCount: byteCount) { _ in }
    }
    let pattern = fill.array
    return unsafe ByteView(byteCount: byteCount) { target in
      for index in 0..<byteCount { unsafe target[index] = pattern[index % pattern.count] }
    }
  }

  func checkLimit() throws {
    guard byteCount <= source.limit else {
      throw Diagnostic(
        "HDF006",
        "the elements take \(byteCount) bytes, more than the budget of \(source.limit)"
      )
    }
  }
}
