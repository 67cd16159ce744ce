import AssayBase

/// Bytes within a line (RFC 4648, with padding).
public enum Base64 {
  private static let alphabet = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8
  )

  /// The text of some bytes.
  public static func encode(_ parts: [ByteView]) -> String {
    let bytes = parts.flatMap(\.array)
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    for index in stride(from: 0, to: bytes.count, by: 3) {
      let left = bytes.count - index
      let a = UInt32(bytes[index]) << 16
      let b = left > 1 ? UInt32(bytes[index + 1]) << 8 : 0
      let c = left > 2 ? UInt32(bytes[index + 2]) : 0
      let word = a | b | c
      text.append(alphabet[Int(word >> 18)])
      text.append(alphabet[Int((word >> 12) & 63)])
      text.append(left > 1 ? alphabet[Int((word >> 6) & 63)] : 61)
      text.append(left > 2 ? alphabet[Int(word & 63)] : 61)
    }
    return String(decoding: text, as: UTF8.self)
  }

  /// The bytes of a text; `nil` when it is none.
  public static func decode(_ text: String) -> [UInt8]? {
    var bytes: [UInt8] = []
    var word: UInt32 = 0
    var bits: UInt32 = 0
    var isPadded = false
    for byte in text.utf8 {
      let value: UInt32
      switch byte {
      case 65...90: value = UInt32(byte - 65)
      case 97...122: value = UInt32(byte - 71)
      case 48...57: value = UInt32(byte + 4)
      case 43: value = 62
      case 47: value = 63
      case 61:
        isPadded = true
        continue
      default: return nil
      }
      if isPadded { return nil }
      word = (word << 6) | value
      bits += 6
      if bits >= 8 {
        bits -= 8
        bytes.append(UInt8(truncatingIfNeeded: word >> bits))
        word &= (1 << bits) - 1
      }
    }
    return bytes
  }
}
