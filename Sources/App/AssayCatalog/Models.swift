import AssayBase
import AssayFormat
import AssayGraph
import AssayHost
import AssayRemote
import AssayTensor

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
  /// What else the file tells of itself.
  public var facts: [ImportReport.Fact] = []
  /// The file's bytes.
  public var bytes: ByteView

  /// Hands the network over and keeps none, so that its weights can be let go as they are replaced.
  public mutating func takeGraph() -> Graph {
    let taken = graph
    graph = Graph(name: taken.name)
    return taken
  }
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

/// The program of the user's that reads a file which no format of ours claims.
private func programImporter(for path: String) -> ProgramImporter? {
  let suffix = path.split(separator: ".").last.map { String($0) } ?? ""
  guard let found = Catalog.programs.importers.first(where: { $0.extensions.contains(suffix) }),
    Host.kind(of: path) == .file, (try? format(ofModel: path)) == nil
  else { return nil }
  return found
}

/// The format of the model at a path, a file or a folder.
///
/// - Throws: `Diagnostic` CAT002 when no format claims it, FIL00x when it cannot be opened.
public func format(ofModel path: String) throws -> any ModelFormat {
  try format(of: try MappedFile(path: modelFile(path)).view, path: path)
}

/// The file by which a model is read: the path itself, or a folder's entry.
///
/// - Throws: `Diagnostic` CAT005 for a folder that holds no model.
public func modelFile(_ path: String) throws -> String {
  guard Host.kind(of: path) == .folder else { return path }
  let entries = Catalog.formats.flatMap(\.folderEntries)
  let found = entries.map { Host.join(path, $0) }.first { Host.kind(of: $0) == .file }
  if let found { return found }
  throw Diagnostic(
    "CAT005",
    "this folder is no model",
    at: [path],
    remedy: "give a file, or a folder that holds \(entries.joined(separator: " or "))"
  )
}

/// Imports the network at `path`, whatever its format.
///
/// - Throws: `Diagnostics` with all that is not understood, located in the file.
public func importModel(
  path: String,
  options: ImportOptions = ImportOptions()
) throws -> ImportedModel {
  if let importer = programImporter(for: path) {
    let folder = try Host.makeTemporaryFolder("assay-import")
    defer { try? Host.remove(folder) }
    return try importModel(path: try importer.convert(path, in: folder), options: options)
  }
  var options = options
  options.path = try modelFile(path)
  let bytes = try MappedFile(path: options.path).view
  let format = try format(of: bytes, path: path)
  let report: ImportReport
  do {
    report = try format.importGraph(bytes, options: options)
  } catch let error as Diagnostic {
    throw located(error, in: path)
  } catch let error as Diagnostics {
    throw Diagnostics(error.all.map { located($0, in: path) })
  }
  try locating(path) { try checkShapes(options.shapes, of: report.graph) }
  return ImportedModel(
    graph: report.graph,
    format: format.id,
    diagnostics: report.diagnostics,
    producer: report.producer,
    facts: report.facts,
    bytes: bytes
  )
}

/// Throws for extents that were asked for and are not those of the network: a name that no input has,
/// an input whose extents the file fixes.
private func checkShapes(_ shapes: [String: Shape], of graph: Graph) throws {
  let inputs = graph.inputs.map { graph[$0] }
  for (given, shape) in shapes.sorted(by: { $0.key < $1.key }) {
    let name = given.isEmpty && inputs.count == 1 ? inputs[0].name : given
    // A file may know an input by a second name.
    let known =
      inputs.first { $0.name == name }
      ?? (name.isEmpty ? nil : inputs.first { $0.type.shape == shape })
    guard known?.type.shape != shape else { continue }
    if let known {
      throw Diagnostic(
        "CAT006",
        "the input '\(name)' cannot be \(shape): the file fixes it as \(known.type.shape)",
        remedy: "leave out --shape, or save the model with that input from its source"
      )
    }
    let names = inputs.map { "'\($0.name)' (\($0.type.shape))" }.joined(separator: ", ")
    if name.isEmpty {
      throw Diagnostic(
        "CAT006",
        "--shape \(shape) does not say of which input; the model has \(names)",
        remedy: "--shape NAME=\(shape)"
      )
    }
    let guess = nearest(to: name, among: inputs.map(\.name))
    throw Diagnostic(
      "CAT006",
      "the model has no input '\(name)'; it has \(names)",
      remedy: guess.map { "did you mean '\($0)'?" }
    )
  }
}

/// A finding that begins with the file that it is of.
private func located(_ finding: Diagnostic, in path: String) -> Diagnostic {
  finding.location.first == path ? finding : finding.inside(path)
}
