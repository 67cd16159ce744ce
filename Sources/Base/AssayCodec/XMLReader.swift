import AssayBase

/// One element of an XML document.
public struct XMLElement: Sendable, Equatable {
  /// The name, with its prefix if it has one.
  public var name: String
  /// The attributes, in the document's order.
  public var attributes: [(name: String, value: String)]
  /// The elements inside it.
  public var children: [XMLElement] = []
  /// The text directly inside it, joined.
  public var text = ""

  /// The value of an attribute; `nil` when there is none.
  public subscript(attribute: String) -> String? {
    attributes.first { $0.name == attribute }?.value
  }

  /// The first element inside with this name.
  public func child(_ name: String) -> XMLElement? { children.first { $0.name == name } }

  /// The elements inside with this name.
  public func all(_ name: String) -> [XMLElement] { children.filter { $0.name == name } }

  public static func == (a: XMLElement, b: XMLElement) -> Bool {
    a.name == b.name && a.text == b.text && a.children == b.children
      && a.attributes.elementsEqual(b.attributes, by: ==)
  }
}

/// Reads XML 1.0 documents in UTF-8: elements, attributes, text, CDATA, comments.
///
/// There are no document types and no entities but the five that XML has and characters by number,
/// so that a document is never larger than its bytes and names no other file. Documents that declare
/// a type are refused.
public struct XMLReader {
  private let bytes: [UInt8]
  private var position = 0
  private var depth = 0
  private var elementCount = 0

  /// The most elements inside one another.
  public static let maximumDepth = 64

  /// The document's outermost element.
  ///
  /// - Parameter maximumElements: the most elements that are read.
  /// - Throws: `Diagnostic` XML001 (not well-formed, with the line), XML002 (a document type or an
  ///   entity), XML003 (too deep or too many).
  public static func root(_ view: ByteView, maximumElements: Int = 2_000_000) throws -> XMLElement {
    var reader = XMLReader(bytes: view.array, maximumElements: maximumElements)
    if reader.bytes.starts(with: [0xEF, 0xBB, 0xBF]) { reader.position = 3 }
    try reader.skipMisc()
    guard reader.peek() == UInt8(ascii: "<") else { throw reader.broken("there is no element") }
    let root = try reader.element()
    try reader.skipMisc()
    guard reader.position == reader.bytes.count else {
      throw reader.broken("something follows the outermost element")
    }
    return root
  }

  private let maximumElements: Int

  private init(bytes: [UInt8], maximumElements: Int) {
    self.bytes = bytes
    self.maximumElements = maximumElements
  }

  // MARK: Characters

  private func peek(_ offset: Int = 0) -> UInt8? {
    position + offset < bytes.count ? bytes[position + offset] : nil
  }

  private func isNext(_ text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    guard position + count <= bytes.count else { return false }
    return text.withUTF8Buffer { buffer in
      for index in 0..<count where unsafe buffer[index] != bytes[position + index] { return false }
      return true
    }
  }

