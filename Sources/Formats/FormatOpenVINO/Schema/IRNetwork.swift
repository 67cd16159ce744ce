import AssayTensor

/// One output of one layer.
struct IRValue: Hashable {
  /// The layer's index.
  var layer: Int
  /// Which of its outputs.
  var output = 0
}

/// One layer of an OpenVINO network: an operation of one of its operation sets.
struct IRLayer {
  var name: String
  /// The operation, such as `Convolution`.
  var type: String
  /// The operation set that defines it, such as `opset1`.
  var opset: String
  var attributes: [(name: String, value: String)] = []
  var inputs: [IRValue] = []
  var outputs: [TensorType] = []
  /// Names by which users ask for the outputs, one list for each.
  var tensorNames: [[String]] = []
  /// The elements of a `Const`.
  var constant: Tensor?
  /// Whether a `Convert` widens weights that are stored in fewer bits.
  var isDecompression = false

  /// The number of the operation set.
  var set: Int { Int(opset.drop { !$0.isNumber }) ?? 1 }
}

/// An OpenVINO network: layers that stand after those that they read.
///
/// Specification: OpenVINO's "Intermediate Representation format" and operation sets.
struct IRNetwork {
  /// The versions of the format that are known: 10 is read by OpenVINO 2020 to today's, 11 since
  /// 2022.
  static let versions = 10...11
  /// The last operation set that OpenVINO 2021.4 has.
  static let lastSetOfVersion10 = 7

  var name: String
  var version: Int
  /// Who wrote it, and how.
  var description = ""
  var layers: [IRLayer] = []

  /// Drops layers that lead to no Result, inputs excepted.
  mutating func removeUnread() {
    var isRead = layers.map { $0.type == "Result" || $0.type == "Parameter" }
    for index in layers.indices.reversed() where isRead[index] {
      for input in layers[index].inputs { isRead[input.layer] = true }
    }
    guard isRead.contains(false) else { return }
    var places: [Int] = []
    var kept: [IRLayer] = []
    for (index, layer) in layers.enumerated() {
      places.append(kept.count)
      guard isRead[index] else { continue }
      var copy = layer
      copy.inputs = layer.inputs.map { IRValue(layer: places[$0.layer], output: $0.output) }
      kept.append(copy)
    }
    layers = kept
  }
}

extension DType {
  /// The name in `element_type` attributes; `nil` for a type that OpenVINO has not.
  var irElementType: String? {
    switch self {
    case .float32: "f32"
    case .float16: "f16"
    case .bfloat16: "bf16"
    case .float64: "f64"
    case .int8: "i8"
    case .uint8: "u8"
    case .int16: "i16"
    case .uint16: "u16"
    case .int32: "i32"
    case .uint32: "u32"
    case .int64: "i64"
    case .uint64: "u64"
    case .bool: "boolean"
    case .int4: "i4"
    case .uint4: "u4"
    default: nil
    }
  }

  /// The name in `precision` attributes of ports.
  var irPrecision: String {
    switch self {
    case .float32: "FP32"
    case .float16: "FP16"
    case .bfloat16: "BF16"
    case .float64: "FP64"
    case .bool: "BOOL"
    default: (irElementType ?? "UNSPECIFIED").uppercased()
    }
  }
}
