/// A JSON value, as far as requests and answers need it.
///
/// The runner is Embedded Swift: it has no Codable and no existential values, so that it reads and
/// writes its lines by itself.
enum Value {
  case null
  case bool(Bool)
  case integer(Int64)
  case number(Double)
  case string(String)
  case array([Value])
  case object([(String, Value)])

  subscript(key: String) -> Value? {
    guard case .object(let members) = self else { return nil }
    for (name, value) in members where name == key { return value }
    return nil
  }

  var string: String? {
    if case .string(let text) = self { text } else { nil }
  }

  var int: Int? {
    switch self {
    case .integer(let value): Int(value)
    case .number(let value) where value.magnitude < 9e15: Int(value)
    default: nil
    }
  }

  var double: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }

  var array: [Value] {
    if case .array(let values) = self { values } else { [] }
  }

  /// The value as one line.
  func write(to bytes: inout [UInt8]) {
    switch self {
    case .null: bytes += "null".utf8
    case .bool(let value): bytes += (value ? "true" : "false").utf8
    case .integer(let value): bytes += String(value).utf8
    case .number(let value): bytes += text(of: value).utf8
    case .string(let text): Value.write(text, to: &bytes)
    case .array(let values):
      bytes.append(91)
      var isFirst = true
      for value in values {
        if !isFirst { bytes.append(44) }
        isFirst = false
        value.write(to: &bytes)
      }
      bytes.append(93)
    case .object(let members):
      bytes.append(123)
      var isFirst = true
      for (key, value) in members {
        if !isFirst { bytes.append(44) }
        isFirst = false
        Value.write(key, to: &bytes)
        bytes.append(58)
        value.write(to: &bytes)
      }
      bytes.append(125)
    }
  }

  private static func write(_ text: String, to bytes: inout [UInt8]) {
    bytes.append(34)
    for byte in text.utf8 {
      switch byte {
      case 34, 92:
        bytes.append(92)
        bytes.append(byte)
      case 0..<32:
        let digits = Array("0123456789abcdef".utf8)
        bytes += "\\u00".utf8
        bytes.append(digits[Int(byte >> 4)])
        bytes.append(digits[Int(byte & 15)])
      default: bytes.append(byte)
      }
    }
    bytes.append(34)
  }
}

/// Reads one line; anything odd ends it.
struct ValueReader {
  private let bytes: [UInt8]
  private var place = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The value of a whole line; `nil` when it is no JSON.
  mutating func read() -> Value? {
    guard let value = value(depth: 0) else { return nil }
    skip()
    return place == bytes.count ? value : nil
  }

  private mutating func skip() {
    while place < bytes.count, [32, 9, 10, 13].contains(bytes[place]) { place += 1 }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    skip()
    guard place < bytes.count, bytes[place] == byte else { return false }
    place += 1
    return true
  }

  private mutating func word(_ text: StaticString, _ value: Value) -> Value? {
    let count = text.utf8CodeUnitCount
    guard place + count <= bytes.count else { return nil }
    for index in 0..<count where bytes[place + index] != text.utf8Start[index] { return nil }
    place += count
    return value
  }

  private mutating func value(depth: Int) -> Value? {
    skip()
    guard depth < 64, place < bytes.count else { return nil }
    switch bytes[place] {
    case 110: return word("null", .null)
    case 116: return word("true", .bool(true))
    case 102: return word("false", .bool(false))
    case 34: return text().map { .string($0) }
    case 91:
      place += 1
      var values: [Value] = []
      if take(93) { return .array(values) }
      while let next = value(depth: depth + 1) {
        values.append(next)
        if take(93) { return .array(values) }
        guard take(44) else { return nil }
      }
      return nil
    case 123:
      place += 1
      var members: [(String, Value)] = []
      if take(125) { return .object(members) }
      while true {
        skip()
        guard let key = text(), take(58), let next = value(depth: depth + 1) else { return nil }
        members.append((key, next))
        if take(125) { return .object(members) }
        guard take(44) else { return nil }
      }
    default: return number()
    }
  }

  private mutating func text() -> String? {
    guard place < bytes.count, bytes[place] == 34 else { return nil }
    place += 1
    var content: [UInt8] = []
    while place < bytes.count {
      let byte = bytes[place]
      place += 1
      if byte == 34 { return String(decoding: content, as: UTF8.self) }
      if byte != 92 {
        content.append(byte)
        continue
      }
      guard place < bytes.count else { return nil }
      let escape = bytes[place]
      place += 1
      switch escape {
      case 110: content.append(10)
      case 116: content.append(9)
      case 114: content.append(13)
      case 98: content.append(8)
      case 102: content.append(12)
      case 117:
        guard var code = hex() else { return nil }
        if (0xD800..<0xDC00).contains(code), place + 1 < bytes.count, bytes[place] == 92,
          bytes[place + 1] == 117
        {
          place += 2
          guard let low = hex(), (0xDC00..<0xE000).contains(low) else { return nil }
          code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(code) else { return nil }
        content += Array(String(Character(scalar)).utf8)
      default: content.append(escape)
      }
    }
    return nil
  }

  private mutating func hex() -> UInt32? {
    guard place + 4 <= bytes.count else { return nil }
    var code: UInt32 = 0
    for _ in 0..<4 {
      let byte = bytes[place]
      place += 1
      switch byte {
      case 48...57: code = code << 4 | UInt32(byte - 48)
      case 97...102: code = code << 4 | UInt32(byte - 87)
      case 65...70: code = code << 4 | UInt32(byte - 55)
      default: return nil
      }
    }
    return code
  }

  private mutating func number() -> Value? {
    let isNegative = place < bytes.count && bytes[place] == 45
    if isNegative { place += 1 }
    var whole: UInt64 = 0
    var digits = 0
    var isOver = false
    var real = 0.0
    while place < bytes.count, (48...57).contains(bytes[place]) {
      let digit = UInt64(bytes[place] - 48)
      let (times, over) = whole.multipliedReportingOverflow(by: 10)
      let (sum, more) = times.addingReportingOverflow(digit)
      isOver = isOver || over || more
      whole = sum
      real = real * 10 + Double(digit)
      digits += 1
      place += 1
    }
    guard digits > 0 else { return nil }
    var isReal = false
    if place < bytes.count, bytes[place] == 46 {
      isReal = true
      place += 1
      var scale = 0.1
      while place < bytes.count, (48...57).contains(bytes[place]) {
        real += Double(bytes[place] - 48) * scale
        scale /= 10
        place += 1
      }
    }
    if place < bytes.count, bytes[place] | 32 == 101 {
      isReal = true
      place += 1
      var isDown = false
      if place < bytes.count, bytes[place] == 45 || bytes[place] == 43 {
        isDown = bytes[place] == 45
        place += 1
      }
      var power = 0
      while place < bytes.count, (48...57).contains(bytes[place]) {
        power = min(power * 10 + Int(bytes[place] - 48), 400)
        place += 1
      }
      for _ in 0..<power { real = isDown ? real / 10 : real * 10 }
    }
    if !isReal, !isOver, whole <= UInt64(Int64.max) {
      return .integer(isNegative ? -Int64(whole) : Int64(whole))
    }
    return .number(isNegative ? -real : real)
  }
}
