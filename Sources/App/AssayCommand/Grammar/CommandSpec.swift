import AssayBase

/// One command, as data: its words, its options and what it does.
struct CommandSpec: Sendable {
  /// The word after `assay`, or two for one of a group such as `data`.
  var name: String
  /// One line for the list of commands.
  var summary: String
  /// What it does, in a paragraph or two.
  var discussion: String = ""
  /// Positional arguments, in order.
  var operands: [Operand] = []
  /// Options besides those that every command has.
  var options: [Option] = []
  /// Command lines with a word on each.
  var examples: [(line: String, meaning: String)] = []
  /// Whether it is left out of help and completions.
  var isHidden = false
  /// Does the work.
  var run: @Sendable (Arguments, Console) throws -> ExitStatus
}

/// Options that every command has.
let commonOptions: [Option] = [
  Option(
    "--json",
    .value("FILE"),
    "write the result as JSON to FILE, `-` for standard output"
  ),
  Option("--quiet", short: "-q", .flag, "no progress and no notes"),
  Option("--help", short: "-h", .flag, "show this help"),
]

extension CommandSpec {
  /// Its own options, then the common ones.
  var allOptions: [Option] { options + commonOptions }

  /// The usage line.
  var usage: String {
    let words = operands.map { $0.isOptional ? "[\($0.word)]" : $0.word }
    return (["assay", name] + words + ["[options]"]).joined(separator: " ")
  }
}

extension CommandSpec {
  /// The word after `assay`, which commands of a group share.
  var group: String { String(name.prefix { $0 != " " }) }

  /// The command that words begin with, and how many words name it: two go before one.
  static func named(
    by words: some Collection<String>,
    among commands: [CommandSpec]
  ) -> (spec: CommandSpec, words: Int)? {
    for count in [2, 1] where words.count >= count {
      let name = words.prefix(count).joined(separator: " ")
      if let spec = commands.first(where: { $0.name == name }) { return (spec, count) }
    }
    return nil
  }
}
