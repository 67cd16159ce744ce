extension JSON {
  /// The value as JSON text.
  ///
  /// - Parameter pretty: two-space indentation and one member a line, arrays of plain values on one
  ///   line; otherwise no white space at all.
  public func text(pretty: Bool = false) -> String {
    var output = ""
    write(into: &output, indent: pretty ? 0 : nil)
    return output
  }

  private var isPlain: Bool {
    switch self {
    case .array, .members: false
    default: true
    }
  }

  private func write(into output: inout String, indent: Int?) {
    switch self {
    case .null: output += "null"
    case .bool(let value): output += value ? "true" : "false"
    case .integer(let value): output += String(value)
    case .number(let value): output += JSON.text(of: value)
    case .string(let value): JSON.write(value, into: &output)
    case .array(let elements):
      let inner = elements.allSatisfy(\.isPlain) ? nil : indent.map { $0 + 2 }
      output += "["
      for (index, element) in elements.enumerated() {
        if index > 0 { output += inner == nil && indent != nil ? ", " : "," }
        JSON.newLine(inner, into: &output)
        element.write(into: &output, indent: inner)
      }
      if !elements.isEmpty, inner != nil { JSON.newLine(indent, into: &output) }
      output += "]"
    case .members(let members):
      let inner = indent.map { $0 + 2 }
      output += "{"
      for (index, pair) in members.pairs.enumerated() {
        if index > 0 { output += "," }
        JSON.newLine(inner, into: &output)
        JSON.write(pair.key, into: &output)
        output += indent == nil ? ":" : ": "
        pair.value.write(into: &output, indent: inner)
      }
      if !members.keys.isEmpty { JSON.newLine(indent, into: &output) }
      output += "}"
    }
  }

  private static func newLine(_ indent: Int?, into output: inout String) {
    guard let indent else { return }
    output += "\n" + String(repeating: " ", count: indent)
  }

  private static func text(of value: Double) -> String {
    guard value.isFinite else { return "null" }
    if value == value.rounded(), abs(value) < 1e15 { return String(Int64(value)) + ".0" }
    return "\(value)"
  }

  private static func write(_ string: String, into output: inout String) {
    output += "\""
    // Most strings need no escape, and are taken as a whole.
    guard string.utf8.contains(where: { $0 < 0x20 || $0 == 0x22 || $0 == 0x5C }) else {
      output += string
      output += "\""
      return
    }
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": output += "\\\""
      case "\\": output += "\\\\"
      case "\n": output += "\\n"
      case "\r": output += "\\r"
      case "\t": output += "\\t"
      case "\u{0}"..<"\u{20}":
        let digits = String(scalar.value, radix: 16)
        output += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: output.unicodeScalars.append(scalar)
      }
    }
    output += "\""
  }
}
