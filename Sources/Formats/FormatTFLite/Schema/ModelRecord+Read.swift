import AssayBase
import AssayCodec

extension ModelRecord {
  /// Reads the tables of a file.
  ///
  /// - Throws: `Diagnostic` FLB… for a damaged file, TFL001 for another version of the schema.
  init(reading bytes: ByteView) throws {
    let model = try FlatBufferReader(bytes).root(identifier: TFLiteFormat.identifier)
    version = try model.scalar(0, default: 0)
    guard version == 3 else {
      throw Diagnostic(
        "TFL001",
        "the file has version \(version) of the schema",
        remedy: "convert the model again with a converter that writes version 3"
      )
    }
    description = try model.string(3)
    codes = try model.tables(1).map { try CodeRecord(reading: $0) }
    subgraphs = try model.tables(2).map { try SubgraphRecord(reading: $0, of: bytes) }
    buffers = try model.tables(4).enumerated().map { index, table in
      try locating("buffer \(index)") { try Self.buffer(table, of: bytes) }
    }
    metadata = try model.tables(6).map {
      MetadataRecord(
        name: try $0.string(0) ?? "",
        buffer: Int(try $0.scalar(1, default: UInt32(0)))
      )
    }
    signatures = try model.tables(7).map { try SignatureRecord(reading: $0) }
  }

  /// The bytes of a buffer, which lie in the table or, in files beyond 2 GB, behind all tables.
  private static func buffer(_ table: FlatTable, of bytes: ByteView) throws -> ByteView? {
    if let data = try table.bytes(0), data.count > 0 { return data }
    let offset = try table.scalar(1, default: UInt64(0))
    let size = try table.scalar(2, default: UInt64(0))
    return try outside(offset, size, of: bytes)
  }

  /// Bytes behind the tables; `nil` where there are none.
  static func outside(_ offset: UInt64, _ size: UInt64, of bytes: ByteView) throws -> ByteView? {
    guard offset > 1, size > 0 else { return nil }
    guard let start = Int(exactly: offset), let count = Int(exactly: size),
      let view = try? bytes.slice(start, count)
    else {
      throw Diagnostic(
        "FLB001",
        "\(size) bytes at \(offset) leave the file",
        remedy: "the file is truncated or damaged: make or download it again"
      )
    }
    return view
  }

  /// The text of a metadata entry, without the zeros that fill it up.
  func text(ofMetadata name: String) -> String? {
    guard let entry = metadata.first(where: { $0.name == name }),
      buffers.indices.contains(entry.buffer), let bytes = buffers[entry.buffer]
    else { return nil }
    return String(validating: bytes.array.prefix { $0 != 0 }, as: UTF8.self)
  }
}

extension CodeRecord {
  fileprivate init(reading table: FlatTable) throws {
    // Numbers up to 127 lie in the field of the first schema, greater ones in the new field alone.
    let old = Int32(try table.scalar(0, default: Int8(0)))
    builtin = BuiltinOperator(code: max(old, try table.scalar(3, default: Int32(0))))
    custom = try table.string(1)
    version = try table.scalar(2, default: 1)
  }
}

extension SignatureRecord {
  fileprivate init(reading table: FlatTable) throws {
    func names(_ field: Int) throws -> [(name: String, tensor: Int)] {
      try table.tables(field).map {
        (try $0.string(0) ?? "", Int(try $0.scalar(1, default: UInt32(0))))
      }
    }
    inputs = try names(0)
    outputs = try names(1)
    key = try table.string(2) ?? ""
    subgraph = Int(try table.scalar(4, default: UInt32(0)))
  }
}

extension SubgraphRecord {
  fileprivate init(reading table: FlatTable, of bytes: ByteView) throws {
    name = try table.string(4)
    tensors = try table.tables(0).enumerated().map { index, tensor in
      try locating("tensor \(index)") { try TensorRecord(reading: tensor) }
    }
    inputs = try table.vector(1, of: Int32.self) ?? []
    outputs = try table.vector(2, of: Int32.self) ?? []
    operators = try table.tables(3).enumerated().map { index, entry in
      try locating("operator \(index)") { try OperatorRecord(reading: entry, of: bytes) }
    }
  }
}

extension TensorRecord {
  fileprivate init(reading table: FlatTable) throws {
    shape = try table.vector(0, of: Int32.self) ?? []
    type = try table.scalar(1, default: 0)
    buffer = Int(try table.scalar(2, default: UInt32(0)))
    name = try table.string(3) ?? ""
    quantization = try table.table(4).flatMap { try QuantizationRecord(reading: $0) }
    isVariable = try table.bool(5)
    sparsity = try table.table(6).map { try SparsityRecord(reading: $0) }
    signature = try table.vector(7, of: Int32.self)
    isExternal = try table.scalar(10, default: UInt32(0)) != 0
  }
}

extension QuantizationRecord {
  fileprivate init?(reading table: FlatTable) throws {
    scales = try table.vector(2, of: Float.self) ?? []
    zeroPoints = try table.vector(3, of: Int64.self) ?? []
    axis = try table.scalar(6, default: 0)
    kind = try table.scalar(4, default: UInt8(0))
    if kind == 2, let details = try table.table(5) {
      blockwise = BlockwiseRecord(
        scales: Int(try details.scalar(0, default: Int32(0))),
        zeroPoints: Int(try details.scalar(1, default: Int32(0))),
        blockSize: Int(try details.scalar(2, default: Int32(0)))
      )
    }
    if scales.isEmpty, kind == 0 { return nil }
  }
}

extension SparsityRecord {
  fileprivate init(reading table: FlatTable) throws {
    traversalOrder = (try table.vector(0, of: Int32.self) ?? []).map(Int.init)
    blockMap = (try table.vector(1, of: Int32.self) ?? []).map(Int.init)
    dimensions = try table.tables(2).map { entry in
      if try entry.scalar(0, default: Int8(0)) == 0 {
        return .dense(Int(try entry.scalar(1, default: Int32(0))))
      }
      func indices(_ kind: Int, _ field: Int) throws -> [Int] {
        guard let vector = try entry.table(field) else { return [] }
        switch try entry.scalar(kind, default: UInt8(0)) {
        case 1: return (try vector.vector(0, of: Int32.self) ?? []).map(Int.init)
        case 2: return (try vector.vector(0, of: UInt16.self) ?? []).map(Int.init)
        case 3: return (try vector.vector(0, of: UInt8.self) ?? []).map(Int.init)
        default: return []
        }
      }
      return .sparse(segments: try indices(2, 3), indices: try indices(4, 5))
    }
  }
}

extension OperatorRecord {
  fileprivate init(reading table: FlatTable, of bytes: ByteView) throws {
    code = Int(try table.scalar(0, default: UInt32(0)))
    inputs = try table.vector(1, of: Int32.self) ?? []
    outputs = try table.vector(2, of: Int32.self) ?? []
    optionsType = try table.scalar(3, default: 0)
    options = optionsType == 0 ? nil : try table.table(4)
    secondOptionsType = try table.scalar(11, default: 0)
    secondOptions = secondOptionsType == 0 ? nil : try table.table(12)
    intermediates = try table.vector(8, of: Int32.self) ?? []
    customOptions = try table.bytes(5)
    if customOptions == nil {
      customOptions = try ModelRecord.outside(
        try table.scalar(9, default: UInt64(0)),
        try table.scalar(10, default: UInt64(0)),
        of: bytes
      )
    }
  }
}
