import AssayBase
import AssayTensor

extension ONNXTensor {
  /// A constant to be written.
  init(name: String, _ tensor: Tensor) {
    self.name = name
    dims = tensor.shape.dims.map(Int64.init)
    dataType = tensor.dtype.onnx
    raw = [tensor.bytes]
    hasRaw = true
  }

  /// The constant as a tensor: `raw_data` stays where it is, typed lists are packed.
  ///
  /// - Parameter externalFile: opens a file beside the model by its relative path.
  /// - Throws: `Diagnostic` ONX01x.
  func tensor(externalFile: (String) throws -> ByteView) throws -> Tensor {
    guard let dtype = DType(onnx: dataType), dtype != .string else {
      throw Diagnostic("ONX010", "constants of ONNX type \(dataType) are not supported")
    }
    let type = TensorType(dtype, try Self.shape(dims))
    guard let count = type.shape.elementCount, let byteCount = type.byteCount else {
      throw Diagnostic("ONX011", "the extents \(type.shape) are too large")
    }
    if isExternal { return try Tensor(type, bytes: try externalBytes(byteCount, externalFile)) }
    if hasRaw {
      guard let raw = raw.first, raw.count == byteCount else {
        throw Diagnostic(
          "ONX012",
          "\(type) takes \(byteCount) bytes, there are \(raw.first?.count ?? 0)"
        )
      }
      return try Tensor(type, bytes: raw)
    }
    func packed<Stored, T: BitwiseCopyable>(
      _ list: [Stored],
      _ convert: (Stored) -> T
    ) throws
      -> Tensor
    {
      guard list.count == count else {
        throw Diagnostic("ONX012", "\(type) takes \(count) elements, there are \(list.count)")
      }
      return Tensor(list.map(convert), type.shape, dtype: dtype)
    }
    switch dtype {
    case .float32: return try packed(floatData) { $0 }
    case .float64: return try packed(doubleData) { $0 }
    case .int64: return try packed(int64Data) { $0 }
    case .uint64: return try packed(uint64Data) { UInt64(bitPattern: $0) }
    case .uint32: return try packed(uint64Data) { UInt32(truncatingIfNeeded: $0) }
    case .int32: return try packed(int32Data) { Int32(truncatingIfNeeded: $0) }
    case .int16: return try packed(int32Data) { Int16(truncatingIfNeeded: $0) }
    case .uint16, .float16, .bfloat16:
      return try packed(int32Data) { UInt16(truncatingIfNeeded: $0) }
    case .int8: return try packed(int32Data) { Int8(truncatingIfNeeded: $0) }
    case .uint8, .bool, .float8E4M3FN, .float8E4M3FNUZ, .float8E5M2, .float8E5M2FNUZ:
      return try packed(int32Data) { UInt8(truncatingIfNeeded: $0) }
    case .int4, .uint4, .float4E2M1:
      guard int32Data.count == byteCount else {
        throw Diagnostic("ONX012", "\(type) takes \(byteCount) bytes, there are \(int32Data.count)")
      }
      return try Tensor(
        type,
        bytes: ByteView(int32Data.map { UInt8(truncatingIfNeeded: $0) })
      )
    case .string: throw Diagnostic("ONX010", "constants of text are not supported")
    }
  }

  /// The extents, checked.
  ///
  /// - Throws: `Diagnostic` ONX011.
  static func shape(_ dims: [Int64]) throws -> Shape {
    let extents = try dims.map { dim in
      guard dim >= 0, dim < 1 << 31 else {
        throw Diagnostic("ONX011", "the constant has an extent of \(dim)")
      }
      return Int(dim)
    }
    return Shape(extents)
  }

  private func externalBytes(
    _ byteCount: Int,
    _ externalFile: (String) throws -> ByteView
  ) throws -> ByteView {
    let location = external["location"] ?? ""
    let file = try locating("external data '\(location)'") { try externalFile(location) }
    let offset = try number("offset") ?? 0
    let length = try number("length") ?? file.count - min(offset, file.count)
    guard length == byteCount, offset <= file.count, length <= file.count - offset else {
      throw Diagnostic(
        "ONX012",
        "the constant takes \(byteCount) bytes; \(length) from \(offset) of \(file.count) are named",
        at: ["external data '\(location)'"]
      )
    }
    return try file.slice(offset, length)
  }

  private func number(_ key: String) throws -> Int? {
    guard let text = external[key] else { return nil }
    guard let value = Int(text), value >= 0 else {
      throw Diagnostic("ONX012", "external data: \(key) is '\(text)'")
    }
    return value
  }
}
