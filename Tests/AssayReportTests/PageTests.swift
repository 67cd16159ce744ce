import AssayBase
import AssayRecord
import Testing

@testable import AssayReport

/// The elements of a page in order, and what is wrong with their nesting.
private struct Outline {
  var tags: [String] = []
  var faults: [String] = []
  var text = ""

  private static let void: Set<String> = ["meta", "br", "img", "hr", "input", "link"]

  init(_ page: String) {
    var open: [String] = []
    var rest = Substring(page)
    while let start = rest.firstIndex(of: "<") {
      text += rest[..<start]
      rest = rest[start...].dropFirst()
      guard let end = rest.firstIndex(of: ">") else {
        faults.append("a tag does not end")
        return
      }
      let tag = rest[..<end]
      rest = rest[rest.index(after: end)...]
      let name = String(tag.drop { $0 == "/" }.prefix { $0.isLetter || $0.isNumber || $0 == "!" })
      if tag.hasPrefix("/") {
        if open.popLast() != name { faults.append("</\(name)> closes nothing") }
      } else if name != "!doctype" {
        tags.append(name)
        if tag.count(where: { $0 == "\"" }) % 2 != 0 { faults.append("<\(tag)> has an odd quote") }
        if !tag.hasSuffix("/"), !Outline.void.contains(name) { open.append(name) }
        // What stands in scripts and styles is no markup.
        if ["script", "style"].contains(name), let close = rest.range(of: "</\(name)>") {
          rest = rest[close.lowerBound...]
        }
      }
    }
    text += rest
    if !open.isEmpty { faults.append("open at the end: \(open)") }
  }
}

extension Substring {
  fileprivate func range(of other: String) -> Range<Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(other) { return start..<index(start, offsetBy: other.count) }
      start = index(after: start)
    }
    return nil
  }
}

/// The fake comparison with every name replaced.
private func hostile(_ name: String) -> ComparisonReport {
  var report = FakeComparison.report()
  report.records = report.records.map { record in
    var copy = record
    copy.variant = name
    copy.runtime = name
    copy.version = name
    copy.model.path = name
    copy.model.sha256 = name
    copy.command = [name]
    copy.environment = .object(["a\(name)": .string(name)])
    copy.placement = .object(["provider": .string(name)])
    copy.operators = [.object(["kind": .string(name), "node": .string(name), "ns": 5])]
    copy.reasons.append(
      Diagnostic(name, name, at: [name], remedy: name, cause: name, severity: .note)
    )
    copy.accuracy = .missing(reason: name)
    return copy
  }
  report.variants = [.init(name: name, certificate: name, failure: Diagnostic(name, name))]
  report.original.path = name
  report.original.producer = name
  report.data = name
  report.calibration = name
  report.preprocessing = name
  report.version = name
  report.store = name
  report.command = [name]
  report.notes = [Diagnostic(name, name)]
  return report
}

@Suite struct PageTests {
  private static let whole = renderReport(FakeComparison.report())

  @Test func thePageIsWellFormed() {
    let outline = Outline(Self.whole)
    #expect(outline.faults == [])
    #expect(outline.tags.count { $0 == "h1" } == 1)
    // No name of the fake comparison has a quote: one that is escaped was meant as markup.
    #expect(!Self.whole.contains("&quot;") && !Self.whole.contains("&lt;"))
    for section in [
      "answer", "table", "scatter", "distributions", "init", "operators", "failed", "how",
    ] {
      #expect(Self.whole.contains("id=\"\(section)\""), "\(section)")
    }
  }

