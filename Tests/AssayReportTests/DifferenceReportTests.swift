import AssayBase
import AssayRecord
import AssayStatistics
import AssayTestSupport
import Testing

@testable import AssayReport

private func difference(_ low: Double, _ high: Double, isPaired: Bool = true) -> Difference {
  Difference(
    estimate: (low + high) / 2,
    interval: low...high,
    confidence: 0.95,
    detectable: 0.012,
    power: 0.9,
    isPaired: isPaired,
    units: 16
  )
}

private func record(_ id: String, level: Int64, verdict: Record.Verdict = .valid) -> Record {
  var record = Record(
    id: id,
    session: "s",
    finishedAt: 0,
    model: .init(path: id, sha256: "", byteCount: 1000),
    artefact: "tflite",
    variant: "v",
    runtime: "litert",
    version: "1",
    provider: "cpu",
    device: "local",
    threads: 1
  )
  for round in 0..<16 {
    record.samples += (0..<20).map { level + Int64($0 * 7 + round * 11) }
    record.rounds.append(20)
    record.windows.append(.init(begin: Int64(round) * 1000, end: Int64(round) * 1000 + 500))
  }
  record.verdict = verdict
  return record
}

@Suite struct DifferenceReportTests {
  @Test func sentences() {
    func sentence(_ low: Double, _ high: Double) -> String {
      DifferenceWords(difference(low, high), a: "A", b: "B").sentence
    }
    #expect(sentence(-0.04, -0.031) == "B is 3.1 to 4.0 % faster than A.")
    #expect(sentence(0.0012, 0.0054) == "B is 0.12 to 0.54 % slower than A.")
    #expect(sentence(0.31, 0.42) == "B is 31 to 42 % slower than A.")
    #expect(sentence(1, 1.5) == "B takes 2.00 to 2.50 times as long as A.")
    #expect(sentence(-0.6, -0.5) == "B is 2.00 to 2.50 times as fast as A.")
    #expect(
      sentence(-0.004, 0.009)
        == "No difference was found between A and B: B is between 0.40 % faster and 0.90 % slower "
        + "than A."
    )
    let none = DifferenceWords(difference(-0.01, 0.01), a: "A", b: "B")
    #expect(none.power == "A difference above 1.2 % would have been found 90 times in 100.")
    #expect(none.method.contains("16 pairs"))
    let apart = DifferenceWords(difference(-0.01, 0.01, isPaired: false), a: "A", b: "B")
    #expect(apart.method.contains("did not run side by side"))
  }

  @Test func outcomesForBuildServers() throws {
    let (old, same, slow) = (
      record("old.tflite", level: 100_000), record("new.tflite", level: 100_000),
      record("new.tflite", level: 104_000)
    )
    func report(_ a: Record, _ b: Record) -> DifferenceReport {
      DifferenceReport(
        .init(name: "the <old> one", record: a),
        .init(name: "new|\"&", record: b),
        percentile: .p50,
        limit: 0.02
      )
    }
    let held = report(old, same)
    #expect(held.isValid && held.outcome == .held)
    #expect(held.junit.contains("failures=\"0\" errors=\"0\""))
    let regressed = report(old, slow)
    #expect(regressed.outcome == .regressed)
    #expect(regressed.junit.contains("failures=\"1\" errors=\"0\""))
    #expect(regressed.junit.contains("<failure message="))
    #expect(regressed.sentences.contains("REGRESSED: at most 2.0 % slower is allowed."))
    #expect(regressed.json["outcome"] == "regressed")
    #expect(regressed.json["difference"]?["interval"]?.array?.count == 2)
    let broken = report(old, record("new.tflite", level: 100_000, verdict: .invalid))
    #expect(!broken.isValid && broken.junit.contains("errors=\"1\""))
    for report in [held, regressed, broken] {
      // Well-formed, whatever the names are.
      let xml = report.junit
      #expect(!xml.contains("<old>") && xml.contains("&lt;old&gt;"))
      #expect(report.markdown.contains("new\\|\""))
      #expect(report.markdown.contains("&lt;old>"))
    }
  }

  @Test func unlikeThingsAreSaidUnlessAskedFor() {
    let a = record("a", level: 100_000)
    var b = record("b", level: 90_000)
    b.threads = 4
    let sides = (
      DifferenceReport.Side(name: "A", record: a), DifferenceReport.Side(name: "B", record: b)
    )
    let plain = DifferenceReport(sides.0, sides.1, percentile: .p50)
    #expect(plain.sentences.contains { $0.contains("unlike things: threads 1 and 4") })
    let asked = DifferenceReport(sides.0, sides.1, percentile: .p50, asked: ["threads"])
    #expect(!asked.sentences.contains { $0.contains("unlike") })
    #expect(asked.unlikeness.count == 1)
  }

  @Test func nothingToSayIsSaid() {
    var empty = record("a", level: 100)
    empty.samples = []
    empty.rounds = []
    let report = DifferenceReport(
      .init(name: "A", record: empty),
      .init(name: "B", record: empty),
      percentile: .p50,
      limit: 0.01
    )
    #expect(!report.isValid && report.outcome == nil)
    #expect(report.sentences.first?.hasPrefix("Nothing can be said") == true)
    #expect(report.json["difference"]?["missing"] != nil)
  }
}
