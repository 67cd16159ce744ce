import AssayBase

/// A letter with what stands behind it.
public struct Grade: Sendable, Equatable {
  /// The index; greater is better, 0 the middle of the reference set.
  public var index: Double
  /// The letter of the index.
  public var letter: Letter
  /// The probabilities of A to E; `nil` when no figure's uncertainty is known.
  public var probabilities: [Double]?
  /// Half the central 95 % of what the true index may be; `nil` when it is not known.
  public var reach: Double?
  /// Properties whose uncertainty nobody knows, and that the probabilities take as exact.
  public var takenAsExact: [String]
  /// Whether every figure behind it was measured.
  public var isMeasured: Bool
  /// The properties that it rests on.
  public var basis: [String]

  /// The letters that are likely, such as `B 83 %, C 17 %`; only the letter when nothing is known.
  public var text: String {
    guard let probabilities else { return letter.text }
    var parts = zip(Letter.allCases, probabilities).filter { $0.1 >= 0.005 }
    parts.sort { $0.1 == $1.1 ? $0.0.rawValue < $1.0.rawValue : $0.1 > $1.1 }
    return parts.map { "\($0.0.text) \(Words.percent($0.1, 0))" }.joined(separator: ", ")
  }
}

/// What a scale says of one subject.
public struct Rating: Sendable, Equatable {
  /// One property of the subject.
  public struct Part: Sendable, Equatable {
    /// The property's key.
    public var key: String
    /// The figure, if there is one.
    public var value: Measured?
    /// Its grade; `nil` with a reason.
    public var grade: Grade?
    /// Why there is no grade.
    public var reason: String?
  }

  /// Who was rated.
  public var subject: Subject
  /// The properties in the order of the scale.
  public var properties: [Part]
  /// A compound of each group that has weights, by the group's name.
  public var groups: [(name: String, grade: Grade?)]
  /// The compound of all; `nil` with a reason in `notes`.
  public var compound: Grade?
  /// Which gates hold.
  public var gates: [GateResult]
  /// Why something is missing, and what to know.
  public var notes: [Diagnostic]

  public static func == (a: Rating, b: Rating) -> Bool {
    a.subject == b.subject && a.properties == b.properties && a.compound == b.compound
      && a.gates == b.gates && a.notes == b.notes && a.groups.map(\.name) == b.groups.map(\.name)
      && a.groups.map(\.grade) == b.groups.map(\.grade)
  }

  /// The part of a property.
  public subscript(key: String) -> Part? { properties.first { $0.key == key } }

  /// Whether it was refused as a whole: nothing of it has a grade.
  public var isRefused: Bool { properties.allSatisfy { $0.grade == nil } }
}

extension Scale {
  /// Rates one subject.
  ///
  /// Never fails: what cannot be rated has no grade, and the reason.
  ///
  /// - Parameter gates: what a subject must hold to have a compound grade.
  public func rate(_ subject: Subject, gates: [Gate] = []) -> Rating {
    var rating = Rating(
      subject: subject,
      properties: [],
      groups: [],
      compound: nil,
      gates: gates.map { $0.judge(subject) },
      notes: []
    )
    if let refusal = refusal(subject) {
      rating.properties = properties.map {
        Rating.Part(key: $0.key, value: subject.values[$0.key], reason: refusal.summary)
      }
      rating.groups = groupNames.map { ($0, nil) }
      rating.notes = [refusal]
      return rating
    }
    var positions: [Int: Position] = [:]
    for (place, property) in properties.enumerated() {
      let value = subject.values[property.key]
      var part = Rating.Part(key: property.key, value: value)
      do {
        let position = try position(place, subject)
        positions[place] = position
        part.grade = grade(position, frozen.rows[place].limits, [place], subject)
      } catch {
        part.reason = error.text
      }
      rating.properties.append(part)
    }
    rating.groups = groupNames.map { name in
      (name, compound(positions, subject) { self.properties[$0].group == name })
    }
    rating.compound = compound(positions, subject) { _ in true }
    judgeCompound(&rating, positions)
    noteConditions(&rating)
    return rating
  }

