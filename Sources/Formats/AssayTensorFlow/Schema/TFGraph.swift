import AssayBase
import AssayCodec

/// A function of a graph's library (`FunctionDef`).
public struct TFFunction: Sendable {
  /// The name by which nodes call it.
  public var name = ""
  /// The names of its arguments, in order.
  public var arguments: [String] = []
  /// The names of its results, in order.
  public var results: [String] = []
  /// Its nodes, in no particular order.
  public var nodes: [TFNode] = []
  /// The value (`node:output:0` or an argument) that each result is.
  public var returns: [String: String] = [:]

  init(reading message: ProtobufReader) throws {
    var reader = message
    while let field = try reader.next() {
      switch field.number {
      case 1: try readSignature(try reader.message(field))
      case 3: nodes.append(try TFNode(reading: try reader.message(field)))
      case 4:
        var entry = try reader.message(field)
        var pair = ("", "")
        while let part = try entry.next() {
          if part.number == 1 { pair.0 = try part.string() }
          if part.number == 2 { pair.1 = try part.string() }
        }
        returns[pair.0] = pair.1
      default: break
      }
    }
  }

  private mutating func readSignature(_ message: ProtobufReader) throws {
    var reader = message
    func argument(_ field: ProtobufField) throws -> String {
      var inner = try reader.message(field)
      var name = ""
      while let part = try inner.next() { if part.number == 1 { name = try part.string() } }
      return name
    }
    while let field = try reader.next() {
      switch field.number {
      case 1: name = try field.string()
      case 2: arguments.append(try argument(field))
      case 3: results.append(try argument(field))
      default: break
      }
    }
  }
}

/// A graph of nodes with a library of functions (`GraphDef`).
public struct TFGraph: Sendable {
  /// The nodes, in no particular order.
  public var nodes: [TFNode] = []
  /// The functions that nodes call.
  public var functions: [TFFunction] = []
  /// The version of the graph's semantics that its writer had.
  public var producer: Int64 = 0

  /// A graph without nodes.
  public init() {}

  /// Reads one message.
  ///
  /// - Throws: `Diagnostic` PRB… when it is malformed.
  public init(reading message: ProtobufReader) throws {
    var reader = message
    while let field = try reader.next() {
      switch field.number {
      case 1: nodes.append(try TFNode(reading: try reader.message(field)))
      case 2:
        var library = try reader.message(field)
        while let part = try library.next() {
          if part.number == 1 {
            functions.append(try TFFunction(reading: try library.message(part)))
          }
        }
      case 4:
        var versions = try reader.message(field)
        while let part = try versions.next() {
          if part.number == 1 { producer = try part.integer() }
        }
      default: break
      }
    }
  }

  /// The message's bytes.
  public func encoded() -> ProtobufWriter {
    var writer = ProtobufWriter()
    for node in nodes { writer.message(1, node.encoded()) }
    writer.message(4) {
      $0.integer(1, producer)
      $0.integer(2, 12)
    }
    return writer
  }
}
