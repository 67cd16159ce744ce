import AssayBase
import Testing

@testable import AssayRecord

@Suite struct SummaryTests {
  @Test func percentilesAreOrderStatistics() throws {
    let samples = (1...1000).map { Int64($0 * 7 % 1009) }
    let sorted = samples.sorted()
    let summary = Summary(samples: samples)
    let p50 = try #require(summary.p50.value)
    #expect(p50.value == sorted[499])
    #expect(p50.interval == .value(sorted[468]...sorted[531]))
    #expect(summary.p90.value?.value == sorted[899])
    #expect(summary.p99.value?.value == sorted[989])
    #expect(summary.minimum == .value(sorted[0]))
    #expect(summary.maximum == .value(sorted[999]))
  }

  @Test func equalSamplesHaveAnIntervalOfNoWidth() {
    let summary = Summary(samples: [Int64](repeating: 250, count: 400))
    #expect(summary.p99.value == Quantile(value: 250, interval: .value(250...250)))
    #expect(summary.mean == .value(250))
    #expect(summary.throughput == .value(4_000_000))
  }

  @Test func figuresThatFewSamplesDoNotGiveAreMissing() {
    let none = Summary(samples: [])
    #expect(none.p50 == .missing(reason: "no samples"))
    #expect(none.mean == .missing(reason: "no samples"))
    let one = Summary(samples: [5])
    #expect(one.p50.value?.value == 5)
    #expect(one.p50.value?.interval.value == nil)
    #expect(one.p90 == .missing(reason: "p90 needs 10 samples, there are 1"))
    let hundred = Summary(samples: (1...100).map { Int64($0) })
    #expect(hundred.p99.value?.value == 99)
    #expect(
      hundred.p99.value?.interval
        == .missing(reason: "100 samples do not bound p99 with 95 % confidence")
    )
    #expect(Summary(samples: (1...99).map { Int64($0) }).p99.value == nil)
    #expect(Summary(samples: [0, 0]).throughput.value == nil)
  }

  @Test func roundsShowDrift() {
    #expect(Summary(samples: [1, 2, 3, 11, 12, 13], rounds: [3, 3]).roundMedians == [2, 12])
    #expect(Summary(samples: [1, 2, 3], rounds: [2, 2]).roundMedians == [])
    #expect(Summary(samples: [1, 2, 3], rounds: [5, -2]).roundMedians == [])
  }

  /// The interval covers the true median of a skewed distribution about as often as it says.
  @Test func intervalsCoverWhatTheySay() throws {
    var rng = SeededRNG(seed: 11)
    var covered = 0
    for _ in 0..<400 {
      let samples = (0..<60).map { _ -> Int64 in
        let u = rng.uniform()
        return Int64(1000 * u * u * u)
      }
      let interval = try #require(Summary(samples: samples).p50.value?.interval.value)
      if interval.contains(125) { covered += 1 }
    }
    #expect((372...400).contains(covered), "\(covered) of 400")
  }
}

@Suite struct ProportionTests {
  @Test func wilsonIntervals() {
    let digits = Proportion(197, of: 200).interval
    #expect(abs(digits.lowerBound - 0.9568342712) < 1e-9)
    #expect(abs(digits.upperBound - 0.9948857622) < 1e-9)
    #expect(Proportion(0, of: 10).interval.lowerBound == 0)
    #expect(abs(Proportion(0, of: 10).interval.upperBound - 0.2775327998) < 1e-9)
    #expect(Proportion(10, of: 10).interval.upperBound <= 1)
    #expect(Proportion(0, of: 0).interval == 0...1)
    #expect(Proportion(fraction: 0.985, of: 200) == Proportion(197, of: 200))
    #expect(Proportion(fraction: .nan, of: 200) == Proportion(0, of: 200))
  }

  /// The first example of Newcombe's table II, method 10: 56/70 against 48/80.
  @Test func differenceOfTwo() throws {
    let range = try #require(Proportion(56, of: 70).difference(from: Proportion(48, of: 80)))
    #expect(abs(range.lowerBound - 0.0524) < 5e-5)
    #expect(abs(range.upperBound - 0.3339) < 5e-5)
    #expect(Proportion(1, of: 0).difference(from: Proportion(48, of: 80)) == nil)
  }
}
