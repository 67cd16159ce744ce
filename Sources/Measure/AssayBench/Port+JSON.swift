import AssayBase
import AssayRuntime
import AssayTensor

extension Port {
  /// The port as a worker tells it.
  public var json: JSON {
    var object = JSON.object([
      "name": .string(name), "dtype": .string(type.dtype.rawValue),
      "shape": .array(type.shape.dims.map { JSON($0) }),
    ])
    if let quantization = type.quantization {
      object["scales"] = .array(quantization.scales.map { .number(Double($0)) })
      object["zeroPoints"] = .array(quantization.zeroPoints.map { .integer(Int64($0)) })
      object["axis"] = quantization.axis.map { JSON($0) }
    }
    return object
  }

  /// Reads a port.
  ///
  /// - Throws: `Diagnostic` BEN001 when this is none.
  public init(json: JSON) throws {
    guard let name = json["name"]?.string, let dims = json["shape"]?.ints,
      let dtype = json["dtype"]?.string.flatMap(DType.init(rawValue:))
    else { throw Diagnostic("BEN001", "a worker told of something that is no port") }
    var quantization: Quantization?
    if let scales = json["scales"]?.array?.compactMap(\.double), let first = scales.first,
      let zeroPoints = json["zeroPoints"]?.ints, zeroPoints.count == scales.count
    {
      quantization = Quantization(scale: Float(first), zeroPoint: Int32(clamping: zeroPoints[0]))
      if let axis = json["axis"]?.int {
        quantization = Quantization(
          scales: scales.map { Float($0) },
          zeroPoints: zeroPoints.map { Int32(clamping: $0) },
          axis: axis
        )
      }
    }
    self.init(name: name, type: TensorType(dtype, Shape(dims), quantization: quantization))
  }
}

extension Placement {
  /// Reads a placement; what is no placement has the provider `unknown`.
  init(json: JSON?) {
    self.init(
      provider: json?["provider"]?.string ?? "unknown",
      placed: json?["placed"]?.int,
      total: json?["total"]?.int,
      notes: json?["notes"]?.array?.compactMap(\.string) ?? []
    )
  }
}
