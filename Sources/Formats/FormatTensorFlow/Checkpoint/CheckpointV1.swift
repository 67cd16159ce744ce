import AssayBase
import AssayCodec
import AssayTensor
import AssayTensorFlow

/// A checkpoint of TensorFlow's first format: one or several tables that hold names and elements.
///
/// Format: tensorflow/core/util/saved_tensor_slice.proto. Faults as of `TensorBundle`.
public struct CheckpointV1: Checkpoint {
  /// A variable as a table describes it.
  private struct Entry {
    var dtype: TFDataType = .invalid
    var shape = TFShape([])
    /// The values (`SavedSlice`) that hold its elements.
    var parts: [ByteView] = []
  }

  private var entries: [String: Entry] = [:]

  public var names: [String] { entries.keys.sorted() }

  /// Reads the files of a checkpoint, unless told otherwise with a look for damage.
  public init(_ files: [ByteView], verifiesChecksums: Bool = true) throws {
    var parts: [String: [ByteView]] = [:]
    for file in files {
      for entry in try LevelDBTable(file, verifiesChecksums: verifiesChecksums).entries {
        var reader = ProtobufReader(entry.value)
        while let field = try reader.next() {
          if field.number == 1 { try readMeta(try reader.message(field)) }
          if field.number == 2 {
            let name = try Self.name(try reader.message(field))
            parts[name, default: []].append(try field.bytes())
          }
        }
      }
    }
    guard !entries.isEmpty else { throw Diagnostic("TFG041", "the table is no checkpoint") }
    for (name, values) in parts { entries[name]?.parts = values }
  }

  private mutating func readMeta(_ message: ProtobufReader) throws {
    var reader = message
    while let field = try reader.next() {
      guard field.number == 1 else { continue }
      var inner = try reader.message(field)
      var name = ""
      var entry = Entry()
      while let part = try inner.next() {
        switch part.number {
        case 1: name = try part.string()
        case 2: entry.shape = try TFShape(reading: try inner.message(part))
        case 3: entry.dtype = TFDataType(number: try part.integer())
        default: break
        }
      }
      if entries[name] == nil { entries[name] = entry }
    }
  }

  private static func name(_ message: ProtobufReader) throws -> String {
    var reader = message
    while let field = try reader.next() { if field.number == 1 { return try field.string() } }
    return ""
  }

  public func tensor(_ name: String) throws -> Tensor? {
    guard let entry = entries[name] else { return nil }
    return try locating("variable '\(name)'") {
      guard let dtype = entry.dtype.dtype, dtype != .string else {
        throw Diagnostic("TFG043", "variables of type \(entry.dtype) are not supported")
      }
      guard let shape = try entry.shape.shape(), shape.isStatic else {
        throw Diagnostic("TFG042", "a variable's shape is not known")
      }
      let type = TensorType(dtype, shape)
      var whole: PartitionedTensor?
      for bytes in entry.parts {
        let (slice, part) = try read(bytes, type)
        if slice.isWhole(of: shape) { return part }
        if whole == nil { whole = try PartitionedTensor(type) }
        try whole?.place(part, at: slice)
      }
      guard let whole else { throw Diagnostic("TFG042", "a variable has no elements") }
      return try whole.finish()
    }
  }

  /// A `SavedSlice`: where it belongs, and its elements.
  private func read(_ bytes: ByteView, _ type: TensorType) throws -> (CheckpointSlice, Tensor) {
    var reader = ProtobufReader(bytes)
    var slice: CheckpointSlice?
    var data = TFTensor()
    while let field = try reader.next() {
      if field.number == 2 {
        slice = try CheckpointSlice(reading: try reader.message(field), of: type.shape)
      }
      if field.number == 3 { data = try TFTensor(reading: try reader.message(field)) }
    }
    // A scalar has no axes to be cut along.
    guard let slice = slice ?? (type.shape.rank == 0 ? CheckpointSlice.scalar : nil) else {
      throw Diagnostic("TFG042", "a part does not say where it belongs")
    }
    // The elements come without a shape of their own.
    data.dtype = TFDataType(type.dtype)
    data.shape = TFShape(slice.shape.dims.map(Int64.init))
    let tensor = try data.tensor()
    return (slice, tensor)
  }
}
