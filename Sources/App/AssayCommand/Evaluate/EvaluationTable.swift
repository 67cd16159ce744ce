import AssayAccuracy
import AssayBase
import AssaySets

/// The figures of evaluations, as a table and as JSON; derived once for both.
struct EvaluationTable {
  let set: LabelledSet
  let results: [EvaluationResult]
  /// The row of the original, where one was given.
  let reference: EvaluationResult?
  let threads: Int

  /// What a row is judged by: the original, else the runtime that is right most often.
  func judge(of result: EvaluationResult) -> EvaluationResult? {
    if let reference { return reference }
    guard results.count > 1 else { return nil }
    return results.filter(\.isWhole).max { score($0) < score($1) }
  }

  private func score(_ result: EvaluationResult) -> Double {
    switch result.task {
    case .classes, .text: result.tops[1]?.fraction ?? 0
    case .objects: result.detection(set, kind: .box, threads: threads).summary.mean ?? 0
    case .regions: result.regions.mean ?? 0
    }
  }

  /// What is odd about a row.
  func findings(_ result: EvaluationResult) -> [Diagnostic] {
    result.fault + result.findings(against: judge(of: result), set)
  }

  private func verdict(_ result: EvaluationResult) -> String {
    result.verdict(against: judge(of: result), set).rawValue
  }

  private var all: [EvaluationResult] { (reference.map { [$0] } ?? []) + results }

  /// A fraction with half the width of its interval, such as `71.2 % ±1.3`.
  static func percent(_ value: Double?, _ interval: ClosedRange<Double>?) -> String {
    guard let value else { return "-" }
    guard let interval else { return Words.percent(value) }
    let half = (interval.upperBound - interval.lowerBound) / 2
    return "\(Words.percent(value)) ±\(Words.fixed(half * 100, 1))"
  }

  static func percent(_ part: Proportion?) -> String {
    guard let part, part.count > 0 else { return "-" }
    return percent(part.fraction, part.interval)
  }

  func row(_ result: EvaluationResult) -> [String] {
    let name =
      "\(Shared.stem(result.plan.model)) on \(result.plan.runtime)"
      + (result.plan.provider == "cpu" ? "" : ", \(result.plan.provider)")
    guard result.isWhole else {
      return [name, "failed: " + (result.fault.first?.summary ?? "nothing was evaluated")]
    }
    var cells = [name]
    switch result.task {
    case .classes, .text:
      let tops = result.tops
      cells += [EvaluationTable.percent(tops[1]), EvaluationTable.percent(tops[5])]
      cells += [
        EvaluationTable.percent(result.classes.macroF1, nil),
        result.calibration.error.map { Words.percent($0) } ?? "-",
      ]
      cells += comparison(result)
    case .objects:
      for kind in kinds {
        let evaluation = result.detection(set, kind: kind, threads: threads)
        let summary = evaluation.summary
        let intervals = evaluation.intervals(threads: threads)
        cells.append(EvaluationTable.percent(summary.at50, intervals?.at50))
        cells.append(EvaluationTable.percent(summary.mean, intervals?.mean))
        let point = evaluation.workingPoint
        cells.append(EvaluationTable.percent(point?.precision, nil))
        cells.append(EvaluationTable.percent(point?.recall, nil))
      }
    case .regions:
      let regions = result.regions
      cells.append(EvaluationTable.percent(regions.mean, regions.interval()))
      cells.append(EvaluationTable.percent(regions.pixelAccuracy, nil))
    }
    cells.append("\(result.outcomes.count)")
    cells.append(result.rate.map { Words.rate($0) } ?? "kept")
    cells.append(verdict(result))
    return cells
  }

  private var kinds: [DetectionRules.Kind] {
    all.contains { $0.hasMasks(set) } ? [.box, .mask] : [.box]
  }

  private func comparison(_ result: EvaluationResult) -> [String] {
    guard let reference, reference.isWhole else { return [] }
    if reference.plan == result.plan { return ["-", "-", "-"] }
    let paired = result.paired(with: reference)
    guard paired.count > 0, let difference = paired.difference else { return ["-", "-", "-"] }
    func points(_ value: Double) -> String {
      (value > 0 ? "+" : "") + Words.fixed(value * 100, 1)
    }
    return [
      Words.percent(Double(paired.agreed) / Double(paired.count)),
      "\(points(difference.value)) [\(points(difference.interval.lowerBound)), "
        + "\(points(difference.interval.upperBound))]",
      paired.probability < 0.0005 ? "<0.001" : Words.fixed(paired.probability, 3),
    ]
  }

  private var header: [String] {
    switch set.task {
    case .classes, .text:
      return ["model", "top-1", "top-5", "F1", "calibration error"]
        + (reference == nil ? [] : ["same class", "points", "p"]) + ["items", "rate", "verdict"]
    case .objects:
      return ["model"]
        + kinds.flatMap { kind in
          ["mAP50", "mAP50-95", "precision", "recall"].map {
            kinds.count > 1 ? "\(kind.rawValue) \($0)" : $0
          }
        } + ["items", "rate", "verdict"]
    case .regions: return ["model", "mIoU", "pixels", "items", "rate", "verdict"]
    }
  }

