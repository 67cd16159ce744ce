import AssayBase

/// Makes a ZIP archive; the same entries give the same bytes.
public struct ZipWriter {
  private var pieces: [ByteView] = []
  private var offset = 0
  private var directory = ByteBuilder()
  private var entryCount = 0

  /// An archive without entries.
  public init() {}

  /// Adds a file.
  ///
  /// - Parameters:
  ///   - name: the path inside the archive, parts joined by `/`.
  ///   - content: its bytes, in pieces; stored pieces are not copied.
  ///   - deflated: whether it is deflated.
  public mutating func add(_ name: String, _ content: [ByteView], deflated: Bool = false) throws {
    let checksum = content.reduce(UInt32(0)) { Zlib.crc32($1, continuing: $0) }
    let byteCount = content.reduce(0) { $0 + $1.count }
    let packed = deflated ? [try Zlib.deflate(content, wrapping: .raw)] : content
    let packedCount = packed.reduce(0) { $0 + $1.count }
    let text = Array(name.utf8)
    guard !text.isEmpty, text.count <= 0xFFFF else {
      throw Diagnostic("ZIP020", "'\(name)' cannot be the name of an entry")
    }
    let isLarge = byteCount >= 0xFFFF_FFFF || packedCount >= 0xFFFF_FFFF
    let isFar = offset >= 0xFFFF_FFFF

    var wide = ByteBuilder()
    if isLarge { wide.append(UInt64(byteCount), UInt64(packedCount)) }
    var local = ByteBuilder()
    local.append(UInt32(0x0403_4B50))
    fields(&local, deflated, checksum, isLarge, byteCount, packedCount)
    local.append(UInt16(text.count), UInt16(wide.bytes.isEmpty ? 0 : wide.bytes.count + 4))
    local.bytes += text
    if !wide.bytes.isEmpty { local.append(UInt16(1), UInt16(wide.bytes.count)) }
    local.bytes += wide.bytes

    if isFar { wide.append(UInt64(offset)) }
    directory.append(UInt32(0x0201_4B50))
    directory.append(UInt16(0x032D))
    fields(&directory, deflated, checksum, isLarge, byteCount, packedCount)
    directory.append(UInt16(text.count), UInt16(wide.bytes.isEmpty ? 0 : wide.bytes.count + 4))
    directory.append(UInt16(0), UInt16(0), UInt16(0))
    directory.append(UInt32(0o100644) << 16, isFar ? 0xFFFF_FFFF : UInt32(offset))
    directory.bytes += text
    if !wide.bytes.isEmpty { directory.append(UInt16(1), UInt16(wide.bytes.count)) }
    directory.bytes += wide.bytes

    pieces.append(ByteView(local.bytes))
    pieces += packed
    offset += local.bytes.count + packedCount
    entryCount += 1
  }

  /// The archive's bytes, in pieces to be written one after the other.
  public consuming func finish() -> [ByteView] {
    let count = directory.bytes.count
    var end = ByteBuilder()
    let isWide = entryCount >= 0xFFFF || offset >= 0xFFFF_FFFF || count >= 0xFFFF_FFFF
    if isWide {
      end.append(UInt32(0x0606_4B50))
      end.append(UInt64(44))
      end.append(UInt16(0x032D), UInt16(45))
      end.append(UInt32(0), UInt32(0))
      end.append(UInt64(entryCount), UInt64(entryCount), UInt64(count), UInt64(offset))
      end.append(UInt32(0x0706_4B50), UInt32(0))
      end.append(UInt64(offset + count))
      end.append(UInt32(1))
    }
    end.append(UInt32(0x0605_4B50))
    end.append(UInt16(0), UInt16(0))
    let shown = isWide ? 0xFFFF : UInt16(entryCount)
    end.append(shown, shown)
    end.append(isWide ? 0xFFFF_FFFF : UInt32(count), isWide ? 0xFFFF_FFFF : UInt32(offset))
    end.append(UInt16(0))
    return pieces + [ByteView(directory.bytes), ByteView(end.bytes)]
  }

  /// What an entry's local header and its row in the directory share; the time is that of 1980.
  private func fields(
    _ target: inout ByteBuilder,
    _ deflated: Bool,
    _ checksum: UInt32,
    _ isLarge: Bool,
    _ byteCount: Int,
    _ packedCount: Int
  ) {
    // Version 4.5 (ZIP64), names in UTF-8 (bit 11).
    target.append(UInt16(45), UInt16(1 << 11), UInt16(deflated ? 8 : 0), UInt16(0), UInt16(0x21))
    target.append(checksum)
    target.append(isLarge ? 0xFFFF_FFFF : UInt32(packedCount))
    target.append(isLarge ? 0xFFFF_FFFF : UInt32(byteCount))
  }
}

/// Little-endian numbers put one after the other.
private struct ByteBuilder {
  var bytes: [UInt8] = []

  mutating func append<T: FixedWidthInteger>(_ values: T...) {
    for value in values {
      for shift in 0..<T.bitWidth / 8 {
        bytes.append(UInt8(truncatingIfNeeded: value >> T(shift * 8)))
      }
    }
  }
}
