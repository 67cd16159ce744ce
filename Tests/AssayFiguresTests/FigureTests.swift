import AssayBase
import AssayRecord
import AssayReport
import Testing

@testable import AssayFigures

/// Views of made-up comparisons.
@Suite(.enabled(if: DrawingLibrary.cairo.probe().isAvailable))
struct FigureTests {
  private func report() -> ComparisonReport {
    let records = [("float32", 8_000_000, 0.98), ("static_int8", 2_000_000, 0.97)].map {
      variant,
      nanoseconds,
      accuracy in
      var record = Record(
        id: "F-\(variant)",
        session: "F",
        finishedAt: 1_763_675_921_123_456_789,
        model: .init(path: "net.\(variant).tflite", sha256: "", byteCount: nanoseconds / 100),
        artefact: "tflite",
        variant: variant,
        runtime: "litert",
        version: "2.3.0",
        provider: "cpu",
        device: "local",
        threads: 1
      )
      record.samples = (0..<300).map { Int64(nanoseconds + $0 % 11 * 1000) }
      record.rounds = [100, 100, 100]
      record.verdict = .valid
      record.accuracy = .value(accuracy)
      record.accuracyCount = 1000
      record.peakMemoryBytes = .value(nanoseconds)
      record.environment = .object(["host": "secret-host"])
      return record
    }
    return ComparisonReport(
      original: .init(path: "net", byteCount: 80_000),
      records: records
    )
  }

  @Test func eachViewHasItsDrawingAndItsData() throws {
    let figures = ComparisonFigure.all(report())
    #expect(
      figures.map(\.name) == [
        "latency-quality", "latency-distributions", "size", "memory", "grades",
      ]
    )
    for figure in figures {
      #expect(try figure.file(.pdf).starts(with: Array("%PDF-".utf8)))
      let svg = String(decoding: try figure.file(.svg), as: UTF8.self)
      #expect(svg.contains("</svg>"))
      let lines = figure.csv.split(separator: "\r\n")
      #expect(lines.count == 3, "\(figure.name)")
      let columns = lines[0].split(separator: ",").count
      #expect(
        lines.allSatisfy {
          $0.split(separator: ",", omittingEmptySubsequences: false).count == columns
        }
      )
      #expect(!figure.csv.contains("secret-host"))
      #expect(try figure.file(.pdf) == figure.file(.pdf))
    }
  }

  @Test func aSheetHoldsThemAll() throws {
    #expect(try comparisonSheet(report()).starts(with: Array("%PDF-".utf8)))
    let empty = ComparisonReport(original: .init(path: "net"), records: [])
    #expect(ComparisonFigure.all(empty).isEmpty)
    #expect(try comparisonSheet(empty, .svg).count > 100)
  }

  @Test func theNameTellsTheForm() throws {
    #expect(try DrawingFormat(path: "a/B.PDF") == .pdf)
    #expect(throws: Diagnostic.self) { _ = try DrawingFormat(path: "a.gif") }
  }
}
