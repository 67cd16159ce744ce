import AssayBase
import AssayRecord
import AssayTestSupport
import Testing

@testable import AssayReport

/// A record of one latency and size; samples are the median give or take `spread`.
private func record(
  _ id: String,
  _ variant: String,
  ns median: Int64,
  bytes: Int,
  accuracy: Double? = nil,
  agreement: Double? = nil,
  snr: Double? = nil,
  spread: Int64 = 1,
  threads: Int = 1
) -> Record {
  var record = Record(
    id: id,
    session: "s",
    finishedAt: 0,
    model: .init(path: "m", sha256: "", byteCount: bytes),
    artefact: "tflite",
    variant: variant,
    runtime: "litert",
    version: "1",
    provider: "cpu",
    device: "local",
    threads: threads
  )
  record.samples = (0..<100).map { median - spread + Int64($0) * 2 * spread / 99 }
  record.verdict = .valid
  record.accuracy = accuracy.map { .value($0) } ?? .missing(reason: "no labels")
  record.accuracyCount = accuracy == nil ? 0 : 1000
  record.agreement = agreement.map { .value($0) } ?? .missing(reason: "no data")
  record.snrDb = snr.map { .value($0) } ?? .missing(reason: "no data")
  return record
}

private func recommend(
  _ records: [Record],
  _ change: (inout Constraint) -> Void = { _ in }
)
  -> Recommendation
{
  var constraint = Constraint()
  change(&constraint)
  return Recommendation(
    ComparisonReport(original: .init(path: "m.h5"), records: records, constraint: constraint)
  )
}

@Suite struct RecommendationTests {
  private let four = [
    record("f", "float32", ns: 1000, bytes: 400, accuracy: 0.95),
    record("h", "float16", ns: 1100, bytes: 200, accuracy: 0.95),
    record("q", "static_int8", ns: 300, bytes: 100, accuracy: 0.94),
    record("b", "binary", ns: 100, bytes: 50, accuracy: 0.6),
  ]

  /// An emulator that is faster than the hardware is shown, and picked by nobody.
  @Test func emulatorsAreNeverRankedWithHardware() {
    var emulated = record("e", "static_int8", ns: 10, bytes: 1)
    emulated.environment = .object(["emulator": "qemu user mode"])
    let hardware = record("h", "float32", ns: 1000, bytes: 100)
    let original = ComparisonReport.Original(path: "m")
    var answer = Recommendation(
      ComparisonReport(original: original, records: [emulated, hardware])
    )
    #expect(answer.pareto.isEmpty == false && !answer.pareto.contains("e"))
    #expect(answer.pick != "e")
    #expect(answer.details.contains { $0.contains("never ranked with hardware") })
    // Among themselves they are told apart, with a warning.
    answer = Recommendation(ComparisonReport(original: original, records: [emulated]))
    #expect(answer.details.contains { $0.contains("tell nothing of hardware") })
    #expect(
      emulated.unlikeness(to: hardware).contains { $0.what == "emulation" && $0.forbidsRanking }
    )
  }

  @Test func theParetoSetHoldsWhatNothingDominates() {
    #expect(recommend(four).pareto == ["b", "q", "f", "h"])
    let worse = record("w", "worse", ns: 310, bytes: 100, accuracy: 0.94)
    #expect(recommend(four + [worse]).pareto == ["b", "q", "f", "h"])
    let twin = record("t", "twin", ns: 300, bytes: 100, accuracy: 0.94)
    #expect(recommend(four + [twin]).pareto.contains("t"))
  }

  @Test func thePickIsTheFastestThatHolds() {
    #expect(recommend(four).pick == "q")
    #expect(recommend(four) { $0.maxDrop = 0.005 }.pick == "f")
    #expect(recommend(four) { $0.maxDrop = 0.5 }.pick == "b")
    #expect(recommend(four) { $0.maxByteCount = 250 }.pick == "b")
    #expect(
      recommend(four) {
        $0.maxByteCount = 250; $0.maxDrop = 0
      }.pick == "h"
    )
    #expect(recommend(four) { $0.maxLatencyNanoseconds = 200 }.pick == "b")
    // One point of 0.95 to 0.94 is one point, whatever floating point makes of it.
    #expect(recommend(four) { $0.maxDrop = 0.01 }.pick == "q")
  }

  @Test func nothingHoldsAnImpossibleConstraint() {
    let result = recommend(four) {
      $0.maxDrop = 0
      $0.maxLatencyNanoseconds = 500
    }
    #expect(result.pick == nil)
    #expect(result.headline.contains("No variant holds"))
    #expect(result.details.contains { $0.contains("static_int8") && $0.contains("1.0 points") })
  }

  @Test func invalidRecordsNeverCount() {
    var records = four
    records[2].verdict = .invalid
    #expect(recommend(records).pick == "f")
    #expect(!recommend(records).pareto.contains("q"))
    for index in records.indices { records[index].verdict = .invalid }
    #expect(recommend(records).pick == nil)
    #expect(recommend(records).pareto.isEmpty)
    #expect(recommend([]).headline == "Nothing was measured.")
  }

  @Test func tiesWithinTheIntervalsGoToTheSmallerFile() {
    let a = record("a", "static_int8", ns: 300, bytes: 100, accuracy: 0.95, spread: 60)
    let b = record("b", "float16", ns: 290, bytes: 200, accuracy: 0.95, spread: 60)
    let result = recommend([four[0], a, b])
    #expect(result.pick == "a")
    #expect(
      result.details.contains { $0.hasPrefix("As fast within what rounds differ by: float16") }
    )
    let clear = record("b", "float16", ns: 290, bytes: 200, accuracy: 0.95)
    #expect(
      recommend([four[0], record("a", "static_int8", ns: 300, bytes: 100, accuracy: 0.95), clear])
        .pick == "b"
    )
  }

  @Test func agreementStandsInForLabels() {
    let records = [
      record("f", "float32", ns: 1000, bytes: 400, agreement: 1, snr: .infinity),
      record("q", "static_int8", ns: 300, bytes: 100, agreement: 0.97, snr: 30),
    ]
    #expect(recommend(records).pick == "f")
    #expect(recommend(records).quality == .snr)
    #expect(recommend(records) { $0.maxDrop = 0.05 }.pick == "q")
    #expect(recommend(records).pareto == ["q", "f"])
  }

  @Test func withoutDataADropCannotBeTold() {
    let records = [
      record("f", "float32", ns: 1000, bytes: 400), record("q", "static_int8", ns: 300, bytes: 100),
    ]
    let free = recommend(records)
    #expect(free.pick == "q")
    #expect(free.details.contains { $0.contains("no data to tell quality by") })
    #expect(recommend(records) { $0.maxDrop = 0.01 }.pick == nil)
  }

  @Test func theWordsNameWhatTheSamplesCannotTell() {
    let result = Recommendation(FakeComparison.report())
    #expect(result.headline == "Ship static_int8 on LiteRT with 1 thread.")
    let text = result.details.joined(separator: "\n")
    #expect(text.contains("faster than the fastest float32 (ONNX Runtime, 1 thread)"))
    #expect(text.contains("200 samples show none"))
    #expect(text.contains("2 configurations have no valid result"))
  }

  @Test func wordsForNumbers() {
    #expect(Words.time(999) == "999 ns")
    #expect(Words.time(41_640) == "41.6 µs")
    #expect(Words.time(999_600) == "1.00 ms")
    #expect(Words.time(9_996) == "10.0 µs")
    #expect(Words.time(2.5e9) == "2.50 s")
    #expect(Words.bytes(24_560) == "24.6 kB")
    #expect(Words.bytes(0) == "0 B")
    #expect(Words.fixed(-0.04, 1) == "0.0")
    #expect(Words.fixed(-1.25, 1) == "-1.3")
    #expect(Words.fixed(0.05, 3) == "0.050")
    #expect(Words.percent(0.985) == "98.5 %")
    #expect(Words.significant(.nan) == "-")
    #expect(Words.significant(1e300) == "1e+300")
    #expect(Words.moment(1_795_213_157_213_288_000) == "2026-11-20 22:19 UTC")
    #expect(Words.moment(0) == "1970-01-01 00:00 UTC")
    #expect(Words.moment(951_827_696_000_000_000) == "2000-02-29 12:34 UTC")
    #expect(Words.shell(["a b", "it's", "x=1", ""]) == "'a b' 'it'\\''s' x=1 ''")
  }
}

