import AssayBase
import AssayCodec
import AssayTensorFlow

/// Reads a graph in protobuf's text form (`.pbtxt`) by turning it into the binary form.
///
/// Only the fields that networks need are known; others are passed over. Faults are `Diagnostic`s TFG050
/// with the line.
///
/// Format: https://protobuf.dev/reference/protobuf/textformat-spec/
struct GraphText {
  /// What a field of a message holds.
  private enum Field: Sendable {
    case text(Int), integer(Int), float(Int), bool(Int), type(Int), double(Int)
    case message(Int, @Sendable () -> [String: Field])
  }

  private let bytes: [UInt8]
  private var position = 0
  private var line = 1
  private static let deepest = 48

  /// The binary form of a `GraphDef` in text form.
  static func binary(_ view: ByteView) throws -> ByteView {
    var reader = GraphText(bytes: view.array)
    var writer = ProtobufWriter()
    try reader.fields(graph, into: &writer, isInner: false, depth: 0)
    return ByteView(writer.finish().flatMap(\.array))
  }

  /// Whether the first characters are those of a graph's text form.
  static func isText(_ prefix: ByteView) -> Bool {
    let text = prefix.array.drop { [0x20, 0x09, 0x0A, 0x0D].contains($0) }
    return ["node {", "node{", "node:"].contains { text.starts(with: Array($0.utf8)) }
  }

  private init(bytes: [UInt8]) { self.bytes = bytes }

  // MARK: - Schema

  private static let graph: [String: Field] = [
    "node": .message(1) { node }, "library": .message(2) { library },
    "versions": .message(4) { ["producer": .integer(1)] },
  ]
  private static let node: [String: Field] = [
    "name": .text(1), "op": .text(2), "input": .text(3), "attr": .message(5) { attribute },
  ]
  private static let attribute: [String: Field] = [
    "key": .text(1), "value": .message(2) { value },
  ]
  private static let value: [String: Field] = [
    "list": .message(1) { list }, "s": .text(2), "i": .integer(3), "f": .float(4), "b": .bool(5),
    "type": .type(6), "shape": .message(7) { shape }, "tensor": .message(8) { tensor },
    "func": .message(10) { ["name": .text(1)] },
  ]
  private static let list: [String: Field] = [
    "s": .text(2), "i": .integer(3), "f": .float(4), "b": .bool(5), "type": .type(6),
    "shape": .message(7) { shape }, "func": .message(9) { ["name": .text(1)] },
  ]
  private static let shape: [String: Field] = [
    "dim": .message(2) { ["size": .integer(1)] }, "unknown_rank": .bool(3),
  ]
  private static let tensor: [String: Field] = [
    "dtype": .type(1), "tensor_shape": .message(2) { shape }, "tensor_content": .text(4),
    "float_val": .float(5), "double_val": .double(6), "int_val": .integer(7),
    "string_val": .text(8), "int64_val": .integer(10), "bool_val": .bool(11),
    "half_val": .integer(13), "uint32_val": .integer(16), "uint64_val": .integer(17),
  ]
  private static let library: [String: Field] = ["function": .message(1) { function }]
  private static let function: [String: Field] = [
    "signature": .message(1) { signature }, "node_def": .message(3) { node },
    "ret": .message(4) { ["key": .text(1), "value": .text(2)] },
  ]
  private static let signature: [String: Field] = [
    "name": .text(1), "input_arg": .message(2) { ["name": .text(1)] },
    "output_arg": .message(3) { ["name": .text(1)] },
  ]

  // MARK: - Reading

  private func fault(_ what: String) -> Diagnostic {
    Diagnostic("TFG050", "the text of the graph is malformed: \(what)", at: ["line \(line)"])
  }

  /// Goes over spaces, line ends, separators and comments.
  private mutating func skipSpace() {
    while position < bytes.count {
      switch bytes[position] {
      case 0x0A:
        line += 1
        position += 1
      case 0x20, 0x09, 0x0D, 0x2C, 0x3B: position += 1
      case 0x23: while position < bytes.count, bytes[position] != 0x0A { position += 1 }
      default: return
      }
    }
  }

  private mutating func takes(_ character: Character) -> Bool {
    skipSpace()
    guard position < bytes.count, bytes[position] == character.asciiValue else { return false }
    position += 1
    return true
  }

