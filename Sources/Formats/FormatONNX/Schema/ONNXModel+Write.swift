import AssayBase
import AssayCodec

extension ONNXModel {
  /// The file's bytes, in pieces; elements of constants are passed through uncopied.
  func encoded() -> [ByteView] {
    var writer = ProtobufWriter()
    writer.integer(1, irVersion)
    for set in opsets {
      writer.message(8) { inner in
        inner.string(1, set.domain)
        inner.integer(2, set.version)
      }
    }
    writer.string(2, producerName)
    if !producerVersion.isEmpty { writer.string(3, producerVersion) }
    if !docString.isEmpty { writer.string(6, docString) }
    writer.message(7) { graph.write(to: &$0) }
    return writer.finish()
  }
}

extension ONNXGraph {
  fileprivate func write(to writer: inout ProtobufWriter) {
    for node in nodes { writer.message(1) { node.write(to: &$0) } }
    writer.string(2, name)
    for tensor in initializers { writer.message(5) { tensor.write(to: &$0) } }
    for input in inputs { writer.message(11) { input.write(to: &$0) } }
    for output in outputs { writer.message(12) { output.write(to: &$0) } }
  }
}

extension ONNXValueInfo {
  fileprivate func write(to writer: inout ProtobufWriter) {
    writer.string(1, name)
    writer.message(2) { type in
      type.message(1) { tensor in
        tensor.integer(1, Int64(elementType))
        guard let shape else { return }
        tensor.message(2) { dims in
          for dimension in shape {
            dims.message(1) { dim in
              switch dimension {
              case .fixed(let extent): dim.integer(1, extent)
              case .named(let name): dim.string(2, name)
              case .open: break
              }
            }
          }
        }
      }
    }
  }
}

extension ONNXNode {
  fileprivate func write(to writer: inout ProtobufWriter) {
    for input in inputs { writer.string(1, input) }
    for output in outputs { writer.string(2, output) }
    writer.string(3, name)
    writer.string(4, opType)
    for attribute in attributes { writer.message(5) { attribute.write(to: &$0) } }
    if !domain.isEmpty { writer.string(7, domain) }
  }
}

extension ONNXAttribute {
  fileprivate func write(to writer: inout ProtobufWriter) {
    writer.string(1, name)
    switch payload {
    case .float(let value):
      writer.float(2, value)
      writer.integer(20, 1)
    case .int(let value):
      writer.integer(3, value)
      writer.integer(20, 2)
    case .string(let value):
      writer.string(4, value)
      writer.integer(20, 3)
    case .tensor(let value):
      writer.message(5) { value.write(to: &$0) }
      writer.integer(20, 4)
    case .floats(let values):
      for value in values { writer.float(7, value) }
      writer.integer(20, 6)
    case .ints(let values):
      for value in values { writer.integer(8, value) }
      writer.integer(20, 7)
    case .strings(let values):
      for value in values { writer.string(9, value) }
      writer.integer(20, 8)
    // Written networks have no inner graphs, sparse constants or functions.
    case .graph, .sparse, .reference, .other: break
    }
  }
}

extension ONNXTensor {
  fileprivate func write(to writer: inout ProtobufWriter) {
    writer.packed(1, dims)
    writer.integer(2, Int64(dataType))
    writer.string(8, name)
    guard !isExternal else {
      for key in external.keys.sorted() {
        writer.message(13) { entry in
          entry.string(1, key)
          entry.string(2, external[key] ?? "")
        }
      }
      writer.integer(14, 1)
      return
    }
    writer.bytes(9, raw)
  }
}