  /// The groups that count, in the order of the properties.
  public var groupNames: [String] {
    var names: [String] = []
    for property in properties where property.weight > 0 && !names.contains(property.group) {
      names.append(property.group)
    }
    return names
  }

  private func compound(
    _ positions: [Int: Position],
    _ subject: Subject,
    _ counts: (Int) -> Bool
  ) -> Grade? {
    let places = positions.keys.sorted().filter { counts($0) && properties[$0].weight > 0 }
    let parts = places.compactMap { place in
      positions[place].map { (position: $0, weight: properties[place].weight) }
    }
    guard let position = Position.mean(parts) else { return nil }
    let limits = frozen.limits(ofCompound: Set(places), properties)
    let unsure = places.filter { positions[$0]?.spread == .unknown }
    return grade(position, limits, places, subject, takenAsExact: unsure)
  }

  /// A compound needs something of every group, and every gate.
  private func judgeCompound(_ rating: inout Rating, _ positions: [Int: Position]) {
    let missing = rating.properties.filter { part in
      part.grade == nil && (properties.first { $0.key == part.key }?.weight ?? 0) > 0
    }
    let empty = rating.groups.filter { $0.grade == nil }.map(\.name)
    if !empty.isEmpty {
      rating.compound = nil
      rating.notes.append(
        Diagnostic(
          "RAT031",
          "no grade over all: nothing of \(empty.joined(separator: " and ")) is known",
          remedy: missing.isEmpty ? nil : missing.map(why).joined(separator: "; ")
        )
      )
    } else if !missing.isEmpty {
      rating.notes.append(
        Diagnostic(
          "RAT032",
          "rated without \(missing.map(\.key).joined(separator: ", "))",
          remedy: missing.map(why).joined(separator: "; "),
          severity: .note
        )
      )
    }
    let failed = rating.gates.filter { $0.holds == false }
    if !failed.isEmpty {
      rating.compound = nil
      rating.notes.append(
        Diagnostic(
          "RAT033",
          "no grade over all: " + failed.map(\.text).joined(separator: "; ")
        )
      )
    }
  }

  private func why(_ part: Rating.Part) -> String { "\(part.key): \(part.reason ?? "not known")" }

  private func grade(
    _ position: Position,
    _ limits: [Double],
    _ places: [Int],
    _ subject: Subject,
    takenAsExact unsure: [Int] = []
  ) -> Grade {
    let reached = limits.map { position.probability(atLeast: $0) }
    var probabilities: [Double]?
    if let sure = reached.compactMap(\.self) as [Double]?, sure.count == limits.count {
      let ends = [0] + sure + [1]
      probabilities = zip(ends, ends.dropFirst()).map { max($1 - $0, 0) }
    }
    return Grade(
      index: position.index,
      letter: Letter(rawValue: limits.firstIndex { position.index >= $0 } ?? 4) ?? .e,
      probabilities: probabilities,
      reach: position.reach,
      takenAsExact: unsure.map { properties[$0].key },
      isMeasured: places.allSatisfy {
        subject.values[properties[$0].key]?.provenance == .measured
      },
      basis: places.map { properties[$0].key }
    )
  }

  /// Where a subject's figure lies.
  private func position(_ place: Int, _ subject: Subject) throws(Reason) -> Position {
    let property = properties[place]
    let row = frozen.rows[place]
    guard let value = subject.values[property.key] else { throw Reason("not measured") }
    let own = try Quantity(value, property)
    if let reference = row.reference {
      return Position(own, against: Quantity(reference: reference, property), property, row.step)
    }
    if subject.isOriginal { return Position(index: 0, spread: .exact) }
    guard let original = subject.original[property.key] else {
      throw Reason("its original has none measured under the same conditions")
    }
    return Position(own, against: try Quantity(original, property), property, row.step)
  }
}
