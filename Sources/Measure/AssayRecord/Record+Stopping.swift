import AssayBase
import AssayStatistics

extension Record {
  /// How precisely a percentile was wanted, and what came of it.
  public struct Stopping: Sendable, Equatable {
    /// How measuring ended.
    public enum Outcome: String, Sendable {
      /// The interval is as narrow as wanted.
      case reached
      /// It became clear that the rounds that are allowed would not do.
      case never
    }

    /// The percentile.
    public var percentile: Percentile
    /// Half the width that was wanted, as a part of the percentile.
    public var target: Double
    /// Half the width at the end; missing when the samples do not bound the percentile.
    public var halfWidth: Figure<Double>
    /// How measuring ended.
    public var outcome: Outcome
    /// The rounds that would do, by what was seen; missing when that cannot be told.
    public var roundsNeeded: Figure<Int>

    /// Makes an outcome.
    public init(
      percentile: Percentile,
      target: Double,
      halfWidth: Figure<Double>,
      outcome: Outcome,
      roundsNeeded: Figure<Int>
    ) {
      self.percentile = percentile
      self.target = target
      self.halfWidth = halfWidth
      self.outcome = outcome
      self.roundsNeeded = roundsNeeded
    }

    /// The outcome as a record keeps it.
    var json: JSON {
      .object([
        "percentile": .string(percentile.description), "target": .number(target),
        "halfWidth": halfWidth.json, "outcome": .string(outcome.rawValue),
        "roundsNeeded": roundsNeeded.json,
      ])
    }

    /// Reads an outcome; `nil` when it is none.
    init?(json: JSON) {
      guard let percentile = json["percentile"]?.string.flatMap({ Percentile($0) }),
        let target = json["target"]?.double,
        let outcome = json["outcome"]?.string.flatMap(Outcome.init)
      else { return nil }
      func reason(_ name: String) -> String {
        json[name]?["missing"]?.string ?? "not in the record"
      }
      self.init(
        percentile: percentile,
        target: target,
        halfWidth: json["halfWidth"]?.double.map { .value($0) }
          ?? .missing(reason: reason("halfWidth")),
        outcome: outcome,
        roundsNeeded: json["roundsNeeded"]?.int.map { .value($0) }
          ?? .missing(reason: reason("roundsNeeded"))
      )
    }
  }

  /// The samples of each round; empty when the rounds do not add up to the samples.
  public var samplesByRound: [[Int64]] {
    samples.stretches(rounds).map { Array($0) }
  }
}

extension Array {
  /// Consecutive stretches of these lengths; empty when they do not add up to the array.
  ///
  /// The lengths may come from a file: they are counted down, so that no sum can overflow.
  func stretches(_ lengths: [Int]) -> [ArraySlice<Element>] {
    var start = 0
    var found: [ArraySlice<Element>] = []
    for length in lengths {
      guard length >= 0, length <= count - start else { return [] }
      found.append(self[start..<start + length])
      start += length
    }
    return start == count ? found : []
  }
}
