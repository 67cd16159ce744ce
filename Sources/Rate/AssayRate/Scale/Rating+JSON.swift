import AssayBase

extension Rating {
  /// The rating as a row like those of the published methods: `model`, `environment`, `compound_index`,
  /// `compound_rating`, the same of each group, and by property `value`, `index` and `rating`, with
  /// probabilities and provenance beside.
  public var json: JSON {
    var members = JSON.Members()
    members["id"] = .string(subject.id)
    members["model"] = .string(subject.model)
    members["variant"] = .string(subject.variant)
    members["environment"] = .string(subject.environment)
    members["task"] = .string(subject.task)
    members["dataset"] = .string(subject.dataset)
    members["conditions"] = JSON.dictionary(subject.conditions) { .string($0) }
    for (name, grade) in [(name: "compound", grade: compound)] + groups {
      let word = Ratings.word(name)
      members["\(word)_index"] = grade.map { JSON($0.index) } ?? .null
      members["\(word)_rating"] = grade.map { .string($0.letter.text) } ?? .null
      members["\(word)_probabilities"] = grade?.probabilitiesJSON ?? .null
      members["\(word)_taken_as_exact"] = .array((grade?.takenAsExact ?? []).map { .string($0) })
      members["\(word)_basis"] = .array((grade?.basis ?? []).map { .string($0) })
    }
    var all = JSON.Members()
    for part in properties {
      var one = JSON.Members()
      one["value"] = part.value.map { JSON($0.value) } ?? .null
      one["provenance"] = part.value.map { .string($0.provenance.rawValue) } ?? .null
      one["index"] = part.grade.map { JSON($0.index) } ?? .null
      one["reach"] = part.grade?.reach.map { JSON($0) } ?? .null
      one["rating"] = part.grade.map { .string($0.letter.text) } ?? .null
      one["probabilities"] = part.grade?.probabilitiesJSON ?? .null
      if let reason = part.reason { one["missing"] = .string(reason) }
      all[part.key] = .members(one)
    }
    members["properties"] = .members(all)
    members["gates"] = .array(gates.map(\.json))
    members["notes"] = .array(notes.map(\.json))
    return .members(members)
  }
}

extension Grade {
  /// The probabilities by letter; `null` when they are not known.
  public var probabilitiesJSON: JSON {
    guard let probabilities else { return .null }
    var members = JSON.Members()
    for (letter, probability) in zip(Letter.allCases, probabilities) {
      members[letter.text] = .number(probability)
    }
    return .members(members)
  }
}

extension GateResult {
  var json: JSON {
    .object([
      "gate": .string(gate.text),
      "holds": holds.map { .bool($0) } ?? .null,
      "value": value.map { JSON($0) } ?? .null,
      "limit": limit.map { JSON($0) } ?? .null,
      "probability": probability.map { JSON($0) } ?? .null,
      "reason": JSON(reason),
    ])
  }
}
