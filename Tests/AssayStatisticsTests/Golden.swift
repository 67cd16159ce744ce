import AssayBase
import AssayTestSupport
import Testing

/// What SciPy computes: Tests/Goldens/make_statistics_goldens.py.
let scipy: JSON? = try? JSON(
  parsing: MappedFile(path: TestData.fixture("statistics.json")).view.array
)

/// The rows of numbers under a name.
func rows(_ name: String) throws -> [[Double]] {
  let rows = try #require(scipy?[name]?.array)
  return try rows.map { try #require($0.array).map { try #require($0.double) } }
}

/// The numbers under a path.
func numbers(_ path: String...) throws -> [Double] {
  let found = path.reduce(scipy) { $0?[$1] }
  return try #require(found?.array).map { try #require($0.double) }
}

func isClose(_ a: Double, _ b: Double, relative: Double) -> Bool {
  abs(a - b) <= relative * max(abs(b), 1e-300)
}
