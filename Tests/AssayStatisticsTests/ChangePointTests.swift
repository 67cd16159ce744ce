import AssayBase
import AssayTestSupport
import Testing

@testable import AssayStatistics

private func noise(_ count: Int, _ random: inout SeededRNG, level: Double = 100) -> [Double] {
  (0..<count).map { _ in level * (1 + 0.02 * Double(random.normal())) }
}

@Suite struct ChangePointTests {
  /// The Nile's flow fell after 1898 (Cobb 1978): the 28th of 100 values is the last of the old level.
  @Test func theNile() throws {
    let values = try numbers("nile", "values")
    let hit = try #require(ChangePoints.pettitt(values[...]))
    #expect(hit.index == 28)
    let golden = try #require(scipy?["nile"]?["pettitt"])
    #expect(hit.index == golden["index"]?.int)
    #expect(hit.statistic == golden["statistic"]?.double)
    #expect(
      isClose(hit.probability, try #require(golden["probability"]?.double), relative: 1e-9)
    )
    #expect(ChangePoints().changes(in: values) == [28])
  }

  @Test func noiseHasNoChange() {
    var random = SeededRNG(seed: 1)
    var alarms = 0
    for _ in 0..<500 where !ChangePoints().changes(in: noise(200, &random)).isEmpty {
      alarms += 1
    }
    #expect(alarms <= 8, "\(alarms) of 500")
  }

  @Test func throttleAndRecoveryAreFound() {
    forAll(count: 40) { random in
      let (onset, recovery) = (random.int(100...400), random.int(480...800))
      let values =
        noise(onset, &random) + noise(recovery - onset, &random, level: 90)
        + noise(1000 - recovery, &random)
      let changes = ChangePoints(minimumChange: 0.02).changes(in: values)
      try #require(changes.count == 2, "\(changes)")
      try #require(abs(changes[0] - onset) <= 3 && abs(changes[1] - recovery) <= 3, "\(changes)")
    }
  }

  @Test func aShortDipInTheMiddleIsFound() throws {
    var random = SeededRNG(seed: 4)
    let values =
      noise(880, &random) + noise(20, &random, level: 80) + noise(900, &random)
    let changes = ChangePoints(minimumChange: 0.02).changes(in: values)
    #expect(changes.count == 2)
    #expect(abs((changes.first ?? 0) - 880) <= 2 && abs((changes.last ?? 0) - 900) <= 2)
  }

  @Test func outliersAreNoChange() {
    var random = SeededRNG(seed: 2)
    var values = noise(300, &random)
    for index in stride(from: 5, to: 300, by: 31) { values[index] *= 40 }
    #expect(ChangePoints().changes(in: values).isEmpty)
  }

  @Test func smallChangesMayBeIgnored() {
    var random = SeededRNG(seed: 3)
    let values = noise(400, &random) + noise(400, &random, level: 101.5)
    #expect(ChangePoints().changes(in: values).count == 1)
    #expect(ChangePoints(minimumChange: 0.05).changes(in: values).isEmpty)
  }

  @Test func segmentsCoverTheSeriesWhateverItIs() {
    forAll(count: 200) { random in
      let values = (0..<random.int(0...120)).map { _ in Double(random.int(1...random.int(1...9))) }
      let segments = ChangePoints().segments(of: values)
      try #require(segments.map(\.range).reduce(0) { $0 + $1.count } == values.count)
      for (a, b) in zip(segments, segments.dropFirst()) {
        try #require(a.range.upperBound == b.range.lowerBound && a.median != b.median)
      }
      try #require(segments.allSatisfy { segments.count == 1 || $0.range.count >= 5 })
    }
    #expect(ChangePoints().segments(of: [1, .nan]).count == 1)
    #expect(ChangePoints.pettitt([1][...]) == nil || ChangePoints.pettitt([1][...])?.index == 1)
  }

  @Test func seededIntervalsLieInTheSeries() {
    for count in [10, 11, 57, 1000] {
      let intervals = ChangePoints.seededIntervals(count, shortest: 10)
      #expect(intervals.first == 0..<count)
      #expect(intervals.allSatisfy { $0.lowerBound >= 0 && $0.upperBound <= count })
      #expect(intervals.allSatisfy { $0.count >= 10 })
    }
    #expect(ChangePoints.seededIntervals(9, shortest: 10).isEmpty)
  }
}

@Suite struct SteadyStateTests {
  private func latencies(_ levels: [(count: Int, level: Double)], seed: UInt64 = 1) -> [Int64] {
    var random = SeededRNG(seed: seed)
    return levels.flatMap { part in
      noise(part.count, &random, level: part.level).map { Int64($0) }
    }
  }

  @Test func courses() throws {
    let flat = try #require(SteadyState(latencies([(500, 50_000)])))
    #expect(flat.course == .flat && flat.onset == 0)
    let warmed = try #require(SteadyState(latencies([(60, 90_000), (440, 50_000)])))
    #expect(warmed.course == .warmedUp && abs(warmed.onset - 60) <= 6, "\(warmed)")
    #expect(abs(warmed.level - 50_000) < 500)
    let slowed = try #require(SteadyState(latencies([(100, 50_000), (400, 60_000)])))
    #expect(slowed.course == .slowedDown && abs(slowed.onset - 100) <= 6)
    let late = try #require(SteadyState(latencies([(400, 50_000), (100, 60_000)])))
    #expect(late.course == .unsteady && !late.isSteady)
    #expect(SteadyState([]) == nil)
    #expect(SteadyState([7])?.course == .flat)
  }

  @Test func aLevelThatComesBackIsSteady() throws {
    // The dip at the start lies before two stretches of one level with a gap that is no change.
    let state = try #require(
      SteadyState(latencies([(150, 80_000), (300, 50_000), (30, 50_200), (400, 50_000)]))
    )
    #expect(state.course == .warmedUp && abs(state.onset - 150) <= 9)
  }

  @Test func manySamplesAreBatched() throws {
    let state = try #require(
      SteadyState(latencies([(20_000, 900), (80_000, 700)]))
    )
    #expect(state.course == .warmedUp && abs(state.onset - 20_000) <= 1000)
  }
}

@Suite struct NarrowingTests {
  private func rounds(
    _ count: Int,
    drift: Double,
    _ random: inout SeededRNG
  ) -> [[Int64]] {
    (0..<count).map { _ in
      let level = 100_000 * (1 + drift * Double(random.normal()))
      return (0..<100).map { _ in Int64(level * Double(random.uniform(0.95, 1.05))) }
    }
  }

  @Test func narrowWideAndNever() {
    var random = SeededRNG(seed: 1)
    let rule = Narrowing(.p50, target: 0.01, maximumRounds: 100)
    #expect(rule.outlook(rounds(10, drift: 0, &random)) == .reached)
    guard case .needs(let more) = rule.outlook(rounds(10, drift: 0.025, &random)) else {
      Issue.record("drift of 2.5 % takes more rounds")
      return
    }
    #expect((15...100).contains(more))
    guard case .never(let count) = rule.outlook(rounds(10, drift: 0.2, &random)) else {
      Issue.record("drift of 20 % is never narrow")
      return
    }
    #expect(count > 100)
  }

  @Test func tooFewRoundsSayNothing() {
    let rule = Narrowing(.p99, target: 0.1, maximumRounds: 4)
    #expect(rule.halfWidth([[1, 2], [3, 4]]) == nil)
    #expect(rule.outlook([[1, 2], [3, 4]]) == .needs(rounds: 3))
    #expect(rule.outlook([[1], [2], [3], [4]]) == .never(rounds: .max))
  }
}
