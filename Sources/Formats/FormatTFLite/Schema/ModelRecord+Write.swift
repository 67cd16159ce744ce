import AssayBase
import AssayCodec

extension ModelRecord {
  /// The file's bytes in pieces; buffers of some length are handed through uncopied.
  ///
  /// - Throws: `Diagnostic` FLB010 when the file would be too long.
  func write() throws -> [ByteView] {
    var model = FlatObject()
    model.set(0, version)
    model.set(1, codes.map(\.object))
    model.set(2, subgraphs.map(\.object))
    model.set(3, description)
    model.set(
      4,
      buffers.map { bytes in
        var buffer = FlatObject()
        // Kernels read weights with wide loads: the schema asks for an alignment of 16.
        if let bytes { buffer.set(0, bytes, alignment: 16) }
        return buffer
      }
    )
    model.set(
      6,
      metadata.map { entry in
        var object = FlatObject()
        object.set(0, entry.name)
        object.set(1, UInt32(entry.buffer))
        return object
      }
    )
    model.set(7, signatures.map(\.object))
    return try FlatBufferWriter.write(model, identifier: TFLiteFormat.identifier)
  }
}

extension CodeRecord {
  fileprivate var object: FlatObject {
    var object = FlatObject()
    object.set(0, Int8(min(builtin.code, 127)))
    object.set(1, custom)
    object.set(2, version, default: 1)
    object.set(3, builtin.code)
    return object
  }
}

extension SignatureRecord {
  fileprivate var object: FlatObject {
    func maps(_ names: [(name: String, tensor: Int)]) -> [FlatObject] {
      names.map { entry in
        var object = FlatObject()
        object.set(0, entry.name)
        object.set(1, UInt32(entry.tensor))
        return object
      }
    }
    var object = FlatObject()
    object.set(0, maps(inputs))
    object.set(1, maps(outputs))
    object.set(2, key)
    object.set(4, UInt32(subgraph))
    return object
  }
}

extension SubgraphRecord {
  fileprivate var object: FlatObject {
    var object = FlatObject()
    object.set(0, tensors.map(\.object))
    object.set(1, inputs)
    object.set(2, outputs)
    object.set(3, operators.map(\.object))
    object.set(4, name)
    return object
  }
}

extension TensorRecord {
  fileprivate var object: FlatObject {
    var object = FlatObject()
    object.set(0, shape)
    object.set(1, type)
    object.set(2, UInt32(buffer))
    object.set(3, name)
    object.set(4, quantization?.object)
    object.set(7, signature)
    object.set(8, true)
    return object
  }
}

extension QuantizationRecord {
  fileprivate var object: FlatObject {
    var object = FlatObject()
    object.set(2, scales)
    object.set(3, zeroPoints)
    object.set(6, axis)
    return object
  }
}

extension OperatorRecord {
  fileprivate var object: FlatObject {
    var object = FlatObject()
    object.set(0, UInt32(code))
    object.set(1, inputs)
    object.set(2, outputs)
    object.set(3, optionsType)
    object.set(4, newOptions)
    return object
  }
}
