import AssayBase
import AssayCodec
import AssayGraph
import AssayTensor

extension Concat: TFLiteOperator {
  static var builtins: [BuiltinOperator] { ["CONCATENATION"] }

  func write(_ node: ExportedNode, to exporter: inout TFLiteExporter) throws {
    var options = FlatObject()
    options.set(0, Int32(clamping: axis))
    let type = try node.type(0)
    let version =
      switch type.dtype {
      case .int4: 5
      case .uint32: 4
      default: integerVersion(of: type, int16: 3)
      }
    exporter.add(
      "CONCATENATION",
      version: version,
      node,
      options: (OptionsType.concatenation, options)
    )
  }

  static func read(_ source: ImportedOperator, into importer: inout TFLiteImporter) throws {
    let inputs = try source.record.inputs.indices.map { try importer.input($0, of: source) }
    try importer.add(
      Concat(axis: try source.options.int(0)),
      inputs,
      source,
      then: source.options.activation(1)
    )
  }
}