  @Test func theAnswerStandsFirst() throws {
    let answer = try #require(
      Substring(Self.whole).range(of: "Ship static_int8 on LiteRT with 1 thread.")
    )
    let table = try #require(Substring(Self.whole).range(of: "<table"))
    #expect(answer.lowerBound < table.lowerBound)
  }

  @Test func thePageNeedsNothingElse() {
    for reference in ["http:", "https:", "src=", "@import", "url(", "<link", "<iframe", "fetch("] {
      #expect(!Self.whole.contains(reference), "\(reference)")
    }
    #expect(Self.whole.utf8.count < 1_000_000)
  }

  @Test func everyFigureStandsInTheTable() {
    let report = FakeComparison.report()
    for record in report.records where !record.samples.isEmpty {
      #expect(Self.whole.contains(Words.time(report.median(record))))
      #expect(Self.whole.contains(record.model.sha256))
    }
    #expect(Self.whole.contains("SIGSEGV"))
    #expect(Self.whole.contains("95 % interval"))
    #expect(Self.whole.contains("assay try model.h5 --labels images/labels.csv"))
  }

  @Test func chartsNameTheirContents() {
    let charts = Self.whole.split(separator: "role=\"img\"").dropFirst()
    #expect(charts.count == 3)
    #expect(charts.allSatisfy { $0.prefix(400).contains("aria-label") })
    #expect(Self.whole.contains("<desc"))
  }

  @Test(arguments: [
    "<script>alert(1)</script>", "\"><img onerror=alert(1)>", "</style></title><b>", "' onclick='x",
    "a&b<c>\u{202E}\u{0}\u{1B}[31m", "\\(x) ${y} `z`", "]]>--><!--",
  ])
  func namesStayText(name: String) {
    let page = renderReport(hostile(name))
    let outline = Outline(page)
    #expect(outline.faults == [])
    #expect(outline.tags.count { $0 == "script" } == 1)
    #expect(!outline.tags.contains("img") && !outline.tags.contains("b1"))
    #expect(!page.contains("<script>alert"))
    #expect(!page.contains("\u{202E}") && !page.contains("\u{0}") && !page.contains("\u{1B}"))
  }

  @Test func poorComparisonsArePagesToo() {
    let empty = ComparisonReport(original: .init(path: "x.h5"), records: [])
    #expect(Outline(renderReport(empty)).faults == [])
    #expect(renderReport(empty).contains("Nothing was measured."))
    for count in [1, 2] {
      var one = FakeComparison.report()
      one.records = Array(one.records.prefix(count)).map { record in
        var copy = record
        copy.samples = [5]
        copy.accuracy = .missing(reason: "there are no labels")
        copy.agreement = .missing(reason: "there are no data")
        copy.snrDb = count == 1 ? .missing(reason: "there are no data") : .value(.infinity)
        copy.operators = .null
        copy.initialization = .init(
          read: .missing(reason: "x"),
          compile: .missing(reason: "x"),
          first: .missing(reason: "x")
        )
        return copy
      }
      one.variants = []
      one.original.accuracy = nil
      #expect(Outline(renderReport(one)).faults == [])
    }
    var zero = FakeComparison.report()
    zero.records = zero.records.prefix(3).map { record in
      var copy = record
      copy.samples = [0, 0, 0]
      copy.model.byteCount = 0
      return copy
    }
    #expect(Outline(renderReport(zero)).faults == [])
  }

  @Test func columnsOfNothingSayWhy() {
    var report = FakeComparison.report()
    report.records = report.records.map { record in
      var copy = record
      copy.accuracy = .missing(reason: "there are no labels")
      return copy
    }
    #expect(renderReport(report).contains("Not there: accuracy (there are no labels)."))
    #expect(!renderTable(report, width: 200).contains("accuracy "))
    #expect(!Self.whole.contains("Not there:"))
  }

  @Test func ticksAreRoundAndWithin() {
    #expect(Axis(linear: [98, 98.5]).ticks().allSatisfy { (97.9...98.6).contains($0) })
    #expect(!Axis(linear: [98, 98.5]).ticks().isEmpty)
    #expect(Axis(logarithmic: [1e3, 1e6]).ticks() == [1e3, 1e4, 1e5, 1e6])
    #expect(!Axis(logarithmic: [40_000, 41_000]).ticks().isEmpty)
    for axis in [
      Axis(linear: []), Axis(logarithmic: []), Axis(linear: [5]), Axis(logarithmic: [5]),
    ] {
      #expect((0...1).contains(axis.place(5)))
      #expect(axis.ticks().count < 60)
    }
    #expect(Axis(logarithmic: [0, -1, .infinity, .nan]).ticks().allSatisfy { $0.isFinite })
  }

  @Test func densitiesSumUpSamples() {
    let axis = Axis(linear: [0, 100], air: 0)
    let density = density([50, 50, 50, 1_000_000], axis, bins: 10)
    #expect(density.count == 10)
    #expect(density.firstIndex(of: 1) == 5)
    #expect(density[9] > 0)
    #expect(AssayReport.density([], axis, bins: 10).isEmpty)
  }
}
