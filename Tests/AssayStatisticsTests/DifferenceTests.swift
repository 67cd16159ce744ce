import AssayBase
import AssayTestSupport
import Testing

@testable import AssayStatistics

/// One unit's figures of two sides, as a machine gives them: drift that both share, noise of each, and
/// now and then a disturbance that hits one.
private func pair(_ random: inout SeededRNG, slowdown: Double = 0) -> (a: Double, b: Double) {
  let level = 1e5 * Double(random.uniform(0.9, 1.1))
  func figure() -> Double {
    var value = level * (1 + 0.01 * Double(random.normal()))
    if random.uniform() < 0.05 { value *= 1 + 0.3 * Double(random.uniform()) }
    return value
  }
  return (figure(), figure() * (1 + slowdown))
}

private func pairs(
  _ count: Int,
  _ random: inout SeededRNG,
  slowdown: Double = 0
) -> (a: [Double], b: [Double]) {
  let pairs = (0..<count).map { _ in pair(&random, slowdown: slowdown) }
  return (pairs.map(\.a), pairs.map(\.b))
}

@Suite struct DifferenceTests {
  /// 2,000 comparisons of equal sides: a difference is claimed in 5 % ± 1 of them.
  @Test(arguments: [12, 16, 24])
  func falseAlarms(units: Int) throws {
    var random = SeededRNG(seed: UInt64(units))
    let test = DifferenceTest(replicates: 599)
    var alarms = 0
    for _ in 0..<2000 {
      let (a, b) = pairs(units, &random)
      let difference = try #require(test.paired(a, b))
      if difference.direction != .undecided { alarms += 1 }
    }
    #expect((80...120).contains(alarms), "\(alarms) of 2000 at \(units) units")
  }

  /// A few units claim less rather than more.
  @Test(arguments: [4, 6, 10])
  func falseAlarmsOfFewUnits(units: Int) throws {
    var random = SeededRNG(seed: UInt64(units))
    var alarms = 0
    for _ in 0..<2000 {
      let (a, b) = pairs(units, &random)
      if try #require(DifferenceTest().paired(a, b)).direction != .undecided { alarms += 1 }
    }
    #expect((20...120).contains(alarms), "\(alarms) of 2000 at \(units) units")
  }

  /// The same for sides that were measured apart, whose level does not drift together.
  @Test func falseAlarmsApart() throws {
    var random = SeededRNG(seed: 77)
    let test = DifferenceTest(replicates: 299)
    var alarms = 0
    for _ in 0..<2000 {
      let a = (0..<12).map { _ in pair(&random).a }
      let b = (0..<16).map { _ in pair(&random).b }
      let difference = try #require(test.unpaired(a, b))
      if difference.direction != .undecided { alarms += 1 }
    }
    #expect((80...120).contains(alarms), "\(alarms) of 2000")
  }

  /// A slow-down of the size that a comparison says it detects is found as often as it says.
  @Test(arguments: [12, 24])
  func statedPower(units: Int) throws {
    var random = SeededRNG(seed: 5)
    let test = DifferenceTest(replicates: 399)
    // What such comparisons state, on average.
    var stated = 0.0
    for _ in 0..<300 {
      let (a, b) = pairs(units, &random)
      stated += try #require(test.paired(a, b)).detectable / 300
    }
    var found = 0
    for _ in 0..<600 {
      let (a, b) = pairs(units, &random, slowdown: stated)
      if try #require(test.paired(a, b)).direction == .slower { found += 1 }
    }
    #expect(found >= 510, "\(found) of 600 at \(stated)")
    #expect(stated < 0.03, "\(stated)")
  }

  @Test func aSlowdownOfTwoPercentIsFound() throws {
    var random = SeededRNG(seed: 6)
    var found = 0
    for _ in 0..<300 {
      let (a, b) = pairs(24, &random, slowdown: 0.02)
      let difference = try #require(DifferenceTest(replicates: 399).paired(a, b))
      if difference.direction == .slower { found += 1 }
    }
    #expect(found >= 285, "\(found) of 300")
  }

  @Test func theIntervalCoversTheTruth() throws {
    var random = SeededRNG(seed: 21)
    var covered = 0
    for _ in 0..<1000 {
      let (a, b) = pairs(12, &random, slowdown: 0.05)
      let difference = try #require(DifferenceTest(replicates: 399).paired(a, b))
      if difference.interval.contains(0.05) { covered += 1 }
    }
    #expect(covered >= 935, "\(covered) of 1000")
  }

  @Test func sidesMayBeExchanged() {
    forAll(count: 50) { random in
      let (a, b) = pairs(random.int(4...20), &random, slowdown: 0.1)
      let there = try #require(DifferenceTest(replicates: 199).paired(a, b))
      let back = try #require(DifferenceTest(replicates: 199).paired(b, a))
      try #require(abs((1 + there.estimate) * (1 + back.estimate) - 1) < 1e-9)
      try #require(abs((1 + there.interval.lowerBound) * (1 + back.interval.upperBound) - 1) < 1e-9)
    }
  }

  @Test func oneDisturbedRoundChangesLittle() throws {
    var random = SeededRNG(seed: 9)
    var (a, b) = pairs(20, &random)
    b[3] *= 50
    let difference = try #require(DifferenceTest().paired(a, b))
    #expect(difference.direction == .undecided)
    #expect(abs(difference.estimate) < 0.01)
    a[3] *= 50
    #expect(abs(try #require(DifferenceTest().paired(a, b)).estimate) < 0.01)
  }

  @Test func equalFiguresAreKnownToTheClocksStep() throws {
    let test = DifferenceTest()
    let same = [Double](repeating: 25, count: 10)
    let equal = try #require(test.paired(same, same, resolution: 0.04))
    #expect(equal.estimate == 0)
    #expect(abs(equal.interval.upperBound - 0.0408) < 1e-3)
    #expect(equal.isEquivalent(within: 0.05))
    #expect(!equal.isEquivalent(within: 0.03))
    // One step more is no finding where the step is all that is known.
    let other = [Double](repeating: 26, count: 10)
    #expect(try #require(test.paired(same, other, resolution: 0.04)).direction == .undecided)
    #expect(try #require(test.paired(same, other)).direction == .slower)
  }

  @Test func whatCannotBeComparedIsRefused() {
    let test = DifferenceTest()
    #expect(test.paired([1, 2, 3], [1, 2, 3]) == nil)
    #expect(test.paired([1, 2, 3, 4], [1, 2, 3]) == nil)
    #expect(test.paired([1, 2, 3, 0], [1, 2, 3, 4]) == nil)
    #expect(test.unpaired([1, 2, 3, 4], [1, 2, .infinity, 4]) == nil)
  }

  @Test func detectableEffects() throws {
    // Cohen's d of 0.5 at 34 pairs has power 0.808 (G*Power 3.1: two-sided, 5 %).
    #expect(abs(DetectableEffect.power(of: 0.5, deviation: 1, count: 34) - 0.8078) < 5e-4)
    #expect(DetectableEffect.count(toFind: 0.5, deviation: 1, power: 0.8) == 34)
    let smallest = DetectableEffect.smallest(deviation: 1, count: 34, power: 0.8078)
    #expect(abs(smallest - 0.5) < 1e-3)
    #expect(DetectableEffect.count(toFind: 0, deviation: 1) == nil)
    #expect(DetectableEffect.count(toFind: 1e-6, deviation: 1) == nil)
    #expect(DetectableEffect.smallest(deviation: 1, count: 1) == .infinity)
  }
}