@Suite struct TableTests {
  @Test func theAnswerComesFirst() {
    let text = renderTable(FakeComparison.report(), width: 160)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    #expect(lines[0] == "Ship static_int8 on LiteRT with 1 thread.")
    #expect(lines.count { $0.hasPrefix(">") } == 1)
    #expect(text.contains("SIGSEGV"))
    #expect(!text.contains("\u{1B}"))
    #expect(renderTable(FakeComparison.report(), width: 160, color: true).contains("\u{1B}[32m"))
  }

  @Test(arguments: [60, 80, 100, 120, 200])
  func linesFitTheTerminal(width: Int) {
    let lines = renderTable(FakeComparison.report(), width: width).split(separator: "\n")
    // The columns that always stay need 79.
    #expect(lines.allSatisfy { $0.count <= max(width, 80) })
  }

  @Test func textFormsAreGolden() {
    let report = FakeComparison.report()
    #expect(
      Golden.mismatch(renderTable(report, width: 120), "Tests/Goldens/report/table.txt") == nil
    )
    #expect(Golden.mismatch(renderMarkdown(report), "Tests/Goldens/report/table.md") == nil)
    #expect(Golden.mismatch(renderCSV(report), "Tests/Goldens/report/table.csv") == nil)
  }

  @Test func hostileNamesDoNoHarm() {
    var report = FakeComparison.report()
    let name = "\u{1B}[2J|<b>\"x,\n=cmd()\u{202E}"
    report.records = report.records.map { record in
      var copy = record
      copy.variant = name
      return copy
    }
    #expect(!renderTable(report).contains("\u{1B}"))
    #expect(!renderTable(report).contains("\u{202E}"))
    let rows = renderMarkdown(report).split(separator: "\n").filter { $0.hasPrefix("|") }
    #expect(rows.allSatisfy { $0.hasSuffix("|") } && rows.count == 31)
    #expect(!renderMarkdown(report).contains("<b>"))
    #expect(renderCSV(report).split(separator: "\r\n").count == 31)
    report.records[0].variant = "=1+1"
    #expect(renderCSV(report).contains("\r\n'=1+1,"))
  }

  @Test func emptyReportsAreText() {
    let report = ComparisonReport(original: .init(path: "x"), records: [])
    #expect(renderTable(report) == "Nothing was measured.\n")
    #expect(renderMarkdown(report).contains("Nothing was measured."))
    #expect(renderCSV(report).split(separator: "\r\n").count == 1)
  }
}
