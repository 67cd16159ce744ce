import AssayBase
import AssayRuntime
import AssayTensor
import CLiteRT

extension LiteRTSession {
  /// The extents of a layout.
  func dims(of layout: LrtLayout) -> [Int] {
    let rank = min(Int(layout.rank_and_flags & 0x7F), 8)
    return unsafe withUnsafeBytes(of: layout.dims) { bytes in
      (0..<rank).map { Int(unsafe bytes.load(fromByteOffset: $0 * 4, as: Int32.self)) }
    }
  }

  /// A tensor's element type with the extents that the compiled model has now.
  func tensorType(_ tensor: LrtTensor?, _ layout: LrtLayout) throws -> LrtTensorType {
    var type = LrtTensorType()
    try library.check(
      unsafe library.functions.LiteRtGetRankedTensorType(tensor, &type),
      "LiteRtGetRankedTensorType",
      code: "RTM005"
    )
    type.layout = layout
    return type
  }

  /// The port that a tensor of a signature is.
  func port(
    _ name: UnsafePointer<CChar>?,
    _ tensor: LrtTensor?,
    _ type: LrtTensorType
  ) throws -> Port {
    let text = unsafe name.map { unsafe String(cString: $0) } ?? ""
    guard let dtype = LiteRTSession.dtypes[type.element] else {
      throw Diagnostic(
        "RTM007",
        "'\(text)' has an element type that is not supported (LiteRT's number \(type.element))"
      )
    }
    let quantization = dtype.isInteger ? unsafe self.quantization(tensor) : nil
    return Port(
      name: text,
      type: TensorType(dtype, Shape(dims(of: type.layout)), quantization: quantization)
    )
  }

  private func quantization(_ tensor: LrtTensor?) -> Quantization? {
    var kind: Int32 = 0
    let f = library.functions
    guard unsafe f.LiteRtGetQuantizationTypeId(tensor, &kind) == 0 else { return nil }
    if kind == LrtQuantizationPerTensor {
      var one = LrtPerTensor()
      guard unsafe f.LiteRtGetPerTensorQuantization(tensor, &one) == 0, one.scale > 0 else {
        return nil
      }
      return Quantization(scale: one.scale, zeroPoint: Int32(clamping: one.zero_point))
    }
    guard kind == LrtQuantizationPerChannel else { return nil }
    var many = unsafe LrtPerChannel()
    guard unsafe f.LiteRtGetPerChannelQuantization(tensor, &many) == 0,
      let scales = unsafe many.scales, let zeroPoints = unsafe many.zero_points,
      let count = unsafe Int(exactly: many.count), count > 0, count < 1 << 24
    else { return nil }
    return unsafe Quantization(
      scales: (0..<count).map { unsafe scales[$0] },
      zeroPoints: (0..<count).map { unsafe Int32(clamping: zeroPoints[$0]) },
      axis: Int(many.axis)
    )
  }

  private static let dtypes: [Int32: DType] = [
    1: .float32, 2: .int32, 3: .uint8, 4: .int64, 6: .bool, 7: .int16, 9: .int8, 10: .float16,
    11: .float64, 13: .uint64, 16: .uint32, 17: .uint16, 18: .int4, 19: .bfloat16, 21: .uint4,
  ]
}
