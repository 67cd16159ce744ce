import AssayBase
import AssayTestSupport
import Testing

@testable import AssayStatistics

@Suite struct BootstrapTests {
  private func mean(_ values: [Double], _ drawn: [Int]) -> Double {
    drawn.reduce(0) { $0 + values[$1] } / Double(drawn.count)
  }

  private func median(_ values: [Double], _ drawn: [Int]) -> Double {
    ChangePoints.median(drawn.map { values[$0] })
  }

  /// SciPy drew 200,000 times, we 20,000: the ends agree to what such counts leave open.
  @Test func intervalsAreScipys() throws {
    let (a, b) = (try numbers("skewed"), try numbers("other"))
    let bootstrap = Bootstrap(replicates: 20_000, seed: 4)
    let found: [String: ClosedRange<Double>?] = [
      "mean percentile": bootstrap.interval(strata: [a.count], method: .percentile) {
        mean(a, $0[0])
      },
      "mean bca": bootstrap.interval(strata: [a.count]) { mean(a, $0[0]) },
      "ratio of means bca": bootstrap.interval(strata: [a.count, b.count]) {
        mean(b, $0[1]) / mean(a, $0[0])
      },
      "difference of medians percentile": bootstrap.interval(
        strata: [a.count, b.count],
        method: .percentile
      ) { median(b, $0[1]) - median(a, $0[0]) },
    ]
    for (name, interval) in found {
      let interval = try #require(interval)
      let expected = try numbers("bootstrap", name)
      let width = expected[1] - expected[0]
      #expect(abs(interval.lowerBound - expected[0]) < 0.03 * width, "\(name): \(interval)")
      #expect(abs(interval.upperBound - expected[1]) < 0.03 * width, "\(name): \(interval)")
    }
  }

  @Test func theSameSeedGivesTheSameInterval() throws {
    let values = try numbers("skewed")
    func interval(_ seed: UInt64) -> ClosedRange<Double>? {
      Bootstrap(replicates: 500, seed: seed).interval(strata: [values.count]) {
        mean(values, $0[0])
      }
    }
    #expect(interval(1) == interval(1))
    #expect(interval(1) != interval(2))
  }

  @Test func whatCannotBeResampledHasNoInterval() {
    let bootstrap = Bootstrap(replicates: 100)
    #expect(bootstrap.interval(strata: [1]) { _ in 1 } == nil)
    #expect(bootstrap.interval(strata: []) { _ in 1 } == nil)
    #expect(bootstrap.interval(strata: [5]) { _ in .nan } == nil)
    #expect(bootstrap.interval(of: .p50, rounds: [[1, 2], []]) == nil)
    #expect(bootstrap.interval(strata: [5]) { _ in 7 } == 7...7)
  }

  @Test func pairedRoundsCancelWhatDisturbsBoth() throws {
    var random = SeededRNG(seed: 8)
    var a: [[Int64]] = []
    var b: [[Int64]] = []
    for _ in 0..<12 {
      let drift = Double(random.uniform(0.8, 1.2))
      a.append((0..<50).map { _ in Int64(100_000 * drift * Double(random.uniform(0.99, 1.01))) })
      b.append((0..<50).map { _ in Int64(103_000 * drift * Double(random.uniform(0.99, 1.01))) })
    }
    let bootstrap = Bootstrap(replicates: 400)
    let paired = try #require(bootstrap.interval(of: .ratio, .p50, from: a, to: b, isPaired: true))
    let apart = try #require(bootstrap.interval(of: .ratio, .p50, from: a, to: b, isPaired: false))
    #expect(paired.contains(1.03))
    #expect(apart.contains(1.03))
    #expect(
      paired.upperBound - paired.lowerBound < (apart.upperBound - apart.lowerBound) / 2
    )
    let nanoseconds = try #require(
      bootstrap.interval(of: .difference, .p50, from: a, to: b, isPaired: true)
    )
    #expect(nanoseconds.contains(3000))
  }

  @Test func trimmedMeansAreScipys() throws {
    let values = try numbers("skewed")
    for row in try #require(scipy?["trimmed"]?.array) {
      let trim = try #require(row["trim"]?.double)
      let mean = try #require(TrimmedMean(values, trim: trim))
      #expect(isClose(mean.value, try #require(row["value"]?.double), relative: 1e-12))
      #expect(isClose(mean.standardError, try #require(row["error"]?.double), relative: 1e-12))
    }
    #expect(TrimmedMean([1]) == nil)
    #expect(TrimmedMean([1, .nan, 2]) == nil)
    #expect(TrimmedMean([3, 3, 3, 3, 3, 90])?.value == 3)
    #expect(TrimmedMean([3, 3, 3, 3, 3, 90])?.standardError == 0)
  }
}
