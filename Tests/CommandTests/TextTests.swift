import Testing

@testable import AssayCommand

struct TextTests {
  @Test(
    "bytes have three digits and a unit",
    arguments: [(0, "0 B"), (999, "999 B"), (1000, "1.00 kB"), (13_920_000, "13.9 MB")]
  )
  func bytes(count: Int, text: String) { #expect(Text.bytes(count) == text) }

  @Test(
    "times have three digits and a unit",
    arguments: [(12.0, "12.0 ns"), (1500, "1.50 µs"), (7_290_000, "7.29 ms"), (2e9, "2.00 s")]
  )
  func times(nanoseconds: Double, text: String) { #expect(Text.time(nanoseconds) == text) }

  @Test(
    "decimals are rounded and padded",
    arguments: [(1.005, 1, "1.0"), (-0.04, 1, "0.0"), (-1.26, 1, "-1.3"), (3, 2, "3.00")]
  )
  func fixed(value: Double, digits: Int, text: String) {
    #expect(Text.fixed(value, digits) == text)
  }

  @Test("columns line up")
  func table() {
    #expect(Text.table(["a", "n"], [["xyz", "1"]], numeric: [1]) == "a    n\n---  -\nxyz  1\n")
  }
}
