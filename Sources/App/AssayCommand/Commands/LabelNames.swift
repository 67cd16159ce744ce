import AssayAccuracy
import AssayBase
import AssayHost

extension Arguments {
  /// The file that `--label-names` names; of a list that is known here (`imagenet`, `coco`, …) a file is
  /// made.
  ///
  /// - Throws: `Diagnostic` FIL003 when that file cannot be written.
  func labelNames() throws -> String? {
    guard let name = value("--label-names"), !Host.exists(name),
      let names = LabelMaps.classNames(name)
    else { return value("--label-names") }
    let folder = Host.join(AssayHome.path, "cache/labels")
    try Host.makeFolders(folder)
    let path = Host.join(folder, name + ".txt")
    // A place that no class has still needs its line.
    let lines = names.enumerated().map { $1.isEmpty ? "(\($0))" : $1 }
    try AtomicFile.write(lines.joined(separator: "\n") + "\n", to: path)
    return path
  }
}

/// What is to be said of a list of names that is not of as many classes as a network tells: every name
/// may be another class's.
func namesFinding(_ names: Int, classes: Int, from list: String) -> Diagnostic? {
  guard names > 0, classes > 0, names != classes else { return nil }
  // Synsets are numbers: no names to offer.
  let fitting = LabelMaps.known.filter {
    $0 != "synsets" && LabelMaps.classNames($0)?.count == classes
  }
  return Diagnostic(
    "DAT032",
    "the network tells \(classes) classes, the list has \(names) names",
    at: [list],
    remedy: fitting.isEmpty
      ? "give the list that the network was trained with"
      : "of \(classes) classes: --label-names \(fitting.joined(separator: " or "))",
    severity: .warning
  )
}
