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
}
