import AssayBase
import AssayCatalog
import AssayFormat
import AssayHost
import AssayModels

/// A network of the zoo in place of a model's file: `zoo:NAME` or, in another format than TFLite,
/// `zoo:NAME.onnx`.
///
/// The network is built once, with the weights of seed 0, and kept among Assay's prepared data.
enum ZooModel {
  private static let prefix = "zoo:"

  /// The file of a word that names a network of the zoo, and every other word as it is.
  static func path(_ word: String, _ console: Console) throws -> String {
    guard word.hasPrefix(prefix) else { return word }
    let (name, suffix) = split(String(word.dropFirst(prefix.count)))
    let entry = try Zoo.entry(named: name)
    let folder = [HomeEntry.cache, "zoo", assayVersion].reduce(AssayHome.path, Host.join)
    let path = Host.join(folder, "\(entry.name).\(suffix)")
    if Host.exists(path) { return path }
    try Host.makeFolders(folder)
    console.progress("building \(entry.name)")
    defer { console.endProgress() }
    _ = try ZooFile(entry, ZooOptions(), threads: Host.allowedProcessors().count, path)
    return path
  }

  /// The name, and the extension where it is one of a format that is written.
  private static func split(_ text: String) -> (name: String, suffix: String) {
    guard let dot = text.lastIndex(of: ".") else { return (text, "tflite") }
    let suffix = String(text[text.index(after: dot)...]).lowercased()
    let known = Catalog.formats.filter(\.canExport).flatMap(\.extensions)
    guard known.contains(suffix) else { return (text, "tflite") }
    return (String(text[..<dot]), suffix)
  }
}
