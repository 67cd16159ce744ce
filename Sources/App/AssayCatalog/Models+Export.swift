import AssayBase
import AssayFormat
import AssayGraph
import AssayHost

/// The format that a file name asks to be written; one with a slash at its end asks for a folder.
///
/// - Throws: `Diagnostic` CAT003 when its extension belongs to no format that is written.
public func exportFormat(for path: String) throws -> any ModelFormat {
  let writers = Catalog.formats.filter(\.canExport)
  if path.hasSuffix("/"), let found = writers.first(where: { !$0.folderEntries.isEmpty }) {
    return found
  }
  let suffix = path.split(separator: ".").last.map { $0.lowercased() } ?? ""
  if let found = writers.first(where: { $0.extensions.contains(suffix) }) { return found }
  let known = writers.flatMap(\.extensions).map { ".\($0)" }
  throw Diagnostic(
    "CAT003",
    "the format to write does not follow from the name",
    at: [path],
    remedy: "let the output's name end with one of \(known.joined(separator: " "))"
  )
}

/// Writes a graph to `path` in the format of its extension.
///
/// Every file is whole or not there, even when the process is killed; the disk is not waited for.
/// Companions are written before the model's own file; a model that is a folder appears at once, in
/// place of a folder that was there.
///
/// - Parameter report: called with each finding that does not keep the model from being written.
/// - Returns: the number of bytes written.
@discardableResult
public func exportModel(
  _ graph: Graph,
  to path: String,
  options: ExportOptions,
  report: (Diagnostic) -> Void = { _ in }
) throws -> Int {
  let format = try exportFormat(for: path)
  let path = path.hasSuffix("/") ? String(path.dropLast()) : path
  var options = options
  options.fileName = Host.name(of: path)
  let model = try locating(path) {
    // What the format has no operator for is written by simpler ones where that is possible.
    let simple = try graph.decomposed { !format.canExport($0) }
    return try format.exportModel(simple, options: options)
  }
  for note in model.notes { report(note) }
  guard let main = model.main else {
    try writeFolder(model.companions, to: path)
    return model.byteCount
  }
  for file in model.companions {
    let companion = Host.join(Host.folder(of: path), file.name)
    try Host.makeFolders(Host.folder(of: companion))
    try AtomicFile.write(file.parts, to: companion, isSynced: false)
  }
  try AtomicFile.write(main, to: path, isSynced: false)
  return model.byteCount
}

/// Writes a graph to `path` with a description and otherwise as the format usually is.
@discardableResult
public func exportModel(_ graph: Graph, to path: String, description: String) throws -> Int {
  try exportModel(graph, to: path, options: ExportOptions(description: description))
}

/// Makes the files in a new folder beside `path` and puts it there when all is written.
private func writeFolder(_ files: [ExportedModel.File], to path: String) throws {
  if let kind = Host.kind(of: path), kind != .folder || !isReplaceable(path) {
    throw Diagnostic(
      "CAT004",
      "something else than a model is there",
      at: [path],
      remedy: "give the name of a new folder"
    )
  }
  let draft = path + ".partial-\(Host.processID)"
  do {
    try Host.remove(draft)
    for file in files {
      let place = Host.join(draft, file.name)
      try Host.makeFolders(Host.folder(of: place))
      try AtomicFile.write(file.parts, to: place, isSynced: false)
    }
    try Host.replaceFolder(path, with: draft)
  } catch {
    try? Host.remove(draft)
    throw error
  }
}

/// Whether a folder is empty or a model, and not the user's other work.
private func isReplaceable(_ folder: String) -> Bool {
  (try? Host.list(folder).isEmpty) ?? false || (try? modelFile(folder)) != nil
}
