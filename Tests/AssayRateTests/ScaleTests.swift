import AssayBase
import Testing

@testable import AssayRate

/// The method with frozen scales.
@Suite struct ScaleTests {
  private func subject(
    _ latency: Double,
    _ accuracy: Double,
    id: String = "s",
    conditions: [String: String] = [:],
    size: Double = 20e6
  ) -> Subject {
    Subject(
      id: id,
      model: id,
      conditions: conditions,
      values: [
        "latency": Measured(latency, .relative(standardError: 0.02, freedom: 4)),
        "accuracy": Measured(accuracy, .counted(5000)),
        "size": Measured(size, .exact),
      ]
    )
  }

  private func classification() throws -> Scale { try Scale.named("image-classification") }

  private func fault(_ body: () throws -> Void) -> String? {
    do {
      try body()
      return nil
    } catch {
      return (error as? Diagnostic)?.code ?? "\(error)"
    }
  }

  // MARK: Scales

  @Test func theBuiltInScalesAreReadAndWrittenAlike() throws {
    #expect(Scale.builtIn.map(\.name) == ["image-classification", "variants"])
    for scale in Scale.builtIn {
      let again = try Scale(json: JSON(parsing: scale.json.text(pretty: true)))
      #expect(again == scale)
    }
  }

  @Test func everyFigureOfTheReferenceSetSaysWhereItIsFrom() throws {
    for scale in Scale.builtIn {
      for reference in scale.references {
        for key in reference.values.keys {
          let source = try #require(reference.sources[key], "\(reference.model) \(key)")
          #expect(scale.sources[source] != nil, "\(source)")
        }
      }
    }
  }

  @Test func anAIsReachableInEverythingAndOverAll() throws {
    let scale = try classification()
    let ratings = scale.references.map { reference in
      scale.rate(
        Subject(
          id: reference.model,
          model: reference.model,
          values: reference.values.mapValues { Measured($0, .exact, .published) }
        )
      )
    }
    for property in scale.properties where property.weight > 0 {
      let best = ratings.filter { $0[property.key]?.grade?.letter == .a }
      // A fifth of the reference set.
      let known = ratings.filter { $0[property.key]?.grade != nil }
      #expect(best.count * 5 >= known.count, "\(property.key)")
    }
    #expect(scale.references.allSatisfy { $0.values.count == 6 })
    let compounds = ratings.compactMap(\.compound)
    #expect(compounds.count == scale.references.count)
    let letters = Letter.allCases.map { letter in compounds.filter { $0.letter == letter }.count }
    #expect(letters.allSatisfy { $0 >= compounds.count / 5 - 1 })
    #expect(letters[0] * 5 >= compounds.count)
  }

  @Test func indexZeroIsTheMiddleAndOneIsAStep() throws {
    let references = [1.0, 2, 4, 8, 16].map {
      Scale.Reference(model: "m\($0)", values: ["latency": $0])
    }
    let scale = try Scale(
      name: "t",
      properties: [.init("latency", group: "resource", unit: .seconds, comparison: .less)],
      references: references
    )
    // Doublings -2, -1, 0, 1, 2: the quantiles 0.8 and 0.2 are 1.2 and -1.2.
    #expect(scale.reference("latency") == 4)
    let limits = try #require(scale.boundaries.limits["latency"])
    for (limit, expected) in zip(limits, [1, 0.4 / 1.2, -0.4 / 1.2, -1]) {
      #expect(abs(limit - expected) < 1e-12)
    }
    let values = try #require(scale.values(atLimitsOf: "latency"))
    #expect(abs(values[0] - 4 / power2(1.2)) < 1e-12)
    func letter(_ seconds: Double) -> Letter? {
      scale.rate(Subject(id: "", model: "", values: ["latency": Measured(seconds, .exact)]))
        .compound?.letter
    }
    #expect(letter(4 / power2(1.2) * 0.999999) == .a)
    #expect(letter(4 / power2(1.2) * 1.000001) == .b)
    #expect(letter(4) == .c)
    #expect(letter(16) == .e)
  }

