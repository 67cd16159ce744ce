import AssayBase
import AssayCodec

extension ONNXModel {
  /// Reads a file's bytes; elements of constants stay slices of them.
  init(reading bytes: ByteView) throws {
    var reader = ProtobufReader(bytes, maximumDepth: 32)
    var hasGraph = false
    while let field = try reader.next() {
      switch field.number {
      case 1: irVersion = try field.integer()
      case 2: producerName = try field.string()
      case 3: producerVersion = try field.string()
      case 6: docString = try field.string()
      case 7:
        guard !hasGraph else { throw Diagnostic("ONX002", "the file has two graphs") }
        hasGraph = true
        graph = try ONNXGraph(try reader.message(field))
      case 8: opsets.append(try operatorSet(try reader.message(field)))
      case 25: functions.append(try ONNXFunction(try reader.message(field)))
      default: break
      }
    }
    guard hasGraph else { throw Diagnostic("ONX001", "this is not an ONNX file: it has no graph") }
  }
}

/// The domain and version of an operator set.
private func operatorSet(_ message: ProtobufReader) throws -> (domain: String, version: Int64) {
  var reader = message
  var set = (domain: "", version: Int64(0))
  while let part = try reader.next() {
    switch part.number {
    case 1: set.domain = try part.string()
    case 2: set.version = try part.integer()
    default: break
    }
  }
  return set
}

extension ONNXFunction {
  init(_ message: ProtobufReader) throws {
    var reader = message
    while let field = try reader.next() {
      switch field.number {
      case 1: name = try field.string()
      case 4: inputs.append(try field.string())
      case 5: outputs.append(try field.string())
      case 7: nodes.append(try ONNXNode(try reader.message(field)))
      case 9: opsets.append(try operatorSet(try reader.message(field)))
      case 10: domain = try field.string()
      case 11: defaults.append(try ONNXAttribute(try reader.message(field)))
      case 13: overload = try field.string()
      default: break
      }
    }
  }
}

extension ONNXSparseTensor {
  init(_ message: ProtobufReader) throws {
    var reader = message
    while let field = try reader.next() {
      switch field.number {
      case 1: values = try ONNXTensor(try reader.message(field))
      case 2: indices = try ONNXTensor(try reader.message(field))
      case 3: try field.append(to: &dims)
      default: break
      }
    }
  }
}

extension ONNXGraph {
  init(_ message: ProtobufReader) throws {
    var reader = message
    while let field = try reader.next() {
      switch field.number {
      case 1: nodes.append(try ONNXNode(try reader.message(field)))
      case 2: name = try field.string()
      case 5: initializers.append(try ONNXTensor(try reader.message(field)))
      case 11: inputs.append(try ONNXValueInfo(try reader.message(field)))
      case 12: outputs.append(try ONNXValueInfo(try reader.message(field)))
      case 15:
        sparseInitializers.append(try ONNXSparseTensor(try reader.message(field)))
      default: break
      }
    }
  }
}

extension ONNXValueInfo {
  init(_ message: ProtobufReader) throws {
    var reader = message
    while let field = try reader.next() {
      switch field.number {
      case 1: name = try field.string()
      case 2: try readType(try reader.message(field))
      default: break
      }
    }
  }

  private mutating func readType(_ message: ProtobufReader) throws {
    var reader = message
    while let field = try reader.next() {
      guard field.number == 1 else { continue }
      var tensor = try reader.message(field)
      while let part = try tensor.next() {
        switch part.number {
        case 1: elementType = Int32(truncatingIfNeeded: try part.integer())
        case 2: shape = try dimensions(try tensor.message(part))
        default: break
        }
      }
    }
  }

  private func dimensions(_ message: ProtobufReader) throws -> [Dimension] {
    var reader = message
    var result: [Dimension] = []
    while let field = try reader.next() {
      guard field.number == 1 else { continue }
      var inner = try reader.message(field)
      var dimension = Dimension.open
      while let part = try inner.next() {
        switch part.number {
        case 1: dimension = .fixed(try part.integer())
        case 2: dimension = .named(try part.string())
        default: break
        }
      }
      result.append(dimension)
    }
    return result
  }
}

extension ONNXNode {
  init(_ message: ProtobufReader) throws {
    var reader = message
    while let field = try reader.next() {
      switch field.number {
      case 1: inputs.append(try field.string())
      case 2: outputs.append(try field.string())
      case 3: name = try field.string()
      case 4: opType = try field.string()
      case 5: attributes.append(try ONNXAttribute(try reader.message(field)))
      case 7: domain = try field.string()
      case 8: overload = try field.string()
      default: break
      }
    }
  }
}

extension ONNXAttribute {
  init(_ message: ProtobufReader) throws {
    var reader = message
    var name = ""
    var type: Int64 = 0
    var float: Float = 0
    var int: Int64 = 0
    var string: String = ""
    var tensor: ONNXTensor?
    var floats: [Float] = []
    var ints: [Int64] = []
    var strings: [String] = []
    var graph: ONNXGraph?
    var sparse: ONNXSparseTensor?
    var reference = ""
    while let field = try reader.next() {
      switch field.number {
      case 1: name = try field.string()
      case 2: float = try field.float()
      case 3: int = try field.integer()
      // Bytes that are no text (a vendor's blob) are of no use to any operator here.
      case 4: string = try field.bytes().utf8 ?? ""
      case 5: tensor = try ONNXTensor(try reader.message(field))
      case 6: graph = try ONNXGraph(try reader.message(field))
      case 7: try field.append(to: &floats)
      case 8: try field.append(to: &ints)
      case 9: strings.append(try field.bytes().utf8 ?? "")
      case 20: type = try field.integer()
      case 21: reference = try field.string()
      case 22: sparse = try ONNXSparseTensor(try reader.message(field))
      default: break
      }
    }
    let payload: Payload =
      switch type {
      case _ where !reference.isEmpty: .reference(reference)
      case 1: .float(float)
      case 2: .int(int)
      case 3: .string(string)
      case 4: tensor.map { .tensor($0) } ?? .other
      case 5: graph.map { .graph($0) } ?? .other
      case 6: .floats(floats)
      case 7: .ints(ints)
      case 8: .strings(strings)
      case 11: sparse.map { .sparse($0) } ?? .other
      default: .other
      }
    self.init(name: name, payload: payload)
  }
}

extension ONNXTensor {
  init(_ message: ProtobufReader) throws {
    var reader = message
    while let field = try reader.next() {
      switch field.number {
      case 1: try field.append(to: &dims)
      case 2: dataType = Int32(truncatingIfNeeded: try field.integer())
      case 4: try field.append(to: &floatData)
      case 5: try field.append(to: &int32Data)
      case 7: try field.append(to: &int64Data)
      case 8: name = try field.string()
      case 9:
        raw = [try field.bytes()]
        hasRaw = true
      case 10: try field.append(to: &doubleData)
      case 11: try field.append(to: &uint64Data)
      case 13:
        var inner = try reader.message(field)
        var entry = (key: "", value: "")
        while let part = try inner.next() {
          switch part.number {
          case 1: entry.key = try part.string()
          case 2: entry.value = try part.string()
          default: break
          }
        }
        external[entry.key] = entry.value
      case 14: isExternal = try field.integer() == 1
      default: break
      }
    }
  }
}
