import AssayBase

/// Above which score a sample counts as anomalous.
public enum Threshold: Sendable, Equatable {
  /// The least threshold at which nothing outside of the labelled anomalies is reported.
  case zeroFalsePositives
  /// The score that this part of all scores does not exceed.
  case quantile(Double)
  /// This score.
  case value(Double)

  /// Reads `zero-fp`, `quantile:0.99` or a number.
  ///
  /// - Throws: `Diagnostic` DTC020 for other words.
  public init(parsing text: String) throws {
    func fault() -> Diagnostic {
      Diagnostic(
        "DTC020",
        "the threshold cannot be '\(text)'",
        remedy: "zero-fp, quantile:0.99 or a score such as 12.5"
      )
    }
    if text == "zero-fp" {
      self = .zeroFalsePositives
    } else if text.hasPrefix("quantile:") {
      guard let part = Double(text.dropFirst(9)), part >= 0, part <= 1 else { throw fault() }
      self = .quantile(part)
    } else if let value = Double(text), value.isFinite, value >= 0 {
      self = .value(value)
    } else {
      throw fault()
    }
  }

  /// The word that `init(parsing:)` reads.
  public var text: String {
    switch self {
    case .zeroFalsePositives: "zero-fp"
    case .quantile(let part): "quantile:\(part)"
    case .value(let value): "\(value)"
    }
  }
}

/// What labels say of each score.
public struct ScoreLabels: Sendable, Equatable {
  /// Scores within a labelled anomaly.
  public var isAnomaly: [Bool]
  /// Scores that neither count for nor against: at the start, at the end, and as far around an anomaly
  /// as it reaches through receptive fields and windows.
  public var isExempt: [Bool]
  /// The labelled anomalies, as runs of scores.
  public var events: [Range<Int>]

  /// How far around an anomaly nothing counts against.
  public static let margin = 250
  /// Scores at the end that nobody judges by.
  public static let ignoredEnd = 256

  /// The labels of the scores that belong to samples from `firstSample` on.
  public init(isAnomaly: [Bool], isIgnored: [Bool]?, firstSample: Int) {
    let anomaly = Array(isAnomaly.dropFirst(firstSample))
    let ignored = isIgnored.map { Array($0.dropFirst(firstSample)) }
    let count = anomaly.count
    self.isAnomaly = anomaly
    events = Self.runs(of: anomaly)
    isExempt = (0..<count).map { index in
      let isIgnorable = (ignored?[index] ?? false) || index >= count - Self.ignoredEnd
      return isIgnorable && !anomaly[index]
    }
    let exempt = isExempt
    for index in 0..<count {
      for shifted in [index - Self.margin, index + Self.margin]
      where shifted >= 0 && shifted < count && (anomaly[shifted] || exempt[shifted]) {
        isExempt[index] = true
      }
    }
  }

  /// Whether a score counts as a false alarm when it is above the threshold.
  public func isNormal(_ index: Int) -> Bool { !isAnomaly[index] && !isExempt[index] }

  private static func runs(of flags: [Bool]) -> [Range<Int>] {
    var result: [Range<Int>] = []
    var start: Int?
    for index in 0...flags.count {
      let isSet = index < flags.count && flags[index]
      if isSet, start == nil { start = index }
      if !isSet, let begun = start {
        result.append(begun..<index)
        start = nil
      }
    }
    return result
  }
}

/// What a threshold finds.
public struct Detection: Sendable, Equatable {
  /// Precision and recall of a way of counting.
  public struct Quality: Sendable, Equatable {
    /// What was reported rightly, wrongly, and what was missed.
    public var truePositives: Int, falsePositives: Int, falseNegatives: Int

    /// The part of the reports that is right; 1 where nothing was reported.
    public var precision: Double { part(truePositives, of: truePositives + falsePositives) }
    /// The part of the anomalies that is reported.
    public var recall: Double { part(truePositives, of: truePositives + falseNegatives) }
    /// The harmonic mean of both.
    public var f1: Double {
      part(2 * truePositives, of: 2 * truePositives + falsePositives + falseNegatives)
    }

    private func part(_ count: Int, of all: Int) -> Double {
      all == 0 ? 1 : Double(count) / Double(all)
    }
  }

  /// A labelled anomaly and what was seen of it.
  public struct Event: Sendable, Equatable {
    /// The labelled samples.
    public var samples: Range<Int>
    /// The greatest score in it.
    public var peak: Double
    /// Whether that is above the threshold.
    public var isDetected: Bool
  }

  /// The score above which a sample counts as anomalous.
  public var threshold: Double
  /// Runs of samples with scores above the threshold; those closer together than a window are one.
  public var alarms: [Range<Int>]
  /// The labelled anomalies; `nil` for a series without labels.
  public var events: [Event]?
  /// Alarms that no label explains.
  public var falseAlarms: [Range<Int>]
  /// Counted by anomalies; `nil` without labels.
  public var byEvent: Quality?
  /// Counted by samples; `nil` without labels.
  public var bySample: Quality?

  /// Applies a threshold.
  ///
  /// - Parameter judgedCount: scores that are judged; those after them are of samples that the network
  ///   does not reproduce, at the end of a series that is no whole number of its periods.
  /// - Throws: `Diagnostic` DTC021 for a threshold that needs labels where there are none.
  public init(
    _ scores: [Double],
    _ threshold: Threshold,
    labels: ScoreLabels?,
    scoring: Scoring,
    judgedCount: Int? = nil
  ) throws {
    let judged = 0..<min(scores.count, max(0, judgedCount ?? scores.count))
    let level: Double
    switch threshold {
    case .value(let value): level = value
    case .quantile(let part):
      let sorted = scores[judged].sorted()
      level =
        sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(part * Double(sorted.count)))]
    case .zeroFalsePositives:
      guard let labels else {
        throw Diagnostic(
          "DTC021",
          "a threshold without false positives needs labels",
          remedy: "give a series with a column is_anomaly, or --threshold quantile:0.99"
        )
      }
      level = judged.reduce(0) { labels.isNormal($1) ? max($0, scores[$1]) : $0 }
    }
    self.threshold = level
    let first = scoring.firstSample
    func shifted(_ range: Range<Int>) -> Range<Int> {
      range.lowerBound + first..<range.upperBound + first
    }
    func alarms(_ isOn: (Int) -> Bool) -> [Range<Int>] {
      var result: [Range<Int>] = []
      for index in judged where isOn(index) {
        if let last = result.last, index - last.upperBound < scoring.window {
          result[result.count - 1] = last.lowerBound..<index + 1
        } else {
          result.append(index..<index + 1)
        }
      }
      return result.map(shifted)
    }
    self.alarms = alarms { scores[$0] > level }
    guard let labels else {
      falseAlarms = []
      return
    }
    falseAlarms = alarms { scores[$0] > level && labels.isNormal($0) }
    let events = labels.events.map { range in
      let peak = scores[range].max() ?? 0
      return Event(samples: shifted(range), peak: peak, isDetected: peak > level)
    }
    self.events = events
    let found = events.count(where: \.isDetected)
    byEvent = Quality(
      truePositives: found,
      falsePositives: falseAlarms.count,
      falseNegatives: events.count - found
    )
    var quality = Quality(truePositives: 0, falsePositives: 0, falseNegatives: 0)
    for index in scores.indices {
      let isAlarm = scores[index] > level
      if labels.isAnomaly[index] {
        if isAlarm { quality.truePositives += 1 } else { quality.falseNegatives += 1 }
      } else if isAlarm, labels.isNormal(index) {
        quality.falsePositives += 1
      }
    }
    bySample = quality
  }
}