  @Test func fractionsAreComparedByTheirErrors() throws {
    let scale = try Scale(
      name: "t",
      properties: [
        .init(
          "accuracy",
          group: "quality",
          unit: .fraction,
          comparison: .fraction,
          reference: 0.9,
          step: 1,
          limits: [2, 1, 0, -1]
        )
      ]
    )
    func index(_ fraction: Double) -> Double? {
      scale.rate(Subject(id: "", model: "", values: ["accuracy": Measured(fraction)]))
        .compound?.index
    }
    #expect(abs(try #require(index(0.95)) - 1) < 1e-9)
    #expect(abs(try #require(index(0.975)) - 2) < 1e-9)
    #expect(abs(try #require(index(0.8)) + 1) < 1e-9)
    // No error seen: the median of what is known, not infinity.
    let none = scale.rate(
      Subject(id: "", model: "", values: ["accuracy": Measured(1, .counted(20))])
    )
    let grade = try #require(none.compound)
    #expect(grade.index.isFinite && grade.index > 2)
    #expect(try #require(grade.probabilities)[0] < 1)
    #expect(none["accuracy"]?.value?.value == 1)
  }

  @Test func scalesThatCannotRateAreRefused() throws {
    #expect(fault { _ = try Scale(json: JSON(parsing: "{}")) } == "RAT021")
    func scale(_ property: String, _ references: String = "[]") -> String {
      """
      {"schema": "assay.scale/1", "name": "t", "version": 1, "properties": [\(property)],
      "references": \(references)}
      """
    }
    for (text, code) in [
      (scale(""), "RAT020"),
      (scale(#"{"key": "latency"}"#), "RAT020"),
      (scale(#"{"key": "latency", "reference": 1, "step": 0, "limits": [1, 1, 0, 0]}"#), "RAT020"),
      (scale(#"{"key": "latency", "reference": 1, "step": 1, "limits": [1, 2, 0, 0]}"#), "RAT020"),
      (scale(#"{"key": "latency", "reference": 1, "step": 1, "limits": [1, 0]}"#), "RAT020"),
      (scale(#"{"key": "latency", "reference": "x"}"#), "RAT021"),
      (scale(#"{"key": "odd"}"#), "RAT021"),
      (scale(#"{"key": "latency", "better": "blue"}"#), "RAT021"),
      (
        scale(#"{"key": "latency"}"#, #"[{"model": "m", "values": {"latency": -1}}]"#), "RAT020"
      ),
      (scale(#"{"key": "latency"}"#, #"[{"model": "m", "values": {"latency": "x"}}]"#), "RAT021"),
      (
        scale(
          #"{"key": "latency", "weight": 0, "reference": 1, "step": 1, "limits": [1, 1, 0, 0]}"#
        ),
        "RAT020"
      ),
    ] {
      #expect(fault { _ = try Scale(json: JSON(parsing: text)) } == code, "\(text)")
    }
    #expect(fault { _ = try Scale.named("image-clasification") } == "RAT022")
    #expect(fault { _ = try classification().weighted(["odd": 1]) } == "RAT002")
  }

  @Test func weightsAndLimitsAreEdited() throws {
    let scale = try classification()
    let heavy = try scale.weighted(["latency": 0, "energy": 0, "size": 5])
    #expect(heavy.groupNames == ["quality", "resource"])
    let fast = subject(0.001, 0.75, size: 500e6)
    #expect(scale.rate(fast).groups[1].grade?.letter.rawValue ?? 9 < 4)
    #expect(heavy.rate(fast).groups[1].grade?.letter == .e)
    let harsh = try scale.bounded(Boundaries(["latency": [9, 8, 7, 6]]))
    #expect(harsh.rate(fast)["latency"]?.grade?.letter == .e)
    #expect(harsh.boundaries.limits["latency"] == [9, 8, 7, 6])
    // What was saved is read as it was.
    let saved = try Boundaries(json: JSON(parsing: harsh.boundaries.json.text()))
    #expect(try scale.bounded(saved).rate(fast)["latency"] == harsh.rate(fast)["latency"])
  }

  // MARK: Frozen

  @Test func noGradeChangesWhenOthersComeAndGo() throws {
    let scale = try classification()
    var rng = SeededRNG(seed: 11)
    func random(_ number: Int) -> Subject {
      subject(
        Double(power2(Double(rng.uniform(-10, 0)))),
        Double(rng.uniform(0.5, 0.9)),
        id: "m\(number)",
        size: Double(rng.uniform(1e6, 4e8))
      )
    }
    var present = (0..<20).map(random)
    var before: [String: Rating] = [:]
    var (changes, moves) = (0, 0)
    for number in 20..<1020 {
      if present.count > 2, rng.uniform() < 0.5 {
        present.remove(at: Int(rng.next() % UInt64(present.count)))
      } else {
        present.append(random(number))
      }
      moves += 1
      for rating in ScaleRatings(present, by: scale).ratings {
        if let old = before[rating.subject.id], old != rating { changes += 1 }
        before[rating.subject.id] = rating
      }
    }
    #expect(moves == 1000)
    #expect(changes == 0)
  }

  // MARK: What is missing or unlike

  @Test func unlikeMeasurementsAreRefused() throws {
    let scale = try classification()
    let batch = scale.rate(subject(0.01, 0.7, conditions: ["batch": "8"]))
    #expect(batch.isRefused && batch.compound == nil)
    #expect(batch.notes.map(\.code) == ["RAT030"])
    let emulated = scale.rate(subject(0.01, 0.7, conditions: ["emulated": "yes"]))
    #expect(emulated.isRefused)
    let fine = scale.rate(
      subject(
        0.01,
        0.7,
        conditions: ["batch": "1", "emulated": "no", "scenario": "single-stream"]
      )
    )
    #expect(fine.compound != nil)
    #expect(!fine.notes.contains { $0.code == "RAT034" })
    #expect(scale.rate(subject(0.01, 0.7)).notes.contains { $0.code == "RAT034" })
    let threads = [
      subject(0.01, 0.7, conditions: ["threads": "1"]),
      subject(0.005, 0.7, conditions: ["threads": "4"]),
    ]
    let together = ScaleRatings(threads, by: scale)
    #expect(together.notes.map(\.code) == ["RAT035"])
    // Four threads do not beat one.
    #expect(together.dominators == [[], []])
  }

  @Test func aGradeOverAllNeedsQualityAndResources() throws {
    let scale = try classification()
    var fast = subject(0.001, 0.7)
    fast.values["accuracy"] = nil
    let rating = scale.rate(fast)
    #expect(rating.compound == nil)
    #expect(rating.groups.first { $0.name == "resource" }?.grade != nil)
    #expect(rating.notes.contains { $0.code == "RAT031" })
    #expect(rating["accuracy"]?.reason == "not measured")
    var odd = subject(0, 0.7)
    odd.values["size"] = Measured(.nan)
    let ratings = scale.rate(odd)
    #expect(ratings["latency"]?.grade == nil && ratings["size"]?.grade == nil)
    #expect(ratings.compound == nil)
  }

  @Test func withoutAnUncertaintyThereIsNoProbability() throws {
    let scale = try classification()
    var known = subject(0.01, 0.75)
    known.values["energy"] = Measured(0.1, .unknown, .estimated)
    let rating = scale.rate(known)
    #expect(rating["latency"]?.grade?.probabilities != nil)
    #expect(rating["energy"]?.grade?.probabilities == nil)
    #expect(rating.compound?.takenAsExact == ["energy"])
    #expect(rating.compound?.probabilities != nil)
    #expect(rating.compound?.isMeasured == false)
    known.values = known.values.mapValues { Measured($0.value) }
    #expect(scale.rate(known).compound?.probabilities == nil)
    #expect(rating.groups.first { $0.name == "quality" }?.grade?.isMeasured == true)
  }

  @Test func dominanceIsToldByEverythingThatCounts() throws {
    let scale = try classification()
    let all = [
      subject(0.01, 0.8, id: "good"), subject(0.02, 0.7, id: "bad"),
      subject(0.005, 0.7, id: "fast"),
      subject(0.01, 0.8, id: "twin"),
    ]
    let set = ScaleRatings(all, by: scale)
    #expect(set.dominators[0].isEmpty && set.dominators[2].isEmpty && set.dominators[3].isEmpty)
    #expect(Set(set.dominators[1]) == [0, 2, 3])
    var less = all
    less[1].values["energy"] = Measured(1)
    #expect(ScaleRatings(less, by: scale).dominators[1].isEmpty)
  }

  @Test func onlyTheFirstThatDominateAreNamed() throws {
    let scale = try classification()
    let better = (1...30).map { subject(0.01 / Double($0), 0.8, id: "m\($0)") }
    let set = ScaleRatings([subject(0.02, 0.5, id: "worst")] + better, by: scale)
    #expect(set.dominators[0] == Array(1...Dominance.namedAtMost))
    #expect(set.dominators[30].isEmpty)
  }

  // MARK: Variants and gates

  @Test func variantsAreRatedAgainstTheirOriginal() throws {
    let scale = try Scale.named("variants")
    var original = subject(0.010, 0.75, id: "original", size: 16e6)
    original.isOriginal = true
    var variant = subject(0.004, 0.748, id: "int8", size: 4.1e6)
    #expect(scale.rate(variant).compound == nil)
    variant.original = original.values
    let rating = scale.rate(variant)
    #expect(rating["latency"]?.grade?.letter == .a)
    #expect(rating["size"]?.grade?.letter == .a)
    #expect(rating.compound?.letter == .a)
    #expect(scale.rate(original)["latency"]?.grade?.index == 0)
    #expect(scale.rate(original)["latency"]?.grade?.letter == .c)
    // Agreement with the original is not told against the original's own.
    variant.values["agreement"] = Measured(0.995, .exact)
    #expect(scale.rate(variant)["agreement"]?.grade?.letter == .a)
  }

  @Test func gatesAreReadAndJudged() throws {
    for (text, words) in [
      ("accuracy>=99%original", "accuracy >= 99 % of the original's"),
      ("accuracy >= 0.99 * original", "accuracy >= 99 % of the original's"),
      ("accuracy>=99%ofthe original", "accuracy >= 99 % of the original's"),
      ("accuracy>=0.7", "accuracy >= 70.0 %"), ("latency<=20ms", "latency <= 20.0 ms"),
      ("size<=5MB", "size <= 5.00 MB"), ("energy<=2mJ", "energy <= 2.00 mJ"),
    ] {
      #expect(try Gate(text).text == words)
    }
    for text in [
      "", "accuracy", "accuracy=0.9", "odd>=1", "latency<=fast", "latency<=-1s", ">=1",
      "latency<=20", "size<=5", "accuracy>=85",
    ] {
      #expect(fault { _ = try Gate(text) } == "RAT040", "\(text)")
    }
    let scale = try Scale.named("variants")
    let gate = try Gate("accuracy>=99%original")
    var variant = subject(0.004, 0.70)
    variant.original = subject(0.010, 0.75).values
    let failed = scale.rate(variant, gates: [gate])
    #expect(failed.gates[0].holds == false)
    #expect(try #require(failed.gates[0].probability) < 0.01)
    #expect(failed.compound == nil && failed["latency"]?.grade != nil)
    variant.values["accuracy"] = Measured(0.749, .counted(5000))
    let held = scale.rate(variant, gates: [gate])
    #expect(held.gates[0].holds == true && held.compound != nil)
    #expect((0.5...1).contains(try #require(held.gates[0].probability)))
    variant.original = [:]
    #expect(scale.rate(variant, gates: [gate]).gates[0].holds == nil)
  }

  @Test func aSetOfSubjectsIsFrozenAsAScale() throws {
    let subjects = (0..<6).map {
      subject(0.01 * Double($0 + 1), 0.6 + 0.05 * Double($0), id: "m\($0)")
    }
    let scale = try Scale.freeze(
      subjects,
      name: "mine",
      about: "six",
      properties: Scale.Property.known.filter { $0.key != "size" }
    )
    #expect(scale.properties.map(\.key) == ["accuracy", "latency"])
    #expect(scale.rate(subjects[0])["latency"]?.grade?.letter == .a)
    #expect(
      fault {
        _ = try Scale.freeze(
          Array(subjects.prefix(3)),
          name: "few",
          about: "",
          properties: Scale.Property.known
        )
      } == "RAT020"
    )
  }
}
