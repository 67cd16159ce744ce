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