  /// A name or number.
  private mutating func word() -> String {
    skipSpace()
    let start = position
    while position < bytes.count {
      let byte = bytes[position]
      let isPart =
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        || [0x5F, 0x2D, 0x2B, 0x2E].contains(byte)
      guard isPart else { break }
      position += 1
    }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  /// Quoted text with its escapes; pieces that follow one another are one text.
  private mutating func text() throws -> [UInt8] {
    var result: [UInt8] = []
    var isFirst = true
    while true {
      skipSpace()
      guard position < bytes.count, bytes[position] == 0x22 || bytes[position] == 0x27 else {
        if isFirst { throw fault("text is not quoted") }
        return result
      }
      isFirst = false
      let quote = bytes[position]
      position += 1
      while true {
        guard position < bytes.count, bytes[position] != 0x0A else {
          throw fault("text has no end")
        }
        let byte = bytes[position]
        position += 1
        if byte == quote { break }
        result.append(byte == 0x5C ? try escape() : byte)
      }
    }
  }

  /// The byte that an escape stands for.
  private mutating func escape() throws -> UInt8 {
    guard position < bytes.count else { throw fault("text has no end") }
    let byte = bytes[position]
    position += 1
    switch byte {
    case 0x6E: return 0x0A
    case 0x74: return 0x09
    case 0x72: return 0x0D
    case 0x61: return 0x07
    case 0x62: return 0x08
    case 0x66: return 0x0C
    case 0x76: return 0x0B
    case 0x30...0x37, 0x78, 0x58:
      let isOctal = byte < 0x40
      if isOctal { position -= 1 }
      var value = 0
      var count = 0
      while position < bytes.count, count < (isOctal ? 3 : 2),
        let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue,
        digit < (isOctal ? 8 : 16)
      {
        value = value * (isOctal ? 8 : 16) + digit
        position += 1
        count += 1
      }
      guard count > 0, value < 256 else { throw fault("an escape is no byte") }
      return UInt8(value)
    default: return byte
    }
  }

  /// The fields of a message up to its end.
  private mutating func fields(
    _ known: [String: Field],
    into writer: inout ProtobufWriter,
    isInner: Bool,
    depth: Int
  ) throws {
    guard depth < Self.deepest else { throw fault("messages are nested too deeply") }
    while true {
      skipSpace()
      if position >= bytes.count {
        if isInner { throw fault("a message has no end") }
        return
      }
      if isInner, takes("}") { return }
      let name = word()
      guard !name.isEmpty else { throw fault("a field has no name") }
      let isColon = takes(":")
      if takes("[") {
        while !takes("]") {
          skipSpace()
          guard position < bytes.count else { throw fault("a list has no end") }
          try value(known[name], into: &writer, depth: depth)
        }
        continue
      }
      skipSpace()
      guard isColon || position < bytes.count && bytes[position] == 0x7B else {
        throw fault("'\(name)' has no value")
      }
      try value(known[name], into: &writer, depth: depth)
    }
  }

  private mutating func value(
    _ field: Field?,
    into writer: inout ProtobufWriter,
    depth: Int
  ) throws {
    if takes("{") {
      var inner = ProtobufWriter()
      guard case .message(let number, let known) = field else {
        // A message that is not needed.
        return try fields([:], into: &inner, isInner: true, depth: depth + 1)
      }
      try fields(known(), into: &inner, isInner: true, depth: depth + 1)
      writer.message(number, inner)
      return
    }
    skipSpace()
    if position < bytes.count, bytes[position] == 0x22 || bytes[position] == 0x27 {
      let text = try text()
      if case .text(let number) = field { writer.bytes(number, [ByteView(text)]) }
      return
    }
    let word = word()
    guard !word.isEmpty else { throw fault("a value is missing") }
    switch field {
    case nil: return
    case .integer(let number):
      guard let value = Int64(word) ?? UInt64(word).map({ Int64(bitPattern: $0) }) else {
        throw fault("'\(word)' is no integer")
      }
      writer.integer(number, value)
    case .bool(let number):
      writer.integer(number, ["true", "True", "t", "1"].contains(word) ? 1 : 0)
    case .float(let number):
      let plain =
        word.hasSuffix("f") && word != "inf" && word != "-inf" ? String(word.dropLast()) : word
      guard let value = Float(plain) else { throw fault("'\(word)' is no number") }
      writer.float(number, value)
    case .double(let number):
      guard let value = Double(word) else { throw fault("'\(word)' is no number") }
      writer.double(number, value)
    case .type(let number): writer.integer(number, Self.types[word] ?? Int64(word) ?? 0)
    case .text, .message: throw fault("'\(word)' is not of the type of its field")
    }
  }

  private static let types: [String: Int64] = [
    "DT_FLOAT": 1, "DT_DOUBLE": 2, "DT_INT32": 3, "DT_UINT8": 4, "DT_INT16": 5, "DT_INT8": 6,
    "DT_STRING": 7, "DT_INT64": 9, "DT_BOOL": 10, "DT_BFLOAT16": 14, "DT_UINT16": 17,
    "DT_HALF": 19, "DT_RESOURCE": 20, "DT_VARIANT": 21, "DT_UINT32": 22, "DT_UINT64": 23,
    "DT_FLOAT_REF": 101, "DT_DOUBLE_REF": 102, "DT_INT32_REF": 103, "DT_INT64_REF": 109,
    "DT_BOOL_REF": 110,
  ]
}