  var text: String {
    Text.table(header, all.map { row($0) }, numeric: Set(1..<header.count - 1))
  }

  func json(_ result: EvaluationResult) -> JSON {
    func interval(_ range: ClosedRange<Double>?) -> JSON {
      range.map { [JSON($0.lowerBound), JSON($0.upperBound)] } ?? .null
    }
    func figure(_ value: Double?, _ range: ClosedRange<Double>?) -> JSON {
      .object(["value": value.map { JSON($0) } ?? .null, "interval": interval(range)])
    }
    var json = JSON.object([
      "model": .string(result.plan.model), "sha256": .string(result.plan.sha256),
      "runtime": .string(result.plan.runtime), "version": .string(result.plan.version),
      "provider": .string(result.plan.provider), "threads": JSON(result.plan.threads),
      "preprocess": .string(result.plan.preprocess), "set": .string(result.plan.setHash),
      "items": JSON(result.outcomes.count), "whole": .bool(result.isWhole),
      "verdict": .string(verdict(result)),
      "findings": .array(findings(result).map(\.json)),
    ])
    guard result.isWhole else { return json }
    if let rate = result.rate { json["itemsPerSecond"] = JSON(rate) }
    switch result.task {
    case .classes, .text:
      let tops = result.tops
      for depth in TopCounts.depths {
        guard let part = tops[depth] else { continue }
        json["top\(depth)"] = figure(part.fraction, part.interval)
      }
      let score = result.classes
      json["macroF1"] = figure(score.macroF1, score.macroF1Interval())
      json["calibrationError"] = result.calibration.error.map { JSON($0) } ?? .null
      json["f1"] = .array(score.f1.map { $0.map { JSON($0) } ?? .null })
      if score.confusion.count <= 100 {
        json["confusion"] = .array(score.confusion.map { .array($0.map { JSON($0) }) })
      }
      if let reference, reference.isWhole, reference.plan != result.plan {
        let paired = result.paired(with: reference)
        json["against"] = .object([
          "sha256": .string(reference.plan.sha256), "runtime": .string(reference.plan.runtime),
          "agreement": JSON(Double(paired.agreed) / Double(max(paired.count, 1))),
          "difference": figure(paired.difference?.value, paired.difference?.interval),
          "betterOn": JSON(paired.secondOnly), "worseOn": JSON(paired.firstOnly),
          "probability": JSON(paired.probability),
        ])
      }
    case .objects:
      for kind in kinds {
        let evaluation = result.detection(set, kind: kind, threads: threads)
        json[kind.rawValue] = EvaluationTable.json(
          evaluation,
          classes: set.classes,
          threads: threads
        )
      }
    case .regions:
      let regions = result.regions
      json["mIoU"] = figure(regions.mean, regions.interval())
      json["pixelAccuracy"] = regions.pixelAccuracy.map { JSON($0) } ?? .null
      json["iou"] = .array(regions.byClass.map { $0.map { JSON($0) } ?? .null })
    }
    return json
  }

  /// COCO's figures of one evaluation.
  static func json(_ evaluation: DetectionEvaluation, classes: [String], threads: Int) -> JSON {
    let summary = evaluation.summary
    let intervals = evaluation.intervals(threads: threads)
    func number(_ value: Double?) -> JSON { value.map { JSON($0) } ?? .null }
    func figure(_ value: Double?, _ range: ClosedRange<Double>?) -> JSON {
      .object([
        "value": number(value),
        "interval": range.map { [JSON($0.lowerBound), JSON($0.upperBound)] } ?? .null,
      ])
    }
    var json = JSON.object([
      "mAP50": figure(summary.at50, intervals?.at50),
      "mAP50_95": figure(summary.mean, intervals?.mean), "mAP75": number(summary.at75),
      "mAPSmallMediumLarge": .array(summary.bySize.map { number($0) }),
      "recall1_10_100": .array(summary.recalls.map { number($0) }),
      "recallSmallMediumLarge": .array(summary.recallBySize.map { number($0) }),
      "objects": JSON(evaluation.objectCount), "images": JSON(evaluation.imageCount),
    ])
    if let point = evaluation.workingPoint {
      json["workingPoint"] = .object([
        "score": JSON(point.score), "precision": JSON(point.precision),
        "recall": JSON(point.recall), "f1": JSON(point.f1),
      ])
    }
    json["classes"] = .array(
      evaluation.byCategory.enumerated().compactMap { index, score in
        guard let score else { return nil }
        return .object([
          "name": .string(classes.indices.contains(index) ? classes[index] : "\(index)"),
          "mAP50": JSON(score.at50), "mAP50_95": JSON(score.mean),
        ])
      }
    )
    return json
  }
}
