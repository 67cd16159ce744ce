import AssayBase
import AssayStatistics

extension Record {
  /// Samples that belong together when two records are compared: those of one process, or of one round
  /// where all rounds are of one process.
  var units: [[[Int64]]] {
    let rounds = samplesByRound
    let units = rounds.stretches(processes)
    guard units.count >= DifferenceTest.minimumUnits, units.allSatisfy({ !$0.isEmpty }) else {
      return rounds.map { [$0] }
    }
    return units.map { Array($0) }
  }

  /// The median of each process's rounds' medians, nanoseconds; empty where there is one process.
  public var processMedians: [Int64] {
    guard processes.count > 1 else { return [] }
    return summary.roundMedians.stretches(processes).filter { !$0.isEmpty }.map {
      $0.sorted()[($0.count - 1) / 2]
    }
  }

  /// Whether rounds of both ran next to each other, so that what disturbed the machine disturbed both.
  public func tookTurns(with other: Record) -> Bool {
    id != other.id && session == other.session && processes == other.processes
      && rounds.count == other.rounds.count
  }

  /// How much slower or faster another record is, by a percentile of its latency.
  ///
  /// Rounds are compared in pairs where both took turns. What is below the clock's step of a nanosecond
  /// on either side is no difference.
  ///
  /// - Returns: a missing figure with the reason when the records cannot tell.
  public func difference(
    to other: Record,
    at percentile: Percentile = .p50,
    test: DifferenceTest = DifferenceTest()
  ) -> Figure<Difference> {
    let (a, b) = (units, other.units)
    let isPaired = tookTurns(with: other)
    let fewest = min(a.count, b.count)
    guard fewest >= DifferenceTest.minimumUnits else {
      return .missing(
        reason: "\(fewest) rounds are too few to compare; \(DifferenceTest.minimumUnits) are needed"
      )
    }
    // The rounds of a process are taken together where one has too few samples for the percentile.
    let isByRound = (a + b).allSatisfy { unit in
      unit.allSatisfy { $0.count >= percentile.minimumCount }
    }
    func figures(_ unit: [[Int64]]) -> [Double]? {
      let parts = isByRound ? unit : [unit.flatMap(\.self)]
      guard parts.allSatisfy({ $0.count >= percentile.minimumCount }) else { return nil }
      return parts.map { OrderStatistics.grouped(percentile, ofSorted: $0.sorted()) }
    }
    let (x, y) = (a.compactMap(figures), b.compactMap(figures))
    guard x.count == a.count, y.count == b.count else {
      return .missing(
        reason: "\(percentile) needs \(percentile.minimumCount) samples in each round or process"
      )
    }
    let levels = [x, y].map { ChangePoints.median($0.flatMap(\.self)) }
    guard levels.allSatisfy({ $0 > 0 }) else {
      return .missing(reason: "latencies are below what the clock tells")
    }
    let resolution = 1 / levels[0] + 1 / levels[1]
    let found: Difference?
    if isPaired {
      let ratios = zip(x, y).map { unit in
        ChangePoints.median(zip(unit.0, unit.1).map { $1 / $0 })
      }
      found = test.paired(
        [Double](repeating: 1, count: ratios.count),
        ratios,
        resolution: resolution
      )
    } else {
      found = test.unpaired(
        x.map { ChangePoints.median($0) },
        y.map { ChangePoints.median($0) },
        resolution: resolution
      )
    }
    guard let found else { return .missing(reason: "latencies are below what the clock tells") }
    return .value(found)
  }
}
