import AssayBase

/// What was done to the chunks of a dataset before they were written.
struct HDF5Filters: Sendable {
  private enum Filter {
    case deflate
    case shuffle(elementSize: Int)
    case fletcher32
  }

  private var filters: [Filter] = []

  /// Nothing was done.
  init() {}

  init(_ message: ByteView, in source: HDF5Source) throws {
    var cursor = source.cursor(over: message)
    let version = try cursor.version(1...2, of: "a dataset's filters")
    let count = try cursor.int(1)
    if version == 1 { cursor.skip(6) }
    guard count <= 32 else { throw HDF5.broken("\(count) filters") }
    for _ in 0..<count {
      let id = try cursor.int(2)
      let nameCount = version == 1 || id >= 256 ? try cursor.int(2) : 0
      cursor.skip(2)
      let valueCount = try cursor.int(2)
      cursor.skip(version == 1 ? (nameCount + 7) / 8 * 8 : nameCount)
      var values: [Int] = []
      for _ in 0..<valueCount { values.append(try cursor.int(4)) }
      if version == 1, valueCount % 2 == 1 { cursor.skip(4) }
      switch id {
      case 1: filters.append(.deflate)
      case 2: filters.append(.shuffle(elementSize: values.first ?? 1))
      case 3: filters.append(.fletcher32)
      default:
        throw Diagnostic(
          "HDF005",
          "elements compressed by filter \(id) are not read",
          remedy: "save them without compression or with gzip"
        )
      }
    }
  }

  /// Whether there are none.
  var isEmpty: Bool { filters.isEmpty }

  /// The bytes of a chunk as they were before the filters, `byteCount` of them.
  ///
  /// - Parameter skipped: the filters that were left out for this chunk, one bit each.
  func undo(_ chunk: ByteView, skipped: Int, byteCount: Int) throws -> ByteView {
    var bytes = chunk
    for (index, filter) in filters.enumerated().reversed() where skipped >> index & 1 == 0 {
      switch filter {
      case .deflate:
        // A checksum that was appended before deflating makes the chunk longer.
        let extra = filters[..<index].reduce(0) { sum, filter in
          if case .fletcher32 = filter { sum + 4 } else { sum }
        }
        bytes = try Zlib.inflate(bytes, count: byteCount + extra)
      case .shuffle(let size): bytes = bytes.unshuffled(size)
      case .fletcher32: bytes = try bytes.slice(0, bytes.count - 4)
      }
    }
    guard bytes.count == byteCount else {
      throw HDF5.broken("a chunk has \(bytes.count) bytes instead of \(byteCount)")
    }
    return bytes
  }
}

extension ByteView {
  /// The elements of `size` bytes whose first bytes stand first, then all second bytes, and so on.
  fileprivate func unshuffled(_ size: Int) -> ByteView {
    guard size > 1, count >= size else { return self }
    let elements = count / size
    return unsafe withUnsafeBytes { source in
      unsafe ByteView(byteCount: count) { target in
        for byte in 0..<size {
          for element in 0..<elements {
            unsafe target[element &* size &+ byte] = source[byte &* elements &+ element]
          }
        }
        // What does not fill an element was left alone.
        for index in elements * size..<source.count { unsafe target[index] = source[index] }
      }
    }
  }
}
