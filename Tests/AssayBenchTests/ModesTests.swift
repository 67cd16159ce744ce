import AssayBase
import Testing

@testable import AssayBench

@Suite("Modes") struct ModesTests {
  @Test("two levels are found, with the share of the upper one")
  func two() throws {
    let lower = (0..<70).map { Int64(1000 + $0 % 7) }
    let upper = (0..<30).map { Int64(2000 + $0 % 9) }
    let found = modes(of: lower + upper)
    let two = try #require(found)
    #expect((1000...1006).contains(two.low) && (2000...2008).contains(two.high))
    #expect(abs(two.share - 0.3) < 1e-9)
  }

  @Test("one level, a uniform spread, a few outliers and equal samples are no two modes")
  func one() {
    #expect(modes(of: (0..<100).map { Int64(1000 + $0 % 50) }) == nil)
    #expect(modes(of: (0..<100).map { Int64(1000 + $0 * 10) }) == nil)
    #expect(modes(of: (0..<100).map { Int64($0 < 97 ? 1000 + $0 % 5 : 9000) }) == nil)
    #expect(modes(of: [Int64](repeating: 1000, count: 100)) == nil)
    #expect(modes(of: [1, 1000]) == nil && modes(of: []) == nil)
  }
}
