import AssayBase

/// Makes an XML 1.0 document, indented by tabs; the same calls give the same bytes.
///
/// Text and attribute values are escaped. Characters that XML 1.0 cannot hold in any way (most
/// controls, U+FFFE and U+FFFF) become U+FFFD.
public struct XMLWriter {
  private var bytes: [UInt8] = Array("<?xml version=\"1.0\"?>\n".utf8)
  private var depth = 0

  /// A document without a root.
  public init() {}

  /// Adds an element without content.
  public mutating func element(
    _ name: String,
    _ attributes: KeyValuePairs<String, String> = [:]
  ) {
    element(name, attributes.map { ($0.key, $0.value) })
  }

  /// Adds an element without content.
  public mutating func element(_ name: String, _ attributes: [(name: String, value: String)]) {
    open(name, attributes)
    put("/>\n")
  }

  /// Adds an element that holds text.
  public mutating func element(_ name: String, text: String) {
    open(name, [])
    put(">")
    escape(text, inAttribute: false)
    put("</\(name)>\n")
  }

  /// Adds an element that holds what `content` adds.
  public mutating func element(
    _ name: String,
    _ attributes: KeyValuePairs<String, String> = [:],
    _ content: (inout XMLWriter) -> Void
  ) {
    element(name, attributes.map { ($0.key, $0.value) }, content)
  }

  /// Adds an element that holds what `content` adds.
  public mutating func element(
    _ name: String,
    _ attributes: [(name: String, value: String)],
    _ content: (inout XMLWriter) -> Void
  ) {
    open(name, attributes)
    put(">\n")
    depth += 1
    content(&self)
    depth -= 1
    indent()
    put("</\(name)>\n")
  }

  /// The document's bytes, in UTF-8.
  public consuming func finish() -> ByteView { ByteView(bytes) }

  private mutating func open(_ name: String, _ attributes: [(name: String, value: String)]) {
    indent()
    put("<\(name)")
    for (name, value) in attributes {
      put(" \(name)=\"")
      escape(value, inAttribute: true)
      put("\"")
    }
  }

  private mutating func indent() { bytes += [UInt8](repeating: 9, count: depth) }

  private mutating func put(_ text: String) { bytes += text.utf8 }

  private mutating func escape(_ text: String, inAttribute: Bool) {
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": put("&amp;")
      case "<": put("&lt;")
      case ">": put("&gt;")
      case "\"": put("&quot;")
      // Readers make spaces of these in an attribute, and drop a carriage return anywhere.
      case "\t", "\n": if inAttribute { put("&#\(scalar.value);") } else { put(String(scalar)) }
      case "\r": put("&#13;")
      case "\u{0}"..<"\u{20}", "\u{FFFE}", "\u{FFFF}": put("\u{FFFD}")
      default: bytes += UTF8.encode(scalar).map { Array($0) } ?? []
      }
    }
  }
}
