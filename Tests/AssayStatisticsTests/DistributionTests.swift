import AssayBase
import AssayTestSupport
import Testing

@testable import AssayStatistics

@Suite struct DistributionTests {
  @Test func normalQuantilesAreScipys() throws {
    for row in try rows("normal") {
      let z = Normal.quantile(row[0])
      #expect(abs(z - row[1]) < 1e-11 * max(1, abs(row[1])), "\(row): \(z)")
      #expect(isClose(Normal.cumulative(z), row[0], relative: 1e-9))
    }
  }

  @Test func studentQuantilesAreScipys() throws {
    for row in try rows("student") {
      let t = StudentT.quantile(row[0], freedom: row[1])
      #expect(isClose(t, row[2], relative: 1e-9), "\(row): \(t)")
    }
  }

  @Test func binomialProbabilitiesAreScipys() throws {
    for row in try rows("binomial") {
      let p = Binomial.cumulative(Int(row[0]), of: Int(row[1]), p: row[2])
      #expect(isClose(p, row[3], relative: 1e-8), "\(row): \(p)")
    }
  }

  @Test func powerIsThatOfTheNoncentralT() throws {
    for row in try rows("power") {
      let power = StudentT.power(shift: row[0], critical: row[1], freedom: row[2])
      #expect(abs(power - row[3]) < 2e-6, "\(row): \(power)")
    }
  }

  @Test func quantilesInvertProbabilities() {
    forAll(count: 200) { random in
      let p = Double(random.uniform(0.001, 0.999))
      let freedom = Double(random.uniform(1, 80))
      let t = StudentT.quantile(p, freedom: freedom)
      try #require(abs(StudentT.cumulative(t, freedom: freedom) - p) < 1e-10)
      let mirrored = StudentT.quantile(1 - p, freedom: freedom)
      try #require(abs(t + mirrored) < 1e-6 * max(1, abs(t)))
    }
  }

  @Test func extremesAreInfinite() {
    #expect(Normal.quantile(0) == -.infinity && Normal.quantile(1) == .infinity)
    #expect(StudentT.quantile(1, freedom: 3) == .infinity)
    #expect(Binomial.cumulative(-1, of: 5, p: 0.5) == 0)
    #expect(Binomial.cumulative(5, of: 5, p: 0.5) == 1)
  }
}
