import AssayBase
import AssayTensor

/// The type of the elements of a dataset or attribute.
struct HDF5Datatype: Sendable {
  /// What the elements are.
  enum Class: Sendable {
    /// Numbers that a tensor can hold.
    case number(DType, isBigEndian: Bool)
    /// Text of a fixed number of bytes.
    case text
    /// Text in the global heap.
    case variableText
    /// Something that is not read, in words.
    case other(String)
  }

  var kind: Class
  /// Bytes of one element in the file.
  var byteCount: Int

  init(_ cursor: inout HDF5Cursor, depth: Int = 0) throws {
    guard depth < 8 else { throw HDF5.broken("a type is nested too deeply") }
    let head = try cursor.int(1)
    let bits = try cursor.int(3)
    byteCount = try cursor.int(4)
    let order = bits & 1 != 0
    switch head & 0x0F {
    case 0:
      let offset = try cursor.int(2)
      let precision = try cursor.int(2)
      let isSigned = bits & 8 != 0
      let dtype: DType? =
        switch (byteCount, isSigned) {
        case (1, true): .int8
        case (1, false): .uint8
        case (2, true): .int16
        case (2, false): .uint16
        case (4, true): .int32
        case (4, false): .uint32
        case (8, true): .int64
        case (8, false): .uint64
        default: nil
        }
      guard let dtype, offset == 0, precision == byteCount * 8 else {
        kind = .other("integers of \(precision) bits")
        return
      }
      kind = .number(dtype, isBigEndian: order)
    case 1:
      let fields = try (0..<6).map { try cursor.int($0 < 2 ? 2 : 1) } + [try cursor.int(4)]
      let dtype: DType? =
        switch fields {
        case [0, 16, 10, 5, 0, 10, 15]: .float16
        case [0, 16, 7, 8, 0, 7, 127]: .bfloat16
        case [0, 32, 23, 8, 0, 23, 127]: .float32
        case [0, 64, 52, 11, 0, 52, 1023]: .float64
        default: nil
        }
      guard let dtype, dtype.bitWidth == byteCount * 8, bits & 0x40 == 0 else {
        kind = .other("floats of \(byteCount) bytes that are not IEEE 754's")
        return
      }
      kind = .number(dtype, isBigEndian: order)
    case 3: kind = .text
    case 8:
      // NumPy's truth values are an enumeration over int8.
      let base = try HDF5Datatype(&cursor, depth: depth + 1)
      if case .number(.int8, _) = base.kind, byteCount == 1 {
        kind = .number(.bool, isBigEndian: false)
      } else {
        kind = .other("enumerations")
      }
    case 9: kind = bits & 0x0F == 1 ? .variableText : .other("sequences of variable length")
    case 6: kind = .other("records")
    case 7: kind = .other("references")
    case 10: kind = .other("arrays as elements")
    default: kind = .other("elements of class \(head & 0x0F)")
    }
  }
}

/// The extents of a dataset or attribute.
struct HDF5Dataspace: Sendable {
  /// `nil` for a null dataspace, which holds nothing.
  var shape: Shape?

  init(_ cursor: inout HDF5Cursor) throws {
    let version = try cursor.version(1...2, of: "a dataspace")
    let rank = try cursor.int(1)
    let flags = try cursor.int(1)
    let type = try cursor.int(1)
    if version == 1 { cursor.skip(4) }
    guard rank <= 32 else { throw HDF5.broken("\(rank) axes") }
    let dims = try (0..<rank).map { _ in try cursor.length() }
    if flags & 1 != 0 { cursor.skip(rank * cursor.lengthWidth) }
    shape = version == 2 && type == 2 ? nil : Shape(dims)
  }
}
