import AssayBase
import Testing

@testable import AssayData

@Suite struct ClassificationReportTests {
  /// The numbers are those of scikit-learn's classification_report for the same answers.
  @Test func figuresAreThoseOfScikitLearn() throws {
    var report = ClassificationReport(names: ["nonfire", "fire"], count: 2)
    // (label, predicted): 606 of 652 and 270 of 350 are right, as published for the fire classifier.
    for (label, predicted, count) in [(0, 0, 606), (0, 1, 46), (1, 1, 270), (1, 0, 80)] {
      for _ in 0..<count {
        report.add(scores: predicted == 1 ? [0.2, 0.8] : [0.8, 0.2], label: label)
      }
    }
    #expect(report.count == 1002)
    #expect(report.confusion == [[606, 46], [80, 270]])
    let fraction = try #require(report.accuracy.fraction)
    #expect(abs(fraction - 0.874251) < 1e-6)
    let rows = report.rows
    #expect(rows.map { Words.fixed($0.precision.fraction ?? 0, 2) } == ["0.88", "0.85"])
    #expect(rows.map { Words.fixed($0.recall.fraction ?? 0, 2) } == ["0.93", "0.77"])
    #expect(rows.map { Words.fixed($0.f1 ?? 0, 2) } == ["0.91", "0.81"])
    #expect(report.json["classes"]?.array?.count == 2)
  }

  @Test func aClassThatWasNeverTakenHasNoPrecision() {
    var report = ClassificationReport(names: ["a"], count: 2)
    report.add(scores: [1, 0], label: 1)
    report.add(scores: [1, 0], label: 5)
    #expect(report.names == ["a", "1"] && report.count == 1)
    #expect(report.rows[1].precision.fraction == nil && report.rows[1].f1 == nil)
    #expect(report.rows[1].recall.fraction == 0)
  }
}
