extension JSON {
  /// Reads one JSON text (UTF-8).
  ///
  /// `NaN`, `Infinity` and `-Infinity` are accepted, because Python's json module writes them.
  ///
  /// - Parameter maximumDepth: nesting that is still accepted.
  /// - Throws: `Diagnostic` JSN001 with the byte offset of the fault.
  public init(parsing bytes: some Collection<UInt8>, maximumDepth: Int = 200) throws {
    var reader = JSONReader(bytes: Array(bytes), maximumDepth: maximumDepth)
    self = try reader.document()
  }

  /// Reads one JSON text.
  public init(parsing text: String) throws { try self.init(parsing: text.utf8) }
}

private struct JSONReader {
  let bytes: [UInt8]
  let maximumDepth: Int
  var offset = 0

  mutating func document() throws -> JSON {
    let value = try value(depth: 0)
    skipSpace()
    guard offset == bytes.count else { throw fault("text after the value") }
    return value
  }

  func fault(_ what: String) -> Diagnostic {
    Diagnostic("JSN001", "this is not JSON: \(what)", at: ["byte \(offset)"])
  }

  mutating func skipSpace() {
    while let byte = current, byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D {
      offset += 1
    }
  }

  var current: UInt8? { offset < bytes.count ? bytes[offset] : nil }

  mutating func take(_ literal: StaticString) -> Bool {
    let text = "\(literal)".utf8
    guard bytes.count - offset >= text.count,
      bytes[offset..<offset + text.count].elementsEqual(text)
    else { return false }
    offset += text.count
    return true
  }

  mutating func value(depth: Int) throws -> JSON {
    guard depth <= maximumDepth else { throw fault("nested too deeply") }
    skipSpace()
    guard let first = current else { throw fault("it ends too early") }
    switch first {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t") where take("true"): return .bool(true)
    case UInt8(ascii: "f") where take("false"): return .bool(false)
    case UInt8(ascii: "n") where take("null"): return .null
    case UInt8(ascii: "N") where take("NaN"): return .number(.nan)
    case UInt8(ascii: "I") where take("Infinity"): return .number(.infinity)
    case UInt8(ascii: "-") where take("-Infinity"): return .number(-.infinity)
    default: return try number()
    }
  }

  mutating func object(depth: Int) throws -> JSON {
    offset += 1
    var members = JSON.Members()
    skipSpace()
    if current == UInt8(ascii: "}") {
      offset += 1
      return .members(members)
    }
    while true {
      skipSpace()
      guard current == UInt8(ascii: "\"") else { throw fault("a member's name was expected") }
      let key = try string()
      skipSpace()
      guard current == UInt8(ascii: ":") else { throw fault("':' was expected") }
      offset += 1
      members[key] = try value(depth: depth + 1)
      skipSpace()
      switch current {
      case UInt8(ascii: ","): offset += 1
      case UInt8(ascii: "}"):
        offset += 1
        return .members(members)
      default: throw fault("',' or '}' was expected")
      }
    }
  }

  mutating func array(depth: Int) throws -> JSON {
    offset += 1
    var elements: [JSON] = []
    skipSpace()
    if current == UInt8(ascii: "]") {
      offset += 1
      return .array(elements)
    }
    while true {
      elements.append(try value(depth: depth + 1))
      skipSpace()
      switch current {
      case UInt8(ascii: ","): offset += 1
      case UInt8(ascii: "]"):
        offset += 1
        return .array(elements)
      default: throw fault("',' or ']' was expected")
      }
    }
  }

  mutating func string() throws -> String {
    offset += 1
    let start = offset
    while let byte = current, byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
      offset += 1
    }
    // What stands before an escape is taken as a whole, which most often is everything.
    var text = bytes[start..<offset]
    while let byte = current {
      offset += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let result = String(validating: text, as: UTF8.self) else {
          throw fault("a string is not UTF-8")
        }
        return result
      case UInt8(ascii: "\\"):
        try escape(into: &text)
      case 0..<0x20: throw fault("a control character in a string")
      default: text.append(byte)
      }
    }
    throw fault("a string does not end")
  }

  mutating func escape(into text: inout ArraySlice<UInt8>) throws {
    guard let byte = current else { throw fault("a string does not end") }
    offset += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(8)
    case UInt8(ascii: "f"): text.append(12)
    case UInt8(ascii: "n"): text.append(10)
    case UInt8(ascii: "r"): text.append(13)
    case UInt8(ascii: "t"): text.append(9)
    case UInt8(ascii: "u"):
      var scalar = try hex4()
      if (0xD800..<0xDC00).contains(scalar), take("\\u") {
        let low = try hex4()
        guard (0xDC00..<0xE000).contains(low) else { throw fault("a broken surrogate pair") }
        scalar = 0x10000 + (scalar - 0xD800) << 10 + (low - 0xDC00)
      }
      let character = Unicode.Scalar(scalar) ?? "\u{FFFD}"
      text.append(contentsOf: Array(String(Character(character)).utf8))
    default: throw fault("an unknown escape")
    }
  }

  mutating func hex4() throws -> UInt32 {
    guard bytes.count - offset >= 4,
      let digits = String(validating: bytes[offset..<offset + 4], as: UTF8.self),
      let value = UInt32(digits, radix: 16)
    else { throw fault("four hexadecimal digits were expected") }
    offset += 4
    return value
  }

  mutating func number() throws -> JSON {
    let start = offset
    var isInteger = true
    while let byte = current {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): break
      case UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
        isInteger = false
      default:
        return try finish(start, isInteger)
      }
      offset += 1
    }
    return try finish(start, isInteger)
  }

  func finish(_ start: Int, _ isInteger: Bool) throws -> JSON {
    if isInteger, let value = smallInteger(start) { return .integer(value) }
    let text = String(decoding: bytes[start..<offset], as: UTF8.self)
    if isInteger, let value = Int64(text) { return .integer(value) }
    guard start < offset, let value = Double(text) else { throw fault("a value was expected") }
    return .number(value)
  }

  /// The number from `start` on when it is nothing but a few digits.
  private func smallInteger(_ start: Int) -> Int64? {
    guard (1...18).contains(offset - start) else { return nil }
    var value: Int64 = 0
    for byte in bytes[start..<offset] {
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
      value = value * 10 + Int64(byte - UInt8(ascii: "0"))
    }
    return value
  }
}
