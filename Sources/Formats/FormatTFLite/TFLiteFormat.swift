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
  /// Names of inputs and outputs are those of the signature that is read. Operators that cannot be
  /// computed become `Opaque`, with a warning that names them and the reason (TFL020, for a network
  /// compiled for an Edge TPU TFL021).
  public func importGraph(_ bytes: ByteView, options: ImportOptions) throws -> ImportReport {
    let model = try ModelRecord(reading: bytes)
    var importer = try TFLiteImporter(model, options: options)
    var report = try importer.run()
    report.facts = model.facts
    for entry in model.metadata where !ModelMetadata.own.contains(entry.name) {
      guard model.buffers.indices.contains(entry.buffer), let content = model.buffers[entry.buffer]
      else { continue }
      report.graph.attachments.append(Graph.Attachment(entry.name, content, isFile: false))
    }
    let files = ModelMetadata.associatedFiles(bytes)
    report.graph.attachments += files
    for file in files {
      report.facts.append(ImportReport.Fact("file \(file.name)", "\(file.bytes.count) bytes"))
    }
    return report
  }

  /// Graph -> the file's bytes.
  ///
  /// Weights are handed through uncopied. The signature `serving_default` has the graph's own names
  /// of inputs and outputs. Operators without a builtin are decomposed where that is possible. Weights
  /// of more than 1.75 GB lie behind the tables, where LiteRT finds them.
  public func exportGraph(_ graph: Graph, options: ExportOptions) throws -> [ByteView] {
    try exportModel(graph, options: options).main ?? []
  }

  /// Graph -> the file, with a note for each operator that not every runtime has (TFL112).
  public func exportModel(_ graph: Graph, options: ExportOptions) throws -> ExportedModel {
    let simple = try graph.decomposed { !canExport($0) }.withCopiedInputs().withWideArithmetic()
      .withExactResizes()
    var exporter = TFLiteExporter(simple, allowsCustom: options.allowsCustom)
    let record = try exporter.run(description: options.description)
    let parts = try record.write() + (ModelMetadata.archive(of: graph) ?? [])
    return ExportedModel(parts, notes: exporter.notes)
  }

  /// Whether nodes with this operator can be written, as far as the operator alone decides.
  public func canExport(_ op: any Operator) -> Bool {
    if let unary = op as? Unary { return unary.hasBuiltin }
    if let binary = op as? Binary { return binary.hasBuiltin }
    return op is any TFLiteOperator
  }
}
