import AssayAccuracy
import AssayBase
import AssaySets

extension EvaluationResult {
  /// Whether a figure is one to go by; what is wrong with it otherwise.
  enum Verdict: String {
    case valid = "VALID"
    case invalid = "INVALID"
  }

  /// Codes of findings that make figures worthless.
  private static let fatal: Set = ["EVA011", "EVA012"]

  /// The verdict on the figures.
  ///
  /// - Parameter reference: what they are judged by; `nil` for the outcomes alone.
  func verdict(against reference: EvaluationResult?, _ set: LabelledSet) -> Verdict {
    guard isWhole else { return .invalid }
    let codes = findings(against: reference, set).map(\.code)
    return codes.contains(where: EvaluationResult.fatal.contains) ? .invalid : .valid
  }

  /// What the outcomes give away about a provider that computes nonsense, or labels of another order.
  func findings(against reference: EvaluationResult?, _ set: LabelledSet) -> [Diagnostic] {
    switch task {
    case .classes, .text: classFindings(against: reference)
    case .objects, .regions: scoreFindings(against: reference, set)
    }
  }

  private var place: [String] { ["\(plan.runtime), \(plan.provider)"] }

  private func nonsense(_ words: String) -> Diagnostic {
    Diagnostic(
      "EVA011",
      "this computes nonsense, or something else: " + words,
      at: place,
      remedy: "assay verify tells where it begins",
      severity: .warning
    )
  }

  private func classFindings(against reference: EvaluationResult?) -> [Diagnostic] {
    guard !labels.isEmpty else { return [] }
    var findings: [Diagnostic] = []
    let pairs = labels.map { (predicted: $0.outcome.predicted, label: $0.outcome.label) }
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
          nonsense(
            "right on \(Words.percent(tops[1]?.fraction ?? 0)), the reference on "
              + "\(Words.percent(reference.tops[1]?.fraction ?? 0)) of the same items, and the same "
              + "class on only \(Words.percent(Double(paired.agreed) / Double(paired.count)))"
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

  /// Objects and regions have no outcome of an item that could be paired: their one figure is compared,
  /// and half of what the reference reaches is no matter of rounding.
  private func scoreFindings(
    against reference: EvaluationResult?,
    _ set: LabelledSet
  ) -> [Diagnostic] {
    guard let reference, reference.isWhole, isWhole, reference.plan != plan else { return [] }
    func score(_ result: EvaluationResult) -> Double {
      (task == .objects
        ? result.detection(set, kind: .box, threads: 1).summary.mean : result.regions.mean) ?? 0
    }
    let (own, other) = (score(self), score(reference))
    guard other > 0.02, own < other / 2, outcomes.count >= 8 else { return [] }
    let name = task == .objects ? "mAP50-95" : "mIoU"
    return [
      nonsense("its \(name) is \(Words.percent(own)), the reference's \(Words.percent(other))")
    ]
  }
}
