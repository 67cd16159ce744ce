import AssayBase
import AssayTestSupport
import Testing

@testable import AssayStatistics

@Suite struct OrderStatisticsTests {
  /// Ranks from scipy.stats.binom 1.17: the greatest r with cdf(r - 1) <= 0.025 and the least s with
  /// sf(s - 1) <= 0.025.
  @Test(arguments: [
    (50, 6, 1...6), (50, 10, 2...9), (50, 35, 12...24), (50, 36, 12...25), (50, 100, 40...61),
    (50, 367, 165...203), (50, 1000, 469...532), (50, 20000, 9861...10140),
    (90, 36, 29...36), (90, 100, 84...96), (90, 368, 320...343), (90, 20000, 17916...18084),
    (99, 368, 360...368), (99, 1000, 983...997), (99, 20000, 19772...19828),
  ])
  func ranksAreTheBinomialOnes(percent: Int, count: Int, expected: ClosedRange<Int>) {
    #expect(OrderStatistics.ranks(Percentile(percent), count: count) == expected)
  }

  @Test(arguments: [(50, 1), (50, 5), (90, 1), (90, 35), (99, 100), (99, 367), (50, 0)])
  func tooFewSamplesBoundNothing(percent: Int, count: Int) {
    #expect(OrderStatistics.ranks(Percentile(percent), count: count) == nil)
  }

  @Test func hugeCountsNeitherOverflowNorTakeLong() throws {
    let ranks = try #require(OrderStatistics.ranks(.p99, count: 5_000_000))
    #expect(ranks.contains(4_950_000))
    // 1.96 deviations of sqrt(n q (1 - q)) = 222.5
    #expect(abs(ranks.lowerBound - (4_950_000 - 436)) <= 2)
    #expect(abs(ranks.upperBound - (4_950_000 + 437)) <= 2)
  }

  @Test func ranksAgreeWithTheBinomialAndWidenWithConfidence() {
    forAll(count: 100) { random in
      let percentile = random.pick([Percentile(50), Percentile(90), Percentile(75)])
      let count = random.int(60...3000)
      let q = percentile.fraction
      let ranks = try #require(OrderStatistics.ranks(percentile, count: count, confidence: 0.99))
      let (low, high) = (ranks.lowerBound, ranks.upperBound)
      try #require(Binomial.cumulative(low - 1, of: count, p: q) <= 0.005)
      try #require(Binomial.cumulative(low, of: count, p: q) > 0.005)
      try #require(1 - Binomial.cumulative(high - 1, of: count, p: q) <= 0.005)
      try #require(1 - Binomial.cumulative(high - 2, of: count, p: q) > 0.005)
      let narrow = try #require(OrderStatistics.ranks(percentile, count: count))
      try #require(narrow.lowerBound >= low && narrow.upperBound <= high)
    }
  }

  @Test func percentilesHaveNames() {
    #expect(Percentile("p99.9")?.description == "p99.9")
    #expect(Percentile("99.95")?.description == "p99.95")
    #expect(Percentile("5")?.hundredths == 500)
    #expect(Percentile("99.05")?.description == "p99.05")
    for text in ["", "0", "100", "p", "99.999", "-1", "1e1", "9 9", "99.", "+9", "٩٩"] {
      #expect(Percentile(text) == nil, "\(text)")
    }
    #expect(Percentile("99.9")?.minimumCount == 1000)
    #expect(Percentile.p99.minimumCount == 100 && Percentile.p50.minimumCount == 1)
    #expect(Percentile("99.9")?.rank(of: 2000) == 1998)
  }

  @Test func repeatedNumbersAreSpreadOverTheirStep() {
    // A quarter below 26.5, half at 27: the median lies in the middle of 27's step.
    #expect(OrderStatistics.grouped(.p50, ofSorted: [26, 27, 27, 28]) == 27)
    #expect(OrderStatistics.grouped(.p50, ofSorted: [27, 27, 27, 28]) == 26.5 + 2.0 / 3)
    #expect(OrderStatistics.grouped(.p50, ofSorted: [5]) == 5)
    forAll(count: 100) { random in
      let samples = (0..<random.int(1...400)).map { _ in Int64(random.int(20...30)) }.sorted()
      for percentile in [Percentile.p50, .p90, .p99] {
        let plain = samples[percentile.rank(of: samples.count) - 1]
        let value = OrderStatistics.grouped(percentile, ofSorted: samples)
        try #require(abs(value - Double(plain)) <= 0.5)
      }
    }
  }
}
