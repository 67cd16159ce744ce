import AssayBase
import AssayFormat
import AssayGraph

/// OpenVINO's intermediate representation: a `.xml` file with the layers and a `.bin` file with the
/// weights beside it.
///
/// Version 10 is what OpenVINO 2020 to 2021.4 read (the last that drive the Neural Compute Stick 2),
/// version 11 what OpenVINO has read since 2022.1.
public struct OpenVINOFormat: ModelFormat {
  /// Makes the format.
  public init() {}

  public var id: String { "openvino" }
  public var extensions: [String] { ["xml"] }

  /// Whether an element `net` is the first of an XML document.
  public func sniff(_ prefix: ByteView) -> Bool {
    let count = min(prefix.count, 256)
    guard let head = try? prefix.slice(0, count).array else { return false }
    let text = String(decoding: head, as: UTF8.self)
    guard text.hasPrefix("<?xml") || text.hasPrefix("<net") else { return false }
    return text.split(separator: "<").contains { $0.hasPrefix("net ") }
  }

  /// - Throws: `Diagnostics` OVI0… with every operation that is not read; FMT01x when the `.bin` file
  ///   is not beside the `.xml` file.
  public func importGraph(_ bytes: ByteView, options: ImportOptions) throws -> ImportReport {
    try IRImporter.importGraph(bytes, options: options)
  }

  /// A network whose weights are not in the file beside it.
  ///
  /// - Throws: `Diagnostics` OVI0… with every operation that is not read.
  public func importGraph(
    _ bytes: ByteView,
    weights: ByteView,
    options: ImportOptions
  ) throws -> ImportReport {
    try IRImporter.importGraph(bytes, options: options, weights: weights)
  }

  /// OpenVINO's operations that are read, in alphabetical order.
  public static var readOperators: [String] { irReaders.keys.sorted() }

  public var canExport: Bool { true }

  /// Whether nodes with this operator can be written, as far as the operator alone decides.
  public func canExport(_ op: any Operator) -> Bool {
    // There is no operation for the angle of a point.
    op is any OpenVINOExportable && (op as? Binary)?.kind != .atan2
  }

  /// Only the `.xml` file's bytes; `exportModel` gives the weights too.
  public func exportGraph(_ graph: Graph, options: ExportOptions) throws -> [ByteView] {
    try exportModel(graph, options: options).main ?? []
  }

  /// The `.xml` file and, beside it under the same name, the `.bin` file.
  ///
  /// Operators without an operation are decomposed where that is possible.
  ///
  /// - Throws: `Diagnostics` OVI1… with every node that OpenVINO cannot hold.
  public func exportModel(_ graph: Graph, options: ExportOptions) throws -> ExportedModel {
    // What cannot be decomposed is named by the exporter, all of it at once.
    let simple = (try? graph.decomposed { !canExport($0) }) ?? graph
    let (xml, weights) = try IRExporter.network(of: simple, options: options).encoded()
    return ExportedModel(
      [xml],
      companions: [ExportedModel.File("\(options.stem).bin", weights)]
    )
  }
}