  private static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
  }

  private mutating func skipSpace() {
    while let byte = peek(), Self.isSpace(byte) { position += 1 }
  }

  private mutating func expect(_ byte: UInt8) throws {
    guard peek() == byte else {
      throw broken("'\(Character(Unicode.Scalar(byte)))' was expected")
    }
    position += 1
  }

  private func broken(_ what: String) -> Diagnostic {
    let line = 1 + bytes[..<min(position, bytes.count)].count { $0 == 0x0A }
    return Diagnostic("XML001", "the document is not well-formed: \(what)", at: ["line \(line)"])
  }

  // MARK: Around elements

  /// Passes over white space, comments and processing instructions.
  private mutating func skipMisc() throws {
    while true {
      skipSpace()
      if isNext("<!--") {
        try skip(past: "-->", from: 4)
      } else if isNext("<?") {
        try skip(past: "?>", from: 2)
      } else if isNext("<!") {
        throw Diagnostic("XML002", "documents that declare a type are not read")
      } else {
        return
      }
    }
  }

  private mutating func skip(past end: StaticString, from offset: Int) throws {
    position += offset
    while position < bytes.count {
      if isNext(end) {
        position += end.utf8CodeUnitCount
        return
      }
      position += 1
    }
    throw broken("it ends too early")
  }

  // MARK: Elements

  private mutating func name() throws -> String {
    let start = position
    if let first = peek(), first < 0x3A, first != UInt8(ascii: ":") {
      throw broken("a name cannot begin like this")
    }
    while let byte = peek() {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"),
        UInt8(ascii: "."), UInt8(ascii: ":"), 0x80...:
        position += 1
        continue
      default: break
      }
      break
    }
    guard position > start,
      let text = String(validating: bytes[start..<position], as: UTF8.self)
    else { throw broken("a name was expected") }
    return text
  }

  private mutating func element() throws -> XMLElement {
    depth += 1
    elementCount += 1
    defer { depth -= 1 }
    guard depth <= Self.maximumDepth, elementCount <= maximumElements else {
      throw Diagnostic("XML003", "the document has too many elements, or too many in one another")
    }
    try expect(UInt8(ascii: "<"))
    var element = XMLElement(name: try name(), attributes: [])
    while true {
      let isApart = peek().map(Self.isSpace) ?? false
      skipSpace()
      if isNext("/>") {
        position += 2
        return element
      }
      if peek() == UInt8(ascii: ">") {
        position += 1
        break
      }
      guard isApart else { throw broken("attributes must stand apart") }
      let attribute = try name()
      skipSpace()
      try expect(UInt8(ascii: "="))
      skipSpace()
      let value = try self.value()
      guard element[attribute] == nil else { throw broken("'\(attribute)' is given twice") }
      element.attributes.append((attribute, value))
    }
    try readContent(of: &element)
    return element
  }

  private mutating func readContent(of element: inout XMLElement) throws {
    var text: [UInt8] = []
    while let byte = peek() {
      if byte != UInt8(ascii: "<") {
        try character(into: &text)
      } else if isNext("</") {
        position += 2
        guard try name() == element.name else { throw broken("'\(element.name)' is not closed") }
        skipSpace()
        try expect(UInt8(ascii: ">"))
        guard let valid = String(validating: text, as: UTF8.self) else {
          throw broken("text is not UTF-8")
        }
        element.text = valid
        return
      } else if isNext("<!--") {
        try skip(past: "-->", from: 4)
      } else if isNext("<![CDATA[") {
        let start = position + 9
        try skip(past: "]]>", from: 9)
        text += bytes[start..<position - 3]
      } else if isNext("<?") {
        try skip(past: "?>", from: 2)
      } else if isNext("<!") {
        throw Diagnostic("XML002", "documents that declare a type are not read")
      } else {
        element.children.append(try self.element())
      }
    }
    throw broken("'\(element.name)' is not closed")
  }

  private mutating func value() throws -> String {
    guard let quote = peek(), quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
      throw broken("a quoted value was expected")
    }
    position += 1
    var text: [UInt8] = []
    while let byte = peek(), byte != quote {
      guard byte != UInt8(ascii: "<") else { throw broken("'<' in a value") }
      if Self.isSpace(byte) {
        text.append(0x20)
        position += 1
      } else {
        try character(into: &text)
      }
    }
    try expect(quote)
    guard let valid = String(validating: text, as: UTF8.self) else {
      throw broken("a value is not UTF-8")
    }
    return valid
  }

  /// Takes one byte, or a character that stands behind `&`.
  private mutating func character(into text: inout [UInt8]) throws {
    guard let byte = peek() else { throw broken("it ends too early") }
    guard byte == UInt8(ascii: "&") else {
      text.append(byte)
      position += 1
      return
    }
    position += 1
    let start = position
    while let next = peek(), next != UInt8(ascii: ";"), position - start < 12 { position += 1 }
    let body = String(decoding: bytes[start..<position], as: UTF8.self)
    try expect(UInt8(ascii: ";"))
    let scalar: Unicode.Scalar?
    switch body {
    case "lt": scalar = "<"
    case "gt": scalar = ">"
    case "amp": scalar = "&"
    case "quot": scalar = "\""
    case "apos": scalar = "'"
    default:
      guard body.hasPrefix("#") else {
        throw Diagnostic("XML002", "the entity '\(body)' is not known")
      }
      let digits = body.dropFirst()
      let code =
        digits.hasPrefix("x") ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits, radix: 10)
      scalar = code.flatMap { $0 == 0 ? nil : Unicode.Scalar($0) }
    }
    guard let scalar else { throw broken("there is no character \(body)") }
    text += UTF8.encode(scalar).map { Array($0) } ?? []
  }
}
