import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor

extension Quantize: TFLiteOperator {
  static var builtins: [BuiltinOperator] { ["QUANTIZE"] }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    let (x, output) = (try node.type(0), try node.outputType)
    let version: Int =
      if x.dtype == .uint4 || output.dtype == .uint4 {
        5
      } else if x.dtype == .int4 || output.dtype == .int4 {
        4
      } else if isPerChannel(output) {
        3
      } else {
        output.dtype == .int16 ? 2 : 1
      }
    exporter.add("QUANTIZE", version: version, node)
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    let type = try importer.declaredType(0, of: source)
    guard let quantization = type.quantization else {
      throw Diagnostic("TFL016", "the result has no scale")
    }
    try importer.add(
      Quantize(type.dtype, quantization),
      [try importer.input(0, of: source)],
      source
    )
  }
}

extension Dequantize: TFLiteOperator {
  static var builtins: [BuiltinOperator] { ["DEQUANTIZE"] }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    let x = try node.type(0)
    let version =
      switch x.dtype {
      case .uint4: 8
      case .int4: 6
      case .int16, .float16: 3
      case .int8: isPerChannel(x) ? 5 : 2
      default: 1
      }
    exporter.add("DEQUANTIZE", version: version, node)
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    try importer.add(Dequantize(), [try importer.input(0, of: source)], source)
  }
}

extension Cast: TFLiteOperator {
  static var builtins: [BuiltinOperator] { ["CAST"] }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    let (from, to) = (try node.type(0).dtype, try node.outputType.dtype)
    func has(_ type: DType) -> Bool { from == type || to == type }
    let version: Int =
      if has(.uint4) {
        8
      } else if has(.bfloat16) {
        7
      } else if from == .int4, to == .float32 {
        6
      } else if has(.float64) || has(.float16) {
        5
      } else if has(.uint16) {
        4
      } else if has(.int8) {
        3
      } else {
        has(.uint32) ? 2 : 1
      }
    var options = FlatObject()
    options.set(0, from.tfliteNumber)
    options.set(1, to.tfliteNumber)
    exporter.add("CAST", version: version, node, options: (OptionsType.cast, options))
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    let type = try importer.declaredType(0, of: source)
    try importer.add(Cast(type.dtype), [try importer.input(0, of: source)], source)
  }
}
