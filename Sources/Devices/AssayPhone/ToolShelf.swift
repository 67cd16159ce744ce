import AssayBase
import AssayHost

/// The vendors' tools that the user has given, kept in `tools.json` of Assay's home.
///
/// Files stay where they are: their path and what is in them are noted, and a file that has changed
/// since is not used.
public struct ToolShelf: Sendable {
  /// One tool.
  public struct Entry: Sendable, Equatable {
    /// Its name on the shelf.
    public var name: String
    /// Where it lies.
    public var path: String
    /// What it is.
    public var tool: ToolFile
    /// SHA-256 of the file, hexadecimal; empty for a folder.
    public var sha256: String
    /// When it was given, nanoseconds since 1970 (UTC).
    public var at: Int64

    /// Why it cannot be used now; `nil` when it can.
    public var obstacle: String? {
      guard let kind = Host.kind(of: path) else { return "it is gone" }
      guard kind == .file, !sha256.isEmpty else { return nil }
      guard let bytes = try? MappedFile(path: path).view else { return "it cannot be read" }
      return AssayBase.sha256(bytes) == sha256 ? nil : "the file has changed: add it again"
    }

    /// The entry as a JSON object.
    public var json: JSON {
      var object = JSON.object([
        "name": .string(name), "kind": .string(tool.kind.rawValue), "path": .string(path),
        "abis": .array(tool.abis.map { .string($0) }), "sha256": .string(sha256),
        "at": .integer(at),
      ])
      object["version"] = tool.version.map { .string($0) }
      return object
    }
  }

  /// The file.
  public let path: String
  /// The tools, in the order in which they were given.
  public private(set) var entries: [Entry] = []

  /// Reads the shelf of a home; a home without one has an empty shelf.
  ///
  /// - Throws: `Diagnostic` TOL003 for a file that is none.
  public init(home: String = AssayHome.path) throws {
    path = Host.join(home, "tools.json")
    guard let text = Host.smallText(path) else { return }
    let json = try locating(path) { try JSON(parsing: text) }
    guard let rows = json["tools"]?.array else { throw fault() }
    for row in rows {
      guard let name = row["name"]?.string, let file = row["path"]?.string,
        let kind = row["kind"]?.string.flatMap(ToolFile.Kind.init(rawValue:)),
        let abis = row["abis"]?.array?.compactMap(\.string)
      else { throw fault() }
      entries.append(
        Entry(
          name: name,
          path: file,
          tool: ToolFile(kind: kind, abis: abis, version: row["version"]?.string),
          sha256: row["sha256"]?.string ?? "",
          at: Int64(row["at"]?.int ?? 0)
        )
      )
    }
  }

  private func fault() -> Diagnostic {
    Diagnostic(
      "TOL003",
      "this is no list of tools",
      at: [path],
      remedy: "remove it, and add them again"
    )
  }

  /// Notes a tool; one of the same file is replaced.
  ///
  /// - Throws: `Diagnostic` TOL001, TOL002 or FIL….
  public mutating func add(_ file: String, kind: ToolFile.Kind? = nil) throws -> Entry {
    guard let full = Host.realPath(file) else {
      throw Diagnostic("FIL001", "there is no such file", at: [file])
    }
    let tool = try ToolFile(path: full, kind: kind)
    let hash =
      Host.kind(of: full) == .file ? AssayBase.sha256(try MappedFile(path: full).view) : ""
    let entry = Entry(
      name: "",
      path: full,
      tool: tool,
      sha256: hash,
      at: Host.wallNanoseconds()
    )
    entries.removeAll { $0.path == full }
    var named = entry
    let stem = tool.kind.rawValue + (tool.abis.count == 1 ? "-\(tool.abis[0])" : "")
    var number = 1
    repeat {
      named.name = number == 1 ? stem : "\(stem)-\(number)"
      number += 1
    } while entries.contains { $0.name == named.name }
    entries.append(named)
    try write()
    return named
  }

  /// Forgets a tool; its file stays.
  ///
  /// - Throws: `Diagnostic` TOL004 with the nearest name.
  @discardableResult
  public mutating func remove(_ name: String) throws -> Entry {
    guard let index = entries.firstIndex(where: { $0.name == name || $0.path == name }) else {
      let guess = nearest(to: name, among: entries.map(\.name)).map { "did you mean \($0)? " } ?? ""
      throw Diagnostic(
        "TOL004",
        "there is no tool '\(name)'",
        remedy: guess + "see assay tools list"
      )
    }
    let entry = entries.remove(at: index)
    try write()
    return entry
  }

  /// The newest usable tool of one of some kinds, for a phone's interfaces, the best first.
  ///
  /// - Throws: `Diagnostic` TOL005 with what is missing and where it is had.
  public func pick(_ kinds: [ToolFile.Kind], abis: [String]) throws -> Entry {
    var reasons: [String] = []
    for kind in kinds {
      for abi in abis {
        let fitting = entries.filter {
          $0.tool.kind == kind && ($0.tool.abis.contains(abi) || $0.tool.abis.isEmpty)
        }
        for entry in fitting.sorted(by: { $0.at > $1.at }) {
          guard let obstacle = entry.obstacle else {
            return entry
          }
          reasons.append("\(entry.name): \(obstacle)")
        }
      }
      for entry in entries where entry.tool.kind == kind {
        guard Set(entry.tool.abis).isDisjoint(with: abis) else { continue }
        reasons.append("\(entry.name) is for \(entry.tool.abis.joined(separator: ", "))")
      }
    }
    let names = kinds.map(\.rawValue).joined(separator: " or ")
    throw Diagnostic(
      "TOL005",
      "there is no \(names) for \(abis.first ?? "this phone")",
      remedy:
        "get it from its maker (TensorFlow: tensorflow.org/lite/performance/measurement, nightly "
        + "binaries; Qualcomm: qpm.qualcomm.com), then: assay tools add FILE",
      cause: reasons.isEmpty ? nil : reasons.joined(separator: "\n")
    )
  }

  private func write() throws {
    try Host.makeFolders(Host.folder(of: path))
    let json = JSON.object([
      "schema": "assay.tools/1", "tools": .array(entries.map(\.json)),
    ])
    try AtomicFile.write(json.text(pretty: true) + "\n", to: path)
  }
}
