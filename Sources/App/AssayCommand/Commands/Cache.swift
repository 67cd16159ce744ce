import AssayBase
import AssayHost

let cacheCommand = CommandSpec(
  name: "cache",
  summary: "what Assay keeps in its home folder, and how to remove it",
  discussion: """
    `list` shows what lies in $ASSAY_HOME with its size. `clean` removes prepared data, which is made
    again when it is needed; runtimes go with --runtimes. The store of measurements is never removed.
    """,
  operands: [Operand(word: "ACTION", help: "list or clean")],
  options: [Option("--runtimes", .flag, "with clean: remove the inference runtimes too")],
  examples: [("assay cache list", "what is kept"), ("assay cache clean", "free the space")]
) { arguments, console in
  let entries = HomeEntry.all()
  switch arguments.operands[0] {
  case "list":
    try console.result(
      .object([
        "schema": "assay.cache/1", "home": .string(AssayHome.path),
        "entries": .array(entries.map(\.json)),
      ]),
      text: "\(AssayHome.path)\n"
        + Text.table(
          ["entry", "size", "what"],
          entries.map { [$0.name, Text.bytes($0.byteCount), $0.meaning] },
          numeric: [1]
        )
    )
  case "clean":
    let doomed = entries.filter {
      $0.name == HomeEntry.cache || arguments.has("--runtimes") && $0.name == "runtimes"
    }
    for entry in doomed { try Host.remove(Host.join(AssayHome.path, entry.name)) }
    let freed = doomed.reduce(0) { $0 + $1.byteCount }
    try console.result(
      .object([
        "schema": "assay.cache/1", "removed": .array(doomed.map { .string($0.name) }),
        "bytes": JSON(freed),
      ]),
      text: "\(Text.bytes(freed)) freed\n"
    )
  case let other:
    throw Diagnostic("CLI004", "'\(other)' is no action", remedy: "list or clean")
  }
  return .done
}

/// Something that Assay keeps in its home folder.
struct HomeEntry {
  /// The folder of prepared data.
  static let cache = "cache"

  var name: String
  var byteCount: Int

  var meaning: String {
    switch name {
    case HomeEntry.cache: "prepared data; made again when needed"
    case "runtimes": "inference runtimes from their wheels"
    case "downloads": "wheels being fetched"
    case let name where name.hasPrefix("store"): "measurements"
    default: ""
    }
  }

  var json: JSON {
    .object(["name": .string(name), "bytes": JSON(byteCount), "what": .string(meaning)])
  }

  static func all() -> [HomeEntry] {
    let names = (try? Host.list(AssayHome.path)) ?? []
    return names.map {
      HomeEntry(name: $0, byteCount: size(of: Host.join(AssayHome.path, $0), depth: 0))
    }
  }

  private static func size(of path: String, depth: Int) -> Int {
    guard Host.kind(of: path) == .folder, depth < 32 else { return Host.byteCount(of: path) ?? 0 }
    let names = (try? Host.list(path)) ?? []
    return names.reduce(0) { $0 + size(of: Host.join(path, $1), depth: depth + 1) }
  }
}
