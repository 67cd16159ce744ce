import AssayBase
import AssayFormat
import AssayGraph

/// A model read from a file: the graph and the file that it came from.
public struct ImportedModel: Sendable {
  /// The network as the file has it.
  public var graph: Graph
  /// The id of the file's format.
  public var format: String
  /// Warnings and notes of the import.
  public var diagnostics: [Diagnostic]
  /// What the file says of its maker.
  public var producer: String?
  /// The file's bytes.
  public var bytes: ByteView
}

/// The format of a file: by its first bytes, or by its name where they do not tell.
///
/// - Throws: `Diagnostic` CAT002 when no format claims it.
public func format(of bytes: ByteView, path: String) throws -> any ModelFormat {
  if let found = Catalog.formats.first(where: { $0.sniff(bytes) }) { return found }
  let suffix = path.split(separator: ".").last.map { $0.lowercased() } ?? ""
  if let found = Catalog.formats.first(where: { $0.extensions.contains(suffix) }) { return found }
  let known = Catalog.formats.flatMap(\.extensions).map { ".\($0)" }.joined(separator: " ")
  throw Diagnostic(
    "CAT002",
    "this is no network in a format that is known",
    at: [path],
    remedy: "formats that are read: \(known)"
  )
}

/// Imports the network at `path`, whatever its format.
///
/// - Throws: `Diagnostics` with all that is not understood, located in the file.
public func importModel(
  path: String,
  options: ImportOptions = ImportOptions()
) throws -> ImportedModel {
  let bytes = try MappedFile(path: path).view
  var options = options
  options.path = path
  let format = try format(of: bytes, path: path)
  let report: ImportReport
  do {
    report = try format.importGraph(bytes, options: options)
  } catch let error as Diagnostic {
    throw located(error, in: path)
  } catch let error as Diagnostics {
    throw Diagnostics(error.all.map { located($0, in: path) })
  }
  return ImportedModel(
    graph: report.graph,
    format: format.id,
    diagnostics: report.diagnostics,
    producer: report.producer,
    bytes: bytes
  )
}

/// A finding that begins with the file that it is of.
private func located(_ finding: Diagnostic, in path: String) -> Diagnostic {
  finding.location.first == path ? finding : finding.inside(path)
}

/// The format that a file name asks to be written.
///
/// - Throws: `Diagnostic` CAT003 when its extension belongs to no format that is written.
public func exportFormat(for path: String) throws -> any ModelFormat {
  let suffix = path.split(separator: ".").last.map { $0.lowercased() } ?? ""
  let writers = Catalog.formats.filter(\.canExport)
  if let found = writers.first(where: { $0.extensions.contains(suffix) }) { return found }
  let known = writers.compactMap(\.extensions.first).map { ".\($0)" }.joined(separator: " or ")
  throw Diagnostic(
    "CAT003",
    "the format to write does not follow from the name",
    at: [path],
    remedy: "let the output's name end with \(known)"
  )
}

/// Writes a graph to `path` in the format of its extension; the file is whole or not there.
///
/// - Returns: the number of bytes written.
@discardableResult
public func exportModel(
  _ graph: Graph,
  to path: String,
  description: String
) throws -> Int {
  let format = try exportFormat(for: path)
  let parts = try locating(path) {
    try format.exportGraph(graph, options: ExportOptions(description: description))
  }
  try AtomicFile.write(parts, to: path)
  return parts.reduce(0) { $0 + $1.count }
}
