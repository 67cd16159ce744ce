import AssayBase
import AssayCodec
import AssayTensor

/// An attribute of a node (`AttrValue`).
public enum TFAttribute: Sendable {
  case string(String)
  case int(Int64)
  case float(Float)
  case bool(Bool)
  case type(TFDataType)
  case shape(TFShape)
  case tensor(TFTensor)
  /// A function of the library, by name.
  case function(String)
  case strings([String])
  case ints([Int64])
  case floats([Float])
  case types([TFDataType])
  case shapes([TFShape])
  case functions([String])
  /// A list without elements, whose type the file does not tell.
  case emptyList
  /// Something that networks do not need.
  case other
}

/// One application of a TensorFlow operator (`NodeDef`).
public struct TFNode: Sendable {
  /// The name, unique in its graph or function.
  public var name: String
  /// The operator, such as `Conv2D`.
  public var op: String
  /// What it reads: `node`, `node:1` (graphs), `node:output:0` (functions), `^node` (order only).
  public var inputs: [String]
  /// The attributes.
  public var attributes: [String: TFAttribute]

  /// Makes a node.
  public init(
    _ name: String,
    _ op: String,
    _ inputs: [String] = [],
    _ attributes: [String: TFAttribute] = [:]
  ) {
    self.name = name
    self.op = op
    self.inputs = inputs
    self.attributes = attributes
  }

  /// Reads one message.
  ///
  /// - Throws: `Diagnostic` PRB… when it is malformed.
  public init(reading message: ProtobufReader) throws {
    self.init("", "")
    var reader = message
    while let field = try reader.next() {
      switch field.number {
      case 1: name = try field.string()
      case 2: op = try field.string()
      case 3: inputs.append(try field.string())
      case 5:
        let (key, value) = try mapEntry(try reader.message(field))
        attributes[key] = try value.map { try TFAttribute(reading: $0) } ?? .other
      default: break
      }
    }
  }

  /// Reads a node from its bytes, as TFLite's Flex operators carry them.
  public init(_ bytes: ByteView) throws { try self.init(reading: ProtobufReader(bytes)) }

  /// The message's bytes.
  public func encoded() -> ProtobufWriter {
    var writer = ProtobufWriter()
    writer.string(1, name)
    writer.string(2, op)
    for input in inputs { writer.string(3, input) }
    for (key, value) in attributes.sorted(by: { $0.key < $1.key }) {
      writer.message(5) {
        $0.string(1, key)
        $0.message(2, value.encoded())
      }
    }
    return writer
  }

  /// The inputs that carry values, without those that only order execution.
  public var dataInputs: [String] { inputs.filter { !$0.hasPrefix("^") } }

  /// The names of nodes that must have run before.
  public var controlInputs: [String] {
    inputs.filter { $0.hasPrefix("^") }.map { String($0.dropFirst()) }
  }
}

/// Key and value of an entry of a protobuf map.
func mapEntry(_ message: ProtobufReader) throws -> (key: String, value: ProtobufReader?) {
  var reader = message
  var key = ""
  var value: ProtobufReader?
  while let field = try reader.next() {
    switch field.number {
    case 1: key = try field.string()
    case 2: value = try reader.message(field)
    default: break
    }
  }
  return (key, value)
}

extension TFAttribute {
  init(reading message: ProtobufReader) throws {
    self = .other
    var reader = message
    while let field = try reader.next() {
      switch field.number {
      case 1: self = try Self.list(try reader.message(field))
      case 2: self = .string(String(decoding: try field.bytes().array, as: UTF8.self))
      case 3: self = .int(try field.integer())
      case 4: self = .float(try field.float())
      case 5: self = .bool(try field.integer() != 0)
      case 6: self = .type(TFDataType(number: try field.integer()))
      case 7: self = .shape(try TFShape(reading: try reader.message(field)))
      case 8: self = .tensor(try TFTensor(reading: try reader.message(field)))
      case 10: self = .function(try Self.functionName(try reader.message(field)))
      default: break
      }
    }
  }

  private static func functionName(_ message: ProtobufReader) throws -> String {
    var reader = message
    var name = ""
    while let field = try reader.next() { if field.number == 1 { name = try field.string() } }
    return name
  }

  private static func list(_ message: ProtobufReader) throws -> TFAttribute {
    var reader = message
    var strings: [String] = []
    var ints: [Int64] = []
    var floats: [Float] = []
    var types: [Int64] = []
    var shapes: [TFShape] = []
    var functions: [String] = []
    while let field = try reader.next() {
      switch field.number {
      case 2: strings.append(String(decoding: try field.bytes().array, as: UTF8.self))
      case 3, 5: try field.append(to: &ints)
      case 4: try field.append(to: &floats)
      case 6: try field.append(to: &types)
      case 7: shapes.append(try TFShape(reading: try reader.message(field)))
      case 9: functions.append(try functionName(try reader.message(field)))
      default: break
      }
    }
    if !strings.isEmpty { return .strings(strings) }
    if !ints.isEmpty { return .ints(ints) }
    if !floats.isEmpty { return .floats(floats) }
    if !types.isEmpty { return .types(types.map { TFDataType(number: $0) }) }
    if !shapes.isEmpty { return .shapes(shapes) }
    return functions.isEmpty ? .emptyList : .functions(functions)
  }

  func encoded() -> ProtobufWriter {
    var writer = ProtobufWriter()
    switch self {
    case .string(let text): writer.string(2, text)
    case .int(let number): writer.integer(3, number)
    case .float(let number): writer.float(4, number)
    case .bool(let value): writer.integer(5, value ? 1 : 0)
    case .type(let type): writer.integer(6, type.rawValue)
    case .shape(let shape): writer.message(7, shape.encoded())
    case .tensor(let tensor): writer.message(8, tensor.encoded())
    case .function(let name): writer.message(10) { $0.string(1, name) }
    case .strings(let texts):
      writer.message(1) { list in for text in texts { list.string(2, text) } }
    case .ints(let numbers): writer.message(1) { $0.packed(3, numbers) }
    case .floats(let numbers):
      writer.message(1) { list in for number in numbers { list.float(4, number) } }
    case .types(let types): writer.message(1) { $0.packed(6, types.map(\.rawValue)) }
    case .shapes(let shapes):
      writer.message(1) { list in for shape in shapes { list.message(7, shape.encoded()) } }
    case .functions(let names):
      writer.message(1) { list in
        for name in names { list.message(9) { $0.string(1, name) } }
      }
    case .emptyList: writer.message(1) { _ in }
    case .other: break
    }
    return writer
  }
}
