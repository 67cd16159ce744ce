extension JSON {
  /// The value as JSON text.
  ///
  /// - Parameter pretty: two-space indentation and one member a line, arrays of plain values on one
  ///   line; otherwise no white space at all.
  public func text(pretty: Bool = false) -> String {
    var writer = JSONWriter()
    writer.write(self, indent: pretty ? 0 : nil)
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  fileprivate var isPlain: Bool {
    switch self {
    case .array, .members: false
    default: true
    }
  }
}

/// Puts JSON text together, in UTF-8.
private struct JSONWriter {
  private(set) var bytes: [UInt8] = []

  mutating func write(_ value: JSON, indent: Int?) {
    switch value {
    case .null: put("null")
    case .bool(let value): put(value ? "true" : "false")
    case .integer(let value): write(value)
    case .number(let value): write(value)
    case .string(let value): write(value)
    case .array(let elements):
      let inner = elements.allSatisfy(\.isPlain) ? nil : indent.map { $0 + 2 }
      bytes.append(UInt8(ascii: "["))
      for (index, element) in elements.enumerated() {
        if index > 0 { bytes.append(UInt8(ascii: ",")) }
        if index > 0, inner == nil, indent != nil { bytes.append(UInt8(ascii: " ")) }
        newLine(inner)
        write(element, indent: inner)
      }
      if !elements.isEmpty, inner != nil { newLine(indent) }
      bytes.append(UInt8(ascii: "]"))
    case .members(let members):
      let inner = indent.map { $0 + 2 }
      bytes.append(UInt8(ascii: "{"))
      var isFirst = true
      members.forEach { key, value in
        if !isFirst { bytes.append(UInt8(ascii: ",")) }
        isFirst = false
        newLine(inner)
        write(key)
        bytes.append(UInt8(ascii: ":"))
        if indent != nil { bytes.append(UInt8(ascii: " ")) }
        write(value, indent: inner)
      }
      if !isFirst { newLine(indent) }
      bytes.append(UInt8(ascii: "}"))
    }
  }

  private mutating func put(_ text: String) { bytes.append(contentsOf: text.utf8) }

  private mutating func newLine(_ indent: Int?) {
    guard let indent else { return }
    bytes.append(UInt8(ascii: "\n"))
    bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: indent))
  }

  private mutating func write(_ value: Int64) {
    if value < 0 { bytes.append(UInt8(ascii: "-")) }
    let start = bytes.count
    var rest = value.magnitude
    repeat {
      bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
      rest /= 10
    } while rest > 0
    bytes[start...].reverse()
  }

  private mutating func write(_ value: Double) {
    guard value.isFinite else { return put("null") }
    if value == value.rounded(), abs(value) < 1e15 {
      // The sign of a negative zero is not kept.
      write(Int64(value))
      put(".0")
    } else {
      put("\(value)")
    }
  }

  private mutating func write(_ text: String) {
    bytes.append(UInt8(ascii: "\""))
    defer { bytes.append(UInt8(ascii: "\"")) }
    // Most strings need no escape, and are taken as a whole.
    guard text.utf8.contains(where: { $0 < 0x20 || $0 == 0x22 || $0 == 0x5C }) else {
      return put(text)
    }
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""): put("\\\"")
      case UInt8(ascii: "\\"): put("\\\\")
      case UInt8(ascii: "\n"): put("\\n")
      case UInt8(ascii: "\r"): put("\\r")
      case UInt8(ascii: "\t"): put("\\t")
      case ..<0x20:
        let digits = String(byte, radix: 16)
        put("\\u" + String(repeating: "0", count: 4 - digits.count) + digits)
      default: bytes.append(byte)
      }
    }
  }
}
