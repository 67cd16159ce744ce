import AssayBase
import AssayHost

/// The words that adb's client and server exchange: a length of four hexadecimal digits and a text,
/// answered by `OKAY` or by `FAIL` with a reason.
enum ADBWire {
  /// The greatest length of a request or an answer.
  static let greatestLength = 0xFFFF

  /// A request with its length before it.
  ///
  /// - Throws: `Diagnostic` ADB002 when it is too long for the protocol.
  static func request(_ text: String) throws -> [UInt8] {
    let bytes = Array(text.utf8)
    // Servers take a few kilobytes more than this, but older phones' do not.
    guard bytes.count <= 32_768 else {
      throw Diagnostic(
        "ADB002",
        "a request of \(bytes.count) bytes is too long for adb",
        remedy: "put the command into a file on the phone"
      )
    }
    return hexadecimal(bytes.count) + bytes
  }

  /// Four hexadecimal digits.
  static func hexadecimal(_ value: Int) -> [UInt8] {
    let digits = String(value, radix: 16)
    return Array((String(repeating: "0", count: max(0, 4 - digits.count)) + digits).utf8)
  }

  /// A length of four hexadecimal digits; `nil` when these are none.
  static func length(_ bytes: [UInt8]) -> Int? {
    guard bytes.count == 4, bytes.allSatisfy({ isHexadecimal($0) }) else { return nil }
    return Int(String(decoding: bytes, as: UTF8.self), radix: 16)
  }

  private static func isHexadecimal(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
      UInt8(ascii: "A")...UInt8(ascii: "F"):
      true
    default: false
    }
  }

  /// A whole number, little-endian.
  static func word(_ value: UInt32) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * UInt32($0))) }
  }

  /// The whole number at `offset`, little-endian; 0 where there are no four bytes.
  static func word(_ bytes: [UInt8], at offset: Int) -> UInt32 {
    guard offset >= 0, offset <= bytes.count - 4 else { return 0 }
    return (0..<4).reduce(0) { $0 | UInt32(bytes[offset + $1]) << (8 * UInt32($1)) }
  }

  /// The long whole number at `offset`, little-endian.
  static func long(_ bytes: [UInt8], at offset: Int) -> UInt64 {
    UInt64(word(bytes, at: offset)) | UInt64(word(bytes, at: offset + 4)) << 32
  }
}

extension ADBSocket {
  /// Sends a request and takes its `OKAY`.
  ///
  /// - Throws: `Diagnostic` ADB022 with the server's reason, ADB002 when it says something else.
  func ask(_ text: String, until deadline: UInt64) throws {
    try write(ADBWire.request(text), until: deadline)
    try takeStatus(until: deadline)
  }

  /// Takes `OKAY`, or throws what `FAIL` says.
  func takeStatus(until deadline: UInt64) throws {
    let status = try read(exactly: 4, until: deadline)
    switch String(decoding: status, as: UTF8.self) {
    case "OKAY": return
    case "FAIL":
      throw Diagnostic(
        "ADB022",
        "adb's server refuses",
        cause: try takeText(until: deadline)
      )
    default:
      throw Diagnostic(
        "ADB002",
        "what answers on this port does not speak adb's protocol",
        remedy: "see which program listens there; ANDROID_ADB_SERVER_PORT names another port"
      )
    }
  }

  /// A text with its length before it.
  func takeText(until deadline: UInt64) throws -> String {
    let digits = try read(exactly: 4, until: deadline)
    guard let length = ADBWire.length(digits) else {
      throw Diagnostic("ADB002", "adb's server gives a text without its length")
    }
    return String(decoding: try read(exactly: length, until: deadline), as: UTF8.self)
  }
}
