import AssayBase
import AssayCatalog
import AssayCodec
import AssayGraph
import AssayModels

/// Options of the commands about the zoo.
enum ZooArguments {
  /// Which network is meant.
  static let operand = Operand(
    word: "NAME",
    help: "a network, as zoo list names it, or a .yaml that describes one"
  )

  static let seed = Option("--seed", .value("N"), "of the weights (default: 0)")

  /// What of a network can be changed.
  static let shaping = [
    Option("--size", .value("N|HxW"), "rows and columns of the picture, or the sequence's length"),
    Option("--classes", .value("N"), "classes to tell apart"),
    Option("--alpha", .value("A"), "the width multiplier, where the network has one"),
    Option("--no-top", .flag, "the features alone, without the layers that classify"),
  ]

  /// Which networks are meant.
  static let filters = [
    Option("--family", .value("NAME"), "networks that share a definition, such as MobileNetV2"),
    Option("--task", .choice(ZooTask.allCases.map(\.word)), "what the networks are for"),
    Option("--source", .value("NAME"), "whose networks they are, such as Keras or Ultralytics"),
  ]

  /// The options of a command line.
  static func options(_ arguments: Arguments) throws -> ZooOptions {
    var options = ZooOptions()
    if let seed = try arguments.integer("--seed", minimum: 0) { options.seed = UInt64(seed) }
    if let text = arguments.value("--size") {
      let parts = text.split(separator: "x").compactMap { Int($0) }
      guard (1...2).contains(parts.count), parts.count == text.split(separator: "x").count,
        parts.allSatisfy({ $0 > 0 })
      else { throw Diagnostic("CLI007", "--size is a number or HxW, not '\(text)'") }
      options.size = Size2D(parts[0], parts.last ?? parts[0])
    }
    options.classes = try arguments.integer("--classes")
    if let text = arguments.value("--alpha") {
      guard let alpha = Double(text), alpha.isFinite else {
        throw Diagnostic("CLI006", "--alpha must be a number, not '\(text)'")
      }
      options.alpha = alpha
    }
    options.includesTop = !arguments.has("--no-top")
    return options
  }

  /// The network of a name, or of a file that describes one.
  static func entry(_ word: String) throws -> ZooEntry {
    // As other commands call it.
    let word = word.hasPrefix("zoo:") ? String(word.dropFirst("zoo:".count)) : word
    guard [".yaml", ".yml", ".json"].contains(where: { word.hasSuffix($0) }) else {
      return try Zoo.entry(named: word)
    }
    return try locating(word) {
      guard let text = try MappedFile(path: word).view.utf8 else {
        throw Diagnostic("ZOO011", "this is no text in UTF-8")
      }
      return try NetworkDescription(json: YAML.read(text)).entry()
    }
  }

  /// The entries that the filters and a part of a name leave.
  static func entries(_ arguments: Arguments, named part: String? = nil) throws -> [ZooEntry] {
    func matches(_ text: String, _ wanted: String?) -> Bool {
      guard let wanted else { return true }
      return text.lowercased().contains(wanted.lowercased())
    }
    let family = arguments.value("--family")?.lowercased()
    let found = Zoo.entries.filter { entry in
      matches(entry.name, part) && (family == nil || entry.family.lowercased() == family)
        && (arguments.value("--task").map { $0 == entry.task.word } ?? true)
        && matches(entry.source, arguments.value("--source"))
    }
    guard found.isEmpty else { return found }
    let candidates = Zoo.entries.map(\.name) + Zoo.entries.map(\.family)
    let guess = (part ?? arguments.value("--family")).flatMap { nearest(to: $0, among: candidates) }
    throw Diagnostic(
      "ZOO003",
      "no network of the zoo fits",
      remedy: guess.map { "did you mean '\($0)'?" } ?? "'assay zoo list' shows them all"
    )
  }
}

extension ZooTask {
  /// The task as an option's word.
  var word: String { rawValue.split(separator: " ").joined(separator: "-") }
}

extension ZooInput {
  /// The input as a table shows it.
  var text: String {
    switch self {
    case .picture(let height, let width, let channels, _): "\(height)x\(width)x\(channels)"
    case .numbers(let extents): extents.map(String.init).joined(separator: "x")
    case .tokens(let length, _): "\(length) tokens"
    }
  }

  /// What the numbers of the input are.
  var meaning: String {
    switch self {
    case .picture(_, _, _, let pixels): pixels.rawValue
    case .numbers: "plain numbers"
    case .tokens(_, let vocabulary): "word pieces of a vocabulary of \(vocabulary)"
    }
  }
}
