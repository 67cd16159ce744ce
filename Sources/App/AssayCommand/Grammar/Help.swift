/// Help texts, made from the grammar.
enum Help {
  /// What `assay --help` prints.
  static func overview(_ commands: [CommandSpec]) -> String {
    var text = """
      assay: which variant of my neural network, on which hardware, should I ship?

      usage: assay COMMAND [arguments]

      commands:

      """
    let visible = commands.filter { !$0.isHidden }
    text += table(visible.map { ($0.name, $0.summary) })
    text += """

      first steps:
        assay try model.h5 --representative images/ --labels images/labels.csv
        assay doctor
        assay COMMAND --help

      options: --version, --help

      """
    return text
  }

  /// What the first word of several commands prints: the commands that begin with it.
  static func group(_ name: String, _ commands: [CommandSpec]) -> String {
    let members = commands.filter { $0.group == name && !$0.isHidden }
    return "usage: assay \(name) COMMAND [arguments]\n\ncommands:\n"
      + table(members.map { ($0.name, $0.summary) })
      + "\nsee assay \(name) COMMAND --help\n"
  }

  /// What `assay COMMAND --help` prints.
  static func command(_ spec: CommandSpec) -> String {
    var text = "assay \(spec.name): \(spec.summary)\n\nusage: \(spec.usage)\n"
    if !spec.discussion.isEmpty { text += "\n\(spec.discussion)\n" }
    if !spec.operands.isEmpty {
      text += "\narguments:\n" + table(spec.operands.map { ($0.word, $0.help) })
    }
    text += "\noptions:\n" + table(spec.allOptions.map { ($0.signature, description($0)) })
    if !spec.examples.isEmpty {
      text += "\nexamples:\n"
      for example in spec.examples { text += "  # \(example.meaning)\n  \(example.line)\n" }
    }
    return text
  }

  private static func description(_ option: Option) -> String {
    guard case .choice(let words) = option.argument, words.count > 4 else { return option.help }
    return "\(option.help) (\(words.joined(separator: ", ")))"
  }

  /// Two columns; the right one starts on a line of its own after a long left one.
  private static func table(_ rows: [(String, String)]) -> String {
    let width = min(28, rows.map(\.0.count).max() ?? 0)
    return rows.map { left, right in
      if left.count > width {
        return "  \(left)\n  \(String(repeating: " ", count: width))  \(right)\n"
      }
      return "  \(left)\(String(repeating: " ", count: width - left.count))  \(right)\n"
    }.joined()
  }
}
