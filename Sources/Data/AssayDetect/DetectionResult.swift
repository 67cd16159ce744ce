import AssayBase
import AssayData

/// A series with its scores, and what a threshold makes of them.
public struct DetectionResult: Sendable {
  /// The name of the series, for people.
  public var name: String
  /// The series.
  public var series: TimeSeries
  /// What the network made of it, channel by channel, standardized.
  public var reconstruction: [[Float]]
  /// How the series was standardized.
  public var standardization: Standardization
  /// The mean log-cosh of the reconstruction's errors, where there is a reconstruction.
  public var logCosh: Double
  /// How errors became scores.
  public var scoring: Scoring
  /// The scores.
  public var scores: [Double]
  /// Whether the errors' covariance could not be inverted.
  public var isSingular: Bool
  /// What errors are like.
  public var errors: ErrorStatistics
  /// The threshold that was asked for.
  public var threshold: Threshold
  /// What it finds.
  public var detection: Detection
  /// The middle score, outside of labelled anomalies and their surroundings.
  public var medianScore: Double

  /// Scores a series.
  ///
  /// - Parameters:
  ///   - name: its name.
  ///   - series: the series.
  ///   - standardization: how it is standardized; by its own figures if `nil`.
  ///   - statistics: what errors are like; as they are in this series if `nil`.
  ///   - sampling: the part of the windows that such statistics are drawn from, with a seed; all of
  ///     them if `nil`.
  ///   - scoring: how errors become scores.
  ///   - threshold: the threshold; the least without false positives for a series with labels, else the
  ///     score that 99 % do not exceed, if `nil`.
  ///   - threads: workers.
  ///   - reconstruct: runs the network on the standardized channels.
  /// - Throws: `Diagnostic` DTC004 for a series that is too short to be scored, DTC034 for a
  ///   reconstruction that is no number, DTC021; what `reconstruct` throws.
  public init(
    name: String,
    series: TimeSeries,
    standardization: Standardization? = nil,
    statistics: ErrorStatistics? = nil,
    sampling: (part: Double, seed: UInt64)? = nil,
    scoring: Scoring = Scoring(),
    threshold: Threshold? = nil,
    threads: Int = 1,
    reconstruct: ([[Float]]) throws -> [[Float]]
  ) throws {
    try series.check(leastCount: scoring.window + 1)
    self.name = name
    self.series = series
    self.scoring = scoring
    self.standardization = standardization ?? Standardization(of: series)
    let input = self.standardization.applied(to: series)
    reconstruction = try reconstruct(input)
    guard reconstruction.count == input.count else {
      throw Diagnostic(
        "DTC033",
        "the network takes \(reconstruction.count) channels, the series has \(input.count)",
        remedy: "choose columns with --columns"
      )
    }
    let known = reconstruction[0].count
    let errors = zip(input, reconstruction).map { Scoring.errors($0, reconstruction: $1) }
    guard errors.allSatisfy({ $0.allSatisfy(\.isFinite) }) else {
      throw Diagnostic(
        "DTC034",
        "the network's output is not a finite number everywhere",
        remedy: "see where with assay verify"
      )
    }
    logCosh =
      errors.map { Scoring.meanLogCosh($0.prefix(known)) }.reduce(0, +) / Double(errors.count)
    if let statistics {
      self.errors = statistics
    } else if let sampling {
      self.errors = ErrorStatistics(
        errors: errors,
        window: scoring.window,
        sampling: sampling.part,
        seed: sampling.seed
      )
    } else {
      self.errors = ErrorStatistics(errors: errors, window: scoring.window)
    }
    let distance = Mahalanobis(self.errors)
    isSingular = distance.isSingular
    scores = scoring.scores(errors, distance, threads: threads)
    let labels = series.isAnomaly.map {
      ScoreLabels(isAnomaly: $0, isIgnored: series.isIgnored, firstSample: scoring.firstSample)
    }
    self.threshold = threshold ?? (labels == nil ? .quantile(0.99) : .zeroFalsePositives)
    detection = try Detection(
      scores,
      self.threshold,
      labels: labels,
      scoring: scoring,
      judgedCount: known < series.count ? scores.count - ScoreLabels.ignoredEnd : nil
    )
    let normal = scores.indices.filter { labels?.isNormal($0) ?? true }.map { [scores] in scores[$0]
    }
    medianScore = normal.isEmpty ? 0 : normal.sorted()[normal.count / 2]
  }

  /// The result as JSON: `scores[i]` belongs to sample `i + firstSample`.
  public var json: JSON {
    func range(_ range: Range<Int>) -> JSON { [JSON(range.lowerBound), JSON(range.upperBound)] }
    var result: JSON = .object([
      "schema": "assay.detect/1", "series": .string(name), "samples": JSON(series.count),
      "channels": .array(series.channels.map { .string($0) }), "logCosh": JSON(logCosh),
      "firstSample": JSON(scoring.firstSample), "threshold": JSON(detection.threshold),
      "thresholdRule": .string(threshold.text), "medianScore": JSON(medianScore),
      "highestScore": JSON(scores.max() ?? 0),
      "alarms": .array(detection.alarms.map(range)),
    ])
    if let events = detection.events, let byEvent = detection.byEvent,
      let bySample = detection.bySample
    {
      result["events"] = JSON(events.count)
      result["detected"] = JSON(byEvent.truePositives)
      result["falsePositives"] = JSON(byEvent.falsePositives)
      result["anomalies"] = .array(
        events.map {
          .object([
            "samples": range($0.samples), "peak": JSON($0.peak), "detected": .bool($0.isDetected),
          ])
        }
      )
      result["byEvent"] = json(byEvent)
      result["bySample"] = json(bySample)
    }
    result["scores"] = .array(scores.map { JSON($0) })
    return result
  }

  private func json(_ quality: Detection.Quality) -> JSON {
    .object([
      "precision": JSON(quality.precision), "recall": JSON(quality.recall),
      "f1": JSON(quality.f1),
    ])
  }
}
