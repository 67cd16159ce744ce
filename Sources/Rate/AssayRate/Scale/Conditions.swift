import AssayBase

extension Scale {
  /// Why a subject may not be rated by this scale at all.
  func refusal(_ subject: Subject) -> Diagnostic? {
    for (key, allowed) in conditions.sorted(by: { $0.key < $1.key }) {
      guard let word = subject.conditions[key], !allowed.contains(word) else { continue }
      return Diagnostic(
        "RAT030",
        "not rated: measured with \(Self.word(key)) \(word), the scale \(name) is for "
          + allowed.joined(separator: " or "),
        at: [subject.title],
        remedy: "measure it so, or rate by a scale that was made so"
      )
    }
    return nil
  }

  /// Says which conditions of the scale nobody knows of a subject.
  func noteConditions(_ rating: inout Rating) {
    let unknown = conditions.keys.sorted().filter { rating.subject.conditions[$0] == nil }
    guard !unknown.isEmpty else { return }
    rating.notes.append(
      Diagnostic(
        "RAT034",
        "nobody says with which \(unknown.map(Self.word).joined(separator: ", ")) it was measured",
        remedy: "taken as "
          + unknown.map { "\(Self.word($0)) \(conditions[$0]?.first ?? "")" }
          .joined(separator: ", "),
        severity: .note
      )
    )
  }

  /// What people call a condition.
  private static func word(_ key: String) -> String {
    switch key {
    case "precision": "inputs of type"
    case "emulated": "emulation"
    default: key
    }
  }
}

/// Conditions in which subjects differ, so that their figures are not alike.
///
/// - Returns: a finding for each condition with more than one word among the subjects.
public func unlikeConditions(of subjects: [Subject]) -> [Diagnostic] {
  let keys = Set(subjects.flatMap(\.conditions.keys)).sorted()
  return keys.compactMap { key in
    var words: [String] = []
    for subject in subjects {
      let word = subject.conditions[key] ?? "unknown"
      if !words.contains(word) { words.append(word) }
    }
    guard words.count > 1 else { return nil }
    return Diagnostic(
      "RAT035",
      "these were measured under unlike conditions: \(key) \(words.joined(separator: ", "))",
      remedy: "dominance is told only among those measured alike",
      severity: .note
    )
  }
}
