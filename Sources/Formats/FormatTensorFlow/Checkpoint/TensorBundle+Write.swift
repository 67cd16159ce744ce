import AssayBase
import AssayCodec
import AssayTensor
import AssayTensorFlow

extension TensorBundle {
  /// The index and the elements of a checkpoint with these values, in one file of elements.
  static func write(
    _ values: [(name: String, value: Tensor)]
  ) -> (index: [ByteView], data: [ByteView]) {
    var table = LevelDBTableWriter()
    var header = ProtobufWriter()
    header.integer(1, 1)
    header.message(3) { $0.integer(1, 1) }
    table.add([], header.finish().flatMap(\.array))
    var data: [ByteView] = []
    var offset = 0
    let ordered = values.sorted { Array($0.name.utf8).lexicographicallyPrecedes($1.name.utf8) }
    for (name, value) in ordered {
      var entry = ProtobufWriter()
      entry.integer(1, TFDataType(value.dtype).rawValue)
      entry.message(2) { shape in
        for dim in value.shape.dims { shape.message(2) { $0.integer(1, Int64(dim)) } }
      }
      if offset > 0 { entry.integer(4, Int64(offset)) }
      entry.integer(5, Int64(value.bytes.count))
      entry.fixed32(6, CRC32C.masked(CRC32C.checksum(value.bytes)))
      table.add(Array(name.utf8), entry.finish().flatMap(\.array))
      data.append(value.bytes)
      offset += value.bytes.count
    }
    return ([ByteView(table.finish())], data)
  }
}
