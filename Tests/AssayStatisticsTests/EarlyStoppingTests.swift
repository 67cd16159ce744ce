import AssayBase
import AssayTestSupport
import Testing

@testable import AssayStatistics

@Suite struct EarlyStoppingTests {
  /// The constants of MLPerf LoadGen and the table that its rule gives.
  @Test(arguments: [
    ("50", [7, 11, 14, 22, 35, 237]), ("90", [44, 64, 81, 127, 197, 1246]),
    ("95", [90, 130, 165, 259, 398, 2504]), ("99", [459, 662, 838, 1307, 2010, 12571]),
    ("99.9", [4603, 6636, 8403, 13105, 20140, 125_826]),
  ])
  func queriesNeeded(percentile: String, counts: [Int]) throws {
    let test = EarlyStopping(try #require(Percentile(percentile)))
    for (over, count) in zip([0, 1, 2, 5, 10, 100], counts) {
      #expect(test.minimumCount(over: over) == count, "\(percentile), \(over) over")
    }
  }

  @Test func countsAreScipys() throws {
    for row in try rows("earlyStopping") {
      let test = EarlyStopping(Percentile(Int(row[0])))
      #expect(test.minimumCount(over: Int(row[1])) == Int(row[2]), "\(row)")
    }
  }

  @Test func theAllowanceIsTheInverse() {
    forAll(count: 60) { random in
      let test = EarlyStopping(random.pick([Percentile.p50, .p90, .p99]))
      let count = random.int(1...20_000)
      guard let over = test.allowedOver(count: count) else {
        try #require(count < test.minimumCount(over: 0))
        return
      }
      try #require(test.minimumCount(over: over) <= count)
      try #require(test.minimumCount(over: over + 1) > count)
    }
  }

  @Test func theEstimateIsTheTrimmedMaximum() {
    let p90 = EarlyStopping(.p90)
    #expect(p90.estimateRank(count: 63) == nil)
    // One may be over: the greatest is the estimate.
    #expect(p90.estimateRank(count: 64) == 64)
    #expect(p90.estimateRank(count: 81) == 80)
    #expect(EarlyStopping(.p99).estimateRank(count: 662) == 662)
  }

  @Test func outcomes() {
    let p99 = EarlyStopping(.p99)
    #expect(p99.outcome(count: 662, over: 1) == .holds)
    #expect(p99.outcome(count: 661, over: 1) == .needs(more: 1))
    #expect(p99.outcome(count: 0, over: 0) == .needs(more: 459))
    #expect(p99.outcome(count: 1000, over: 20) == .fails)
    #expect(p99.outcome(count: 1000, over: 9) == .needs(more: 874))
  }

  /// A system that breaks the claim passes with at most the doubt that is left.
  @Test func aBrokenClaimHardlyPasses() {
    var random = SeededRNG(seed: 3)
    let test = EarlyStopping(.p90)
    var passed = 0
    for _ in 0..<4000 {
      var over = 0
      for _ in 0..<200 where random.uniform() < 0.1 { over += 1 }
      if test.outcome(count: 200, over: over) == .holds { passed += 1 }
    }
    #expect(passed <= 60, "\(passed) of 4000")
    #expect(passed > 0)
  }
}
