import AssayAccuracy
import AssayBase
import AssaySets

/// What one artefact reached on one runtime, and what is odd about it.
struct EvaluationResult {
  var plan: EvaluationPlan
  var task: LabelledSet.Task
  var classCount: Int
  var outcomes: [Int: Outcome]
  /// Items evaluated a second by this run; `nil` when all was known already.
  var rate: Double?
  /// Why there is no result.
  var fault: [Diagnostic] = []

  var isWhole: Bool { fault.isEmpty && !outcomes.isEmpty }

  /// The class outcomes, in order.
  var labels: [(index: Int, outcome: ClassOutcome)] {
    outcomes.keys.sorted().compactMap { index in
      guard case .label(let outcome)? = outcomes[index] else { return nil }
      return (index, outcome)
    }
  }

  var tops: TopCounts {
    var counts = TopCounts(classCount: classCount)
    for entry in labels { counts.add(entry.outcome) }
    return counts
  }

  var calibration: Calibration {
    var calibration = Calibration()
    for entry in labels { calibration.add(entry.outcome) }
    return calibration
  }

  var classes: ClassScore {
    var score = ClassScore(classCount: classCount)
    for entry in labels {
      var shifted = entry.outcome
      shifted.label -= plan.labelOffset
      shifted.predicted -= plan.labelOffset
      score.add(shifted)
    }
    return score
  }

  var regions: RegionScore {
    var score = RegionScore(classCount: classCount)
    for index in outcomes.keys.sorted() {
      if case .regions(let counts)? = outcomes[index] { score.add(counts) }
    }
    return score
  }

  /// The finds of every item that was evaluated, by COCO's rules.
  func detection(
    _ set: LabelledSet,
    kind: DetectionRules.Kind,
    threads: Int
  ) -> DetectionEvaluation {
    let images = set.items.indices.compactMap { index -> DetectedImage? in
      guard case .objects(let found)? = outcomes[index] else { return nil }
      return DetectedImage(truths: set.items[index].objects, found: found)
    }
    return DetectionEvaluation(images, kind: kind, categoryCount: classCount, threads: threads)
  }

  /// Whether finds have masks, and objects too.
  func hasMasks(_ set: LabelledSet) -> Bool {
    let found = outcomes.values.contains { outcome in
      guard case .objects(let found) = outcome else { return false }
      return found.contains { $0.mask != nil }
    }
    return found && set.items.contains { $0.objects.contains { $0.mask != nil } }
  }

  /// The same items, both evaluated.
  func paired(with other: EvaluationResult) -> PairedOutcomes {
    var paired = PairedOutcomes()
    for (index, outcome) in labels {
      guard case .label(let reference)? = other.outcomes[index] else { continue }
      paired.add(reference, outcome)
    }
    return paired
  }

  /// What the outcomes give away about a provider that computes nonsense, or labels of another order.
  func findings(against reference: EvaluationResult?) -> [Diagnostic] {
    guard task == .classes || task == .text, !labels.isEmpty else { return [] }
    var findings: [Diagnostic] = []
    let pairs = labels.map { (predicted: $0.outcome.predicted, label: $0.outcome.label) }
    let place = ["\(plan.runtime), \(plan.provider)"]
    if let offset = LabelMaps.offset(pairs) {
      let total = plan.labelOffset + offset
      findings.append(
        Diagnostic(
          "EVA010",
          "the network's classes lie \(abs(offset)) \(offset > 0 ? "above" : "below") the labels",
          at: place,
          remedy: "--label-offset \(total): the network has "
            + (offset > 0 ? "a background in front" : "no background in front"),
          severity: .warning
        )
      )
    }
    if let reference {
      let paired = paired(with: reference)
      if let difference = paired.difference, difference.interval.upperBound < -0.05,
        paired.probability < 0.001
      {
        findings.append(
          Diagnostic(
            "EVA011",
            "this computes nonsense, or something else: right on "
              + "\(Words.percent(tops[1]?.fraction ?? 0)), the reference on "
              + "\(Words.percent(reference.tops[1]?.fraction ?? 0)) of the same items, and the same "
              + "class on only \(Words.percent(Double(paired.agreed) / Double(paired.count)))",
            at: place,
            remedy: "assay verify tells where it begins",
            severity: .warning
          )
        )
      }
    }
    let common = Dictionary(grouping: pairs) { $0.predicted }.values.map(\.count).max() ?? 0
    let known = Dictionary(grouping: pairs) { $0.label }.values.map(\.count).max() ?? 0
    if pairs.count >= 20, Double(common) > 0.95 * Double(pairs.count),
      Double(known) < 0.6 * Double(pairs.count)
    {
      findings.append(
        Diagnostic(
          "EVA012",
          "the network gives one class to \(Words.percent(Double(common) / Double(pairs.count))) of "
            + "the items: it does not see them",
          at: place,
          remedy: "check --preprocess",
          severity: .warning
        )
      )
    }
    return findings
  }
}
