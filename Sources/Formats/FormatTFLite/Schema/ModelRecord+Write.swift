import AssayBase
import AssayCodec

extension ModelRecord {
  /// The greatest number of bytes of buffers that lie within the tables' part of a file, whose
  /// offsets have 31 bits.
  static let mostInside = 0x7000_0000

  /// The file's bytes in pieces; buffers of some length are handed through uncopied.
  ///
  /// Buffers of more than `limit` bytes in all lie behind the tables, where LiteRT reads them by
  /// offsets of 64 bits.
  ///
  /// - Throws: `Diagnostic` FLB010 when the tables alone would be too long.
  func write(limit: Int = ModelRecord.mostInside) throws -> [ByteView] {
    let total = buffers.reduce(0) { $0 + ($1?.count ?? 0) }
    guard total > limit else {
      return try FlatBufferWriter.write(object(offsets: nil), identifier: TFLiteFormat.identifier)
    }
    // Offsets are as wide as what stands for them here, so that the tables' length is that of the
    // first writing.
    let blank = buffers.map { $0.map { _ in UInt64.max } }
    let tables = try FlatBufferWriter.write(
      object(offsets: blank),
      identifier: TFLiteFormat.identifier
    )
    var end = tables.reduce(0) { $0 + $1.count }
    var offsets: [UInt64?] = []
    var behind: [ByteView] = []
    for bytes in buffers {
      guard let bytes else {
        offsets.append(nil)
        continue
      }
      let gap = (16 - end % 16) % 16
      if gap > 0 { behind.append(ByteView([UInt8](repeating: 0, count: gap))) }
      offsets.append(UInt64(end + gap))
      behind.append(bytes)
      end += gap + bytes.count
    }
    return try FlatBufferWriter.write(
      object(offsets: offsets),
      identifier: TFLiteFormat.identifier
    ) + behind
  }

  /// The root table.
  ///
  /// - Parameter offsets: where each buffer lies in the file; `nil` for buffers within the tables.
  private func object(offsets: [UInt64?]?) -> FlatObject {
    var model = FlatObject()
    model.set(0, version)
    model.set(1, codes.map(\.object))
    model.set(2, subgraphs.map(\.object))
    model.set(3, description)
    model.set(
      4,
      buffers.enumerated().map { index, bytes in
        var buffer = FlatObject()
        if let bytes, let offset = offsets?[index] {
          buffer.set(1, offset)
          buffer.set(2, UInt64(bytes.count))
        } else if let bytes {
          // Kernels read weights with wide loads: the schema asks for an alignment of 16.
          buffer.set(0, bytes, alignment: 16)
        }
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
    return model
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
    object.set(5, isVariable)
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
    if let blockwise {
      var details = FlatObject()
      details.set(0, Int32(clamping: blockwise.scales))
      details.set(1, Int32(clamping: blockwise.zeroPoints))
      details.set(2, Int32(clamping: blockwise.blockSize))
      object.set(4, kind)
      object.set(5, details)
    }
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
    if secondOptionsType != 0 {
      object.set(11, secondOptionsType)
      object.set(12, newOptions)
    } else {
      object.set(3, optionsType)
      object.set(4, newOptions)
    }
    if let customOptions { object.set(5, customOptions, alignment: 16) }
    if !intermediates.isEmpty { object.set(8, intermediates) }
    return object
  }
}
