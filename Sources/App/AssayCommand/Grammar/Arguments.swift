import AssayBase

/// A command line, parsed by a command's grammar.
struct Arguments: Sendable {
  /// The command's name.
  let command: String
  /// Positional arguments, in order.
  private(set) var operands: [String] = []
  private var values: [String: [String]] = [:]

  /// Parses the words after the command's name.
  ///
  /// - Throws: `Diagnostics` with every word that does not fit (CLI…).
  init(_ words: some Sequence<String>, spec: CommandSpec) throws {
    command = spec.name
    let words = Array(words)
    var faults: [Diagnostic] = []
    var index = 0
    var onlyOperands = false
    while index < words.count {
      let word = words[index]
      index += 1
      if onlyOperands || !word.hasPrefix("-") || word == "-" {
        operands.append(word)
        continue
      }
      if word == "--" {
        onlyOperands = true
        continue
      }
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let given = word.hasPrefix("--") ? String(parts[0]) : word
      let attached = word.hasPrefix("--") && parts.count == 2 ? String(parts[1]) : nil
      guard let option = spec.allOptions.first(where: { $0.name == given || $0.short == given })
      else {
        let guess = nearest(to: given, among: spec.allOptions.map(\.name))
        faults.append(
          Diagnostic(
            "CLI002",
            "'\(given)' is no option of 'assay \(spec.name)'",
            remedy: (given == "--device" ? DeviceRefusal.remedy(spec) : nil)
              ?? guess.map { "did you mean \($0)?" } ?? "see assay \(spec.name) --help"
          )
        )
        continue
      }
      if option.argument == .flag {
        if attached != nil {
          faults.append(Diagnostic("CLI003", "\(option.name) takes no value"))
        }
        values[option.name, default: []].append("")
        continue
      }
      guard let value = attached ?? (index < words.count ? words[index] : nil) else {
        faults.append(
          Diagnostic("CLI003", "\(option.name) needs a value", remedy: option.signature)
        )
        continue
      }
      if attached == nil { index += 1 }
      if case .choice(let words) = option.argument, !words.contains(value) {
        let guess = nearest(to: value, among: words).map { "; did you mean \($0)?" } ?? ""
        faults.append(
          Diagnostic(
            "CLI004",
            "\(option.name) cannot be '\(value)'",
            remedy: "one of \(words.joined(separator: ", "))\(guess)"
          )
        )
      }
      values[option.name, default: []].append(value)
    }
    if values["--help"] == nil { faults += operandFaults(spec) }
    try Diagnostics(faults).throwIfErrors()
  }

  private func operandFaults(_ spec: CommandSpec) -> [Diagnostic] {
    let needed = spec.operands.filter { !$0.isOptional }.count
    if operands.count < needed {
      let missing = spec.operands[operands.count]
      return [
        Diagnostic(
          "CLI005",
          "\(missing.word) is missing: \(missing.help)",
          remedy: "usage: \(spec.usage)"
        )
      ]
    }
    if operands.count > spec.operands.count {
      return [
        Diagnostic(
          "CLI005",
          "'\(operands[spec.operands.count])' is one word too many",
          remedy: "usage: \(spec.usage)"
        )
      ]
    }
    return []
  }

  /// The same command line with more words behind it.
  func adding(_ words: [String], spec: CommandSpec) throws -> Arguments {
    var copy = self
    let more = try Arguments(words, spec: spec)
    copy.operands += more.operands
    copy.values.merge(more.values) { given, _ in given }
    return copy
  }

  /// The command line with every operand, and the value of every option that takes a model, put through
  /// a function.
  func mapModels(
    of spec: CommandSpec,
    _ change: (String) throws -> String
  ) rethrows -> Arguments {
    var result = self
    result.operands = try operands.map(change)
    for option in spec.options where option.argument == .value(Option.model) {
      result.values[option.name] = try values[option.name]?.map(change)
    }
    return result
  }

  /// Whether an option was given.
  func has(_ name: String) -> Bool { values[name] != nil }

  /// The last value of an option.
  func value(_ name: String) -> String? { values[name]?.last }

  /// All values of an option.
  func all(_ name: String) -> [String] { values[name] ?? [] }

  /// A positional argument, or `nil` when it was left out.
  func operand(_ index: Int) -> String? {
    operands.indices.contains(index) ? operands[index] : nil
  }

  /// The most that an option may ask for, where more could only be a mistake: every program of the machine
  /// would be without threads.
  private static let most = ["--threads": 1024, "--streams": 256]

  private func bounded(_ number: Int, _ name: String) throws -> Int {
    guard let most = Arguments.most[name], number > most else { return number }
    throw Diagnostic("CLI006", "\(name) is at most \(most), not \(number)")
  }

  /// A whole number of at least `minimum`.
  func integer(_ name: String, minimum: Int = 1) throws -> Int? {
    guard let text = value(name) else { return nil }
    guard let number = Int(text), number >= minimum else {
      throw Diagnostic(
        "CLI006",
        "\(name) must be a whole number of at least \(minimum), not '\(text)'"
      )
    }
    return try bounded(number, name)
  }

  /// A part of a whole, `2%` or `0.02`.
  ///
  /// A number from 1 on without its `%` is refused: it would be a limit that nothing can break.
  func part(_ name: String, upTo most: Double = 1) throws -> Double? {
    guard let text = value(name) else { return nil }
    let isPercent = text.hasSuffix("%")
    guard let part = TryPlan.fraction(text), part >= 0, isPercent ? part <= most : part < 1 else {
      let isBare = !isPercent && (Double(text) ?? 0) >= 1
      throw Diagnostic(
        "CLI006",
        "\(name) is a part such as 2% or 0.02, not '\(text)'",
        remedy: isBare ? "was \(text)% meant?" : nil
      )
    }
    return part
  }

  /// Whole numbers separated by commas.
  func integers(_ name: String) throws -> [Int]? {
    guard let text = value(name) else { return nil }
    let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) ?? 0 }
    guard numbers.allSatisfy({ $0 >= 1 }) else {
      throw Diagnostic(
        "CLI006",
        "\(name) must be whole numbers of at least 1 with commas, not '\(text)'"
      )
    }
    return try numbers.map { try bounded($0, name) }
  }

  /// Words separated by commas.
  func words(_ name: String) -> [String]? {
    value(name)?.split(separator: ",").map { String($0) }
  }
}
