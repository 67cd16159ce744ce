import AssayBase

/// The Castagnoli checksum (RFC 3720, appendix B.4), with which LevelDB's tables and TensorFlow's
/// checkpoints protect their bytes.
public enum CRC32C {
  /// Eight tables of 256: eight bytes are taken at a time.
  private static let tables: [UInt32] = {
    var tables = [UInt32](repeating: 0, count: 8 * 256)
    for index in 0..<256 {
      var value = UInt32(index)
      for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0x82F6_3B78 : value >> 1 }
      tables[index] = value
    }
    for index in 0..<256 {
      for table in 1..<8 {
        let previous = tables[(table - 1) * 256 + index]
        tables[table * 256 + index] = previous >> 8 ^ tables[Int(previous & 0xFF)]
      }
    }
    return tables
  }()

  /// The checksum of bytes that follow those of which `start` is the checksum.
  public static func checksum(_ bytes: ByteView, after start: UInt32 = 0) -> UInt32 {
    var crc = ~start
    unsafe tables.withUnsafeBufferPointer { table in
      unsafe bytes.withUnsafeBytes { raw in
        var offset = 0
        while offset + 8 <= raw.count {
          let word = unsafe UInt64(
            littleEndian: raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
          )
          let low = UInt32(truncatingIfNeeded: word) ^ crc
          let high = UInt32(truncatingIfNeeded: word >> 32)
          crc = unsafe table[7 * 256 + Int(low & 0xFF)] ^ table[6 * 256 + Int(low >> 8 & 0xFF)]
          crc ^= unsafe table[5 * 256 + Int(low >> 16 & 0xFF)] ^ table[4 * 256 + Int(low >> 24)]
          crc ^= unsafe table[3 * 256 + Int(high & 0xFF)] ^ table[2 * 256 + Int(high >> 8 & 0xFF)]
          crc ^= unsafe table[256 + Int(high >> 16 & 0xFF)] ^ table[Int(high >> 24)]
          offset += 8
        }
        while offset < raw.count {
          crc = unsafe table[Int((crc ^ UInt32(raw[offset])) & 0xFF)] ^ crc >> 8
          offset += 1
        }
      }
    }
    return ~crc
  }

  /// The form in which a checksum is stored: a checksum of bytes that hold checksums is weak.
  public static func masked(_ checksum: UInt32) -> UInt32 {
    (checksum >> 15 | checksum << 17) &+ 0xA282_EAD8
  }
}
