import AssayBase
import AssayFormat
import AssayGraph

/// TensorFlow Lite flatbuffers (.tflite, schema version 3), which LiteRT runs.
///
/// Diagnostics have the codes TFL…; a damaged file also gives FLB….
public struct TFLiteFormat: ModelFormat {
  /// The file identifier of schema version 3.
  static let identifier = "TFL3"

  /// Makes the format.
  public init() {}

  public var id: String { "tflite" }
  public var extensions: [String] { ["tflite", "lite", "litert"] }
  public var canExport: Bool { true }

  public func sniff(_ prefix: ByteView) -> Bool {
    (try? prefix.slice(4, 4))?.starts(with: Self.identifier.utf8) ?? false
  }

  /// Bytes -> graph.
  ///
  /// Names of inputs and outputs are those of the first signature, where the file has one.
  /// Operators that cannot be computed become `Opaque`, with a warning that names them (TFL020, for
  /// a network compiled for an Edge TPU TFL021).
  public func importGraph(_ bytes: ByteView, options: ImportOptions) throws -> ImportReport {
    let model = try ModelRecord(reading: bytes)
    var importer = try TFLiteImporter(model, options: options)
    return try importer.run()
  }

  /// Graph -> the file's bytes.
  ///
  /// Weights are handed through uncopied. The signature `serving_default` has the graph's own names
  /// of inputs and outputs.
  public func exportGraph(_ graph: Graph, options: ExportOptions) throws -> [ByteView] {
    var exporter = TFLiteExporter(graph)
    return try exporter.run(description: options.description).write()
  }

  /// Whether nodes with this operator can be written, as far as the operator alone decides.
  public func canExport(_ op: any Operator) -> Bool {
    if let unary = op as? Unary { return unary.hasBuiltin }
    return op is any TFLiteOperator
  }
}
