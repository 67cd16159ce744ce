import AssayBase
import AssayData
import Testing

@testable import AssayReport

@Suite("Studies") struct StudyTests {
  private func study(
    _ subject: Study.Subject,
    _ medians: [Double?],
    values: [Int] = [1, 2, 4, 8],
    half: Double = 0.01
  ) -> Study {
    Study(
      subject: subject,
      title: "model on runtime",
      points: zip(medians, values).map { median, value in
        Study.Point(
          label: subject == .batch
            ? "batch \(value)" : subject == .affinity ? "set \(value)" : "\(value) threads",
          value: value,
          median: median,
          interval: median.map { $0 * (1 - half)...$0 * (1 + half) },
          items: subject == .batch ? value : 1,
          isValid: median != nil,
          reason: median == nil ? "BEN110: it crashed" : nil
        )
      }
    )
  }

  @Test("the fewest threads within 5 % of the best are the answer, with speed-up and efficiency")
  func threads() throws {
    let study = study(.threads, [8e6, 4e6, 3e6, 2.9e6])
    #expect(study.pick == 2)
    #expect(study.answer == "4 threads: 2.67x; more do not help")
    #expect(study.efficiency(2).map { Words.percent($0, 0) } == "67 %")
    let ratio = try #require(study.speedUp(1))
    #expect(ratio.value == 2 && ratio.low < 2 && ratio.high > 2)
    #expect(abs(ratio.low - 7.92e6 / 4.04e6) < 1e-9)
    #expect(self.study(.threads, [8e6, 4e6]).answer == "2 threads: 2.00x")
    #expect(self.study(.threads, [4e6, 5e6]).answer == "1 threads: more do not help")
  }

  @Test("a batch is judged by items a second, and its wait is told")
  func batch() {
    let study = study(.batch, [1e6, 1.5e6, 2.6e6, 5.2e6])
    #expect(study.pick == 2)
    #expect(
      study.answer
        == "batch 4: 1.54x as many items a second, 2.60 ms for the whole batch; larger ones do not help"
    )
    #expect(study.cells(2)[4] == "650 µs")
    #expect(study.efficiency(1) == nil)
  }

  @Test("binding is told as better only when the intervals say so")
  func affinity() {
    #expect(study(.affinity, [1e6, 0.8e6]).answer.hasPrefix("set 2: 25.0 % more a second"))
    #expect(study(.affinity, [1e6, 0.99e6]).answer.contains("one below 3.1 % could be missed"))
    #expect(study(.affinity, [1e6, 1.2e6]).answer.hasPrefix("set 1 is best"))
  }

  @Test("a setting that failed is a row with its reason, and the rest stands")
  func failures() {
    let study = study(.threads, [8e6, nil, 4e6])
    #expect(study.answer.hasPrefix("4 threads: 2.00x"))
    #expect(study.speedUp(1) == nil && study.cells(1)[0] == "-")
    let page = study.page(version: "1")
    #expect(page.contains("BEN110: it crashed"))
    #expect(self.study(.threads, [nil, nil]).answer == "nothing could be measured")
    #expect(study.json["points"]?.array?[1]["speedUp"] == .null)
  }

  @Test("what does not hold says so in the answer")
  func invalid() {
    var study = study(.threads, [8e6, 4e6])
    study.points[1].isValid = false
    #expect(study.answer.hasSuffix("(INVALID: see the reasons)"))
  }

  @Test("plot, page and picture show every setting")
  func drawing() throws {
    var study = study(.threads, [8e6, 4e6, 3e6, 2.9e6])
    study.points[1].label = "<b>2</b>"
    let svg = study.svg
    #expect(svg.split(separator: "<circle").count == 5)
    #expect(svg.contains("class=\"ideal\"") && !svg.contains("<b>2"))
    #expect(study.page(version: "1").split(separator: "<tr").count == 6)
    let png = try study.png()
    #expect(png.first?.array.prefix(4) == [0x89, 0x50, 0x4E, 0x47])
    // Settings beyond every measure must not leave the drawing.
    let wild = self.study(.threads, [1, 1e12], half: 0.9)
    #expect(!wild.svg.contains("nan") && !wild.svg.contains("inf"))
    #expect(try !wild.png().isEmpty)
  }
}
