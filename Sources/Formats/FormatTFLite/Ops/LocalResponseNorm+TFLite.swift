import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor

extension LocalResponseNorm: TFLiteOperator {
  static var builtins: [BuiltinOperator] { ["LOCAL_RESPONSE_NORMALIZATION"] }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    guard size % 2 == 1 else {
      throw Diagnostic("TFL107", "an even number of neighbours (\(size)) has no counterpart")
    }
    var options = FlatObject()
    options.set(0, Int32(clamping: size / 2))
    options.set(1, bias)
    options.set(2, alpha)
    options.set(3, beta)
    exporter.add(
      "LOCAL_RESPONSE_NORMALIZATION",
      node,
      options: (OptionsType.localResponseNormalization, options)
    )
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    let radius = try source.options.int(0)
    guard radius >= 0, radius < 1 << 18 else {
      throw Diagnostic("TFL017", "a radius of \(radius)")
    }
    let op = LocalResponseNorm(
      size: 2 * radius + 1,
      alpha: try source.options.float(2),
      beta: try source.options.float(3),
      bias: try source.options.float(1)
    )
    try importer.add(op, [try importer.input(0, of: source)], source)
  }
}
