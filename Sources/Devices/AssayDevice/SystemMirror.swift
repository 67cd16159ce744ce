import AssayBase
import AssayHost
import AssayMachine

/// The answer of a device's probing script: facts by name, and small files of its system.
///
/// The files can be laid out in a folder, so that what reads `/proc` and `/sys` here reads a remote
/// device's too.
final class SystemMirror {
  /// Facts by name, each with all its values.
  private(set) var facts: [String: [String]] = [:]
  private var texts: [String: String] = [:]
  private var order: [String] = []

  /// Reads a transcript.
  init(_ transcript: String) {
    var isFiles = false
    for line in transcript.split(separator: "\n", omittingEmptySubsequences: true) {
      let line = line.last == "\r" ? line.dropLast() : line
      if line == "@files" {
        isFiles = true
      } else if isFiles {
        readFile(line)
      } else if let sign = line.firstIndex(of: "=") {
        let value = String(line[line.index(after: sign)...])
        if !value.isEmpty { facts[String(line[..<sign]), default: []].append(value) }
      }
    }
  }

  private func readFile(_ line: Substring) {
    // The only path with a colon in it.
    let odd = "/sys/devices/platform/soc/soc:firmware/get_throttled:"
    if line.hasPrefix(odd) {
      add(String(odd.dropLast()), String(line.dropFirst(odd.count)))
      return
    }
    guard line.hasPrefix("/"), let colon = line.firstIndex(of: ":") else { return }
    add(String(line[..<colon]), String(line[line.index(after: colon)...]))
  }

  /// Adds a line to a file.
  func add(_ path: String, _ line: String) {
    if let text = texts[path] {
      texts[path] = text + line + "\n"
    } else {
      texts[path] = line + "\n"
      order.append(path)
    }
  }

  /// A file's text.
  func text(_ path: String) -> String? { texts[path] }

  /// A file's first line; `nil` when it is empty.
  func line(_ path: String) -> String? {
    guard let first = texts[path]?.split(separator: "\n").first, !first.isEmpty else { return nil }
    return String(first)
  }

  /// The files below a folder with their first lines, in the order in which they came.
  func paths(below folder: String) -> [(path: String, line: String)] {
    order.filter { $0.hasPrefix(folder) }.compactMap { path in line(path).map { (path, $0) } }
  }

  /// The state of the device, read from the mirrored files by the code that reads this machine's.
  func conditions(_ count: Int?) -> Conditions? {
    guard let folder = try? Host.makeTemporaryFolder("assay-mirror") else { return nil }
    defer { try? Host.remove(folder) }
    for (path, text) in texts {
      // A path of a hostile device must not leave the folder.
      guard path.hasPrefix("/"), !path.split(separator: "/").contains("..") else { continue }
      let file = folder + path
      guard (try? Host.makeFolders(Host.folder(of: file))) != nil else { continue }
      try? AtomicFile.write([ByteView(Array(text.utf8))], to: file, isSynced: false)
    }
    let files = SystemFiles(root: folder)
    let online = files.line("/sys/devices/system/cpu/online").flatMap(ProcessorList.parse)
    return Conditions(files, processors: online ?? count.map { Array(0..<$0) })
  }

  /// The value of the first `key : value` line.
  static func value(_ key: String, in text: String) -> String? {
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, plain(parts[0]) == key else { continue }
      let value = plain(parts[1])
      return value.isEmpty ? nil : value
    }
    return nil
  }

  private static func plain(_ text: Substring) -> String {
    var text = text
    while let first = text.first, first.isWhitespace { text.removeFirst() }
    while let last = text.last, last.isWhitespace { text.removeLast() }
    return String(text)
  }

  /// Arm's own names of its processors, by the part numbers in `/proc/cpuinfo`.
  static func armName(_ information: String) -> String? {
    let names = [
      "0xd03": "Cortex-A53", "0xd04": "Cortex-A35", "0xd05": "Cortex-A55", "0xd07": "Cortex-A57",
      "0xd08": "Cortex-A72", "0xd09": "Cortex-A73", "0xd0a": "Cortex-A75", "0xd0b": "Cortex-A76",
      "0xd0c": "Neoverse-N1", "0xd0d": "Cortex-A77", "0xd40": "Neoverse-V1", "0xd41": "Cortex-A78",
      "0xd42": "Cortex-A78AE", "0xd44": "Cortex-X1", "0xd46": "Cortex-A510",
      "0xd47": "Cortex-A710", "0xd48": "Cortex-X2", "0xd49": "Neoverse-N2",
      "0xd4d": "Cortex-A715", "0xd4e": "Cortex-X3", "0xd4f": "Neoverse-V2",
      "0xd80": "Cortex-A520", "0xd81": "Cortex-A720", "0xd82": "Cortex-X4",
    ]
    var found: [String] = []
    for line in information.split(separator: "\n") where line.hasPrefix("CPU part") {
      guard let part = value("CPU part", in: String(line)) else { continue }
      let name = names[part] ?? "Arm part \(part)"
      if !found.contains(name) { found.append(name) }
    }
    return found.isEmpty ? nil : found.joined(separator: " + ")
  }
}
