import AssayBase
import AssayTestSupport
import Testing

@Suite struct DiagnosticTests {
  @Test func aFindingIsShownWithItsPlaceAndRemedy() {
    let finding = Diagnostic("ABC001", "it broke", at: ["inner"], remedy: "mend it", cause: "words")
    #expect(
      finding.inside("outer").description == """
        error[ABC001]: it broke
          where:  outer, inner
          remedy: mend it
          cause:  words
        """
    )
    #expect(finding.json["code"] == "ABC001")
    #expect(finding.json["location"] == ["inner"])
  }

  @Test func locatingAddsTheFrame() {
    let one = #expect(throws: Diagnostic.self) {
      try locating("file") { throw Diagnostic("ABC001", "x", at: ["node"]) }
    }
    #expect(one?.location == ["file", "node"])
    let several = #expect(throws: Diagnostics.self) {
      try locating("file") { throw Diagnostics([Diagnostic("A", "x"), Diagnostic("B", "y")]) }
    }
    #expect(several?.all.map(\.location) == [["file"], ["file"]])
  }

  @Test func onlyErrorsEndTheWork() throws {
    let warning = Diagnostic("W", "careful", severity: .warning)
    try Diagnostics([warning]).throwIfErrors()
    let alone = #expect(throws: Diagnostic.self) {
      try Diagnostics([warning, Diagnostic("E", "x")]).throwIfErrors()
    }
    #expect(alone?.code == "E")
    let all = #expect(throws: Diagnostics.self) {
      try Diagnostics([warning, Diagnostic("E", "x"), Diagnostic("F", "y")]).throwIfErrors()
    }
    #expect(all?.all.map(\.code) == ["W", "E", "F"])
  }

  @Test func theNearestNameIsSuggested() {
    let names = ["convert", "inspect", "verify"]
    #expect(nearest(to: "convret", among: names) == "convert")
    #expect(nearest(to: "Verfy", among: names) == "verify")
    #expect(nearest(to: "bench", among: names) == nil)
    #expect(nearest(to: "", among: names) == nil)
  }
}

@Suite struct SeededRNGTests {
  @Test func aSeedGivesTheSameNumbersForEver() {
    // The first outputs of xoshiro256** seeded by SplitMix64 of 0.
    var rng = SeededRNG(seed: 0)
    #expect(rng.next() == 0x99EC_5F36_CB75_F2B4)
    #expect(rng.next() == 0xBF6E_1F78_4956_452A)
    #expect(rng.next() == 0x1A5F_849D_4933_E6E0)
  }

  @Test func momentsAreThoseOfTheDistributions() {
    var rng = SeededRNG(seed: 42)
    let uniform = (0..<20_000).map { _ in rng.uniform(-1, 3) }
    #expect(uniform.allSatisfy { $0 >= -1 && $0 < 3 })
    #expect(abs(uniform.reduce(0, +) / 20_000 - 1) < 0.03)
    let normal = (0..<20_000).map { _ in rng.normal() }
    #expect(abs(normal.reduce(0, +) / 20_000) < 0.03)
    #expect(abs(normal.reduce(0) { $0 + $1 * $1 } / 20_000 - 1) < 0.05)
  }
}

@Suite struct ProportionTests {
  @Test func intervalsAreWilsons() {
    // Newcombe (1998), table I: 81 of 263 gives 0.2553 to 0.3662.
    let interval = Proportion(81, of: 263).interval
    #expect(abs(interval.lowerBound - 0.2553) < 5e-5)
    #expect(abs(interval.upperBound - 0.3662) < 5e-5)
    #expect(Proportion(0, of: 0).interval == 0...1)
    #expect(Proportion(0, of: 0).fraction == nil)
    #expect(Proportion(5, of: 5).interval.upperBound == 1)
  }

  @Test func differencesAreNewcombes() throws {
    // Newcombe (1998), table II, method 10: 56/70 - 48/80 gives 0.0524 to 0.3339.
    let difference = try #require(Proportion(56, of: 70).difference(from: Proportion(48, of: 80)))
    #expect(abs(difference.lowerBound - 0.0524) < 5e-5)
    #expect(abs(difference.upperBound - 0.3339) < 5e-5)
  }
}
