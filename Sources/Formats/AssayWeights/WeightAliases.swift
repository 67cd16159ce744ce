/// What the layers of a network are called elsewhere, as patterns.
///
/// A pattern has places `{a}`, `{b}` for whole numbers or words without a slash; what they stand for in
/// the network's name goes to the same places of the other name, `{a+1}` one higher.
struct WeightAliases {
  /// Another name of a weight.
  struct Candidate {
    /// The path, in this project's words for parts of layers.
    var name: String
    /// Which of how many equal parts of the tensor's first axis it is.
    var part: (index: Int, count: Int)?

    init(name: String, part: (index: Int, count: Int)? = nil) {
      self.name = name
      self.part = part
    }
  }

  /// One way to write a name otherwise.
  struct Rule {
    var from: String
    var to: String
    var part: (index: Int, count: Int)?

    init(_ from: String, _ to: String, part: (index: Int, count: Int)? = nil) {
      self.from = from
      self.to = to
      self.part = part
    }
  }

  private let rules: [Rule]

  init(network: String) {
    let name = network.lowercased()
    rules = WeightAliases.families.filter { name.hasPrefix($0.prefix) }.flatMap(\.rules)
  }

  /// The other names of a weight, in the order in which they are to be tried.
  func candidates(for name: String) -> [Candidate] {
    rules.compactMap { rule in
      let parts = name.split(separator: "/")
      guard let filled = WeightAliases.rewrite(parts, rule) else { return nil }
      return Candidate(name: filled, part: rule.part)
    }
  }

  // MARK: Patterns

  /// A name by a rule; `nil` when the rule is not about it.
  static func rewrite(_ parts: [Substring], _ rule: Rule) -> String? {
    let pattern = rule.from.split(separator: "/")
    // `...` at the end stands for the rest.
    let isOpen = pattern.last == "..."
    let fixed = isOpen ? pattern.dropLast() : pattern[...]
    guard isOpen ? parts.count >= fixed.count : parts.count == fixed.count else { return nil }
    var values: [String: String] = [:]
    for (piece, wanted) in zip(parts, fixed) {
      guard match(piece, wanted, &values) else { return nil }
    }
    let rest = isOpen ? parts.dropFirst(fixed.count) : []
    guard let filled = fill(rule.to, values) else { return nil }
    return ([filled] + rest.map(String.init)).joined(separator: "/")
  }

  /// Matches one piece such as `block_3_expand` with one such as `block_{a}_expand`.
  private static func match(
    _ piece: Substring,
    _ pattern: Substring,
    _ values: inout [String: String]
  ) -> Bool {
    guard let open = pattern.firstIndex(of: "{"), let close = pattern[open...].firstIndex(of: "}")
    else { return piece == pattern }
    let head = pattern[..<open]
    guard piece.hasPrefix(head) else { return false }
    let name = String(pattern[pattern.index(after: open)..<close])
    let tail = pattern[pattern.index(after: close)...]
    let rest = piece.dropFirst(head.count)
    // A number, else the whole rest of the word.
    let digits = rest.prefix { $0.isNumber }
    if !digits.isEmpty {
      guard match(rest.dropFirst(digits.count), tail, &values) else { return false }
      values[name] = String(digits)
      return true
    }
    guard tail.isEmpty, !rest.isEmpty else { return false }
    values[name] = String(rest)
    return true
  }

  /// The other name with what the places stand for.
  private static func fill(_ pattern: String, _ values: [String: String]) -> String? {
    var result = ""
    var rest = pattern[...]
    while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
      result += rest[..<open]
      let word = rest[rest.index(after: open)..<close]
      if let sign = word.firstIndex(where: { $0 == "+" || $0 == "-" }) {
        guard let value = values[String(word[..<sign])].flatMap({ Int($0) }),
          let step = Int(word[sign...])
        else { return nil }
        result += "\(value + step)"
      } else {
        guard let value = values[String(word)] else { return nil }
        result += value
      }
      rest = rest[rest.index(after: close)...]
    }
    return result + rest
  }
}
