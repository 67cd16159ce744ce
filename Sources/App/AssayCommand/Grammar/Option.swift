/// One option of a command, as data: parsing, help and completions all read it.
struct Option: Sendable {
  /// What follows the option's name.
  enum Argument: Sendable, Equatable {
    /// Nothing: the option is there or not.
    case flag
    /// One value, shown as this word.
    case value(String)
    /// One of these words.
    case choice([String])
    /// One value, shown as this word; the option may be given several times.
    case repeated(String)
  }

  /// The word for a model's file, in whose place a network of the zoo may be named.
  static let model = "MODEL"

  /// The long name with its dashes, such as `--recipe`.
  var name: String
  /// A one-letter name with its dash, such as `-o`.
  var short: String?
  /// What follows it.
  var argument: Argument
  /// One line for the help, without a full stop.
  var help: String

  init(_ name: String, short: String? = nil, _ argument: Argument = .flag, _ help: String) {
    self.name = name
    self.short = short
    self.argument = argument
    self.help = help
  }

  /// The option as usage shows it: `-o, --output FILE`.
  var signature: String {
    let names = short.map { "\($0), \(name)" } ?? "    \(name)"
    return switch argument {
    case .flag: names
    case .value(let word), .repeated(let word): "\(names) \(word)"
    case .choice(let words):
      "\(names) \(words.count <= 4 ? words.joined(separator: "|") : "NAME")"
    }
  }
}

/// A positional argument of a command.
struct Operand: Sendable {
  /// The word that help shows, such as `MODEL`.
  var word: String
  /// One line for the help.
  var help: String
  /// Whether the command works without it.
  var isOptional = false
}
