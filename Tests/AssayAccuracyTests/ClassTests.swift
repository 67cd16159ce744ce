import AssayBase
import AssayTestSupport
import Testing

@testable import AssayAccuracy

@Suite struct ClassTests {
  private func fixture(_ name: String) throws -> JSON {
    try JSON(parsing: MappedFile(path: TestData.fixture("accuracy/\(name).json")).view.array)
  }

  @Test func ranksBreakTiesByClass() {
    #expect(ClassOutcome(scores: [1, 3, 3, 2], label: 2).rank == 1)
    #expect(ClassOutcome(scores: [1, 3, 3, 2], label: 1).rank == 0)
    #expect(ClassOutcome(scores: [.nan, 3, 1], label: 0).rank == ClassOutcome.absent)
    #expect(ClassOutcome(scores: [.nan, 3, 1], label: 1).predicted == 1)
    #expect(ClassOutcome(scores: [0.7], label: 1).rank == 0)
    #expect(ClassOutcome(scores: [0.7], label: 0).rank == 1)
    #expect(ClassOutcome(scores: [0, 0], label: 9).rank == ClassOutcome.absent)
    #expect(ClassOutcome(scores: [0.2], label: 3).rank == ClassOutcome.absent)
    var counts = TopCounts(classCount: 10)
    counts.add(ClassOutcome(scores: [0, 0], label: 9))
    #expect(counts[5]?.fraction == 0)
  }

  @Test func depthsAreCounted() throws {
    var counts = TopCounts(classCount: 12)
    for rank in [0, 2, 4, 9, 11] {
      counts.add(ClassOutcome(predicted: rank == 0 ? 1 : 0, label: 1, rank: rank))
    }
    #expect(TopCounts.depths.map { counts[$0]?.successes } == [1, 2, 3, 4])
    #expect(TopCounts(classCount: 5)[5] == nil)
    #expect(TopCounts(classCount: 5)[3] != nil)
  }

  @Test func confidenceIsAProbability() throws {
    let soft = ClassOutcome(scores: [0.1, 0.7, 0.2], label: 0)
    #expect(abs((soft.confidence ?? 0) - 0.7) < 1e-6)
    let logits = ClassOutcome(scores: [1, 2, 0], label: 0)
    #expect(abs((logits.confidence ?? 0) - 0.665241) < 1e-5)
  }

  @Test func calibrationErrorIsTheMeanDistance() throws {
    var calibration = Calibration()
    // Four samples said 0.8, of which three are right; two said 0.6, of which none is.
    for right in [true, true, true, false] {
      calibration.add(ClassOutcome(predicted: 1, label: right ? 1 : 0, rank: 0, confidence: 0.8))
    }
    for _ in 0..<2 {
      calibration.add(ClassOutcome(predicted: 1, label: 0, rank: 0, confidence: 0.6))
    }
    let expected = (abs(3 - 3.2) + abs(0 - 1.2)) / 6
    #expect(abs((calibration.error ?? 0) - expected) < 1e-12)
    #expect(Calibration().error == nil)
  }

  @Test func mcnemarIsTheExactBinomialTest() throws {
    for entry in try #require(try fixture("classes")["mcnemar"]?.array) {
      var paired = PairedOutcomes()
      for _ in 0..<(entry["b"]?.int ?? 0) { paired.add(first: true, second: false) }
      for _ in 0..<(entry["c"]?.int ?? 0) { paired.add(first: false, second: true) }
      #expect(abs(paired.probability - (entry["p"]?.double ?? -1)) < 1e-9)
    }
    #expect(PairedOutcomes().probability == 1)
    #expect(PairedOutcomes().difference == nil)
  }

  /// Newcombe's own example for paired proportions: 36, 12, 2, 0 gives 0.2 with 0.0569 to 0.3404.
  @Test func pairedDifferencesAreNewcombes() throws {
    var paired = PairedOutcomes()
    for _ in 0..<36 { paired.add(first: true, second: true) }
    for _ in 0..<12 { paired.add(first: false, second: true) }
    for _ in 0..<2 { paired.add(first: true, second: false) }
    let difference = try #require(paired.difference)
    #expect(abs(difference.value - 0.2) < 1e-12)
    #expect(abs(difference.interval.lowerBound - 0.0569) < 5e-4)
    #expect(abs(difference.interval.upperBound - 0.3404) < 5e-4)
  }

  @Test func f1IsScikitLearns() throws {
    let golden = try fixture("classes")
    let (truth, found) = (try #require(golden["truth"]?.ints), try #require(golden["found"]?.ints))
    var score = ClassScore(classCount: 5)
    for (label, predicted) in zip(truth, found) {
      score.add(ClassOutcome(predicted: predicted, label: label, rank: 0))
    }
    #expect(abs((score.macroF1 ?? 0) - (golden["macro"]?.double ?? 0)) < 1e-12)
    for (a, b) in zip(score.f1, try #require(golden["each"]?.array)) {
      #expect(abs((a ?? 0) - (b.double ?? 0)) < 1e-12)
    }
    let interval = try #require(score.macroF1Interval())
    #expect(interval.contains(try #require(score.macroF1)))
  }

  @Test func regionsLeaveOutWhatIsNoClass() throws {
    var score = RegionScore(classCount: 3)
    score.add(
      RegionScore.Counts(found: [0, 0, 1, 1, 2, 2], truth: [0, 1, 1, 1, 255, 0], classCount: 3)
    )
    // Class 0: 1 of 3; class 1: 2 of 3; class 2: 0 of 1.
    let expected: [Double] = [1.0 / 3, 2.0 / 3, 0]
    for (a, b) in zip(score.byClass, expected) { #expect(abs((a ?? -1) - b) < 1e-12) }
    #expect(abs((score.mean ?? 0) - 1.0 / 3) < 1e-12)
    #expect(score.pixelAccuracy == 3.0 / 5)
    #expect(score.interval() == nil)
  }

  @Test func piecesAreTheReferencesTokenizers() throws {
    let golden = try fixture("texts")
    let vocabulary = try #require(golden["vocabulary"]?.array).compactMap(\.string)
    let samples = try #require(golden["samples"]?.array)
    #expect(samples.count > 30)
    for sample in samples {
      let isUncased = sample["uncased"] == .bool(true)
      let pieces = try WordPiece(vocabulary: vocabulary, isUncased: isUncased)
      let text = try #require(sample["text"]?.string)
      #expect(pieces.numbersOf(text) == sample["ids"]?.ints, "\(text), uncased \(isUncased)")
    }
  }

  /// The strings of the tests that came with BERT's own tokenizer.
  @Test func piecesOfTheReferencesOwnStrings() throws {
    let vocabulary = [
      "[UNK]", "[CLS]", "[SEP]", "want", "##want", "##ed", "wa", "un", "runn", "##ing", ",",
    ]
    let pieces = try WordPiece(vocabulary: vocabulary)
    #expect(pieces.numbersOf("UNwant\u{E9}d,running") == [7, 4, 5, 10, 8, 9])
    #expect(pieces.tokens("unwanted running") == ["un", "##want", "##ed", "runn", "##ing"])
    #expect(pieces.tokens("unwantedX running") == ["[UNK]", "runn", "##ing"])
    #expect(
      pieces.words(" \tHeLLo!how  \n Are yoU?  ") == ["hello", "!", "how", "are", "you", "?"]
    )
    #expect(pieces.words("H\u{E9}llo") == ["hello"])
    #expect(pieces.words("ah\u{535A}\u{63A8}zz") == ["ah", "\u{535A}", "\u{63A8}", "zz"])
    let cased = try WordPiece(vocabulary: vocabulary, isUncased: false)
    #expect(cased.words(" \tHeLLo!how") == ["HeLLo", "!", "how"])
    let input = try pieces.encoded("unwanted", and: "running want", length: 8)
    #expect(input.numbers == [1, 7, 4, 5, 2, 8, 9, 2])
    #expect(input.segments == [0, 0, 0, 0, 0, 1, 1, 1])
    #expect(try pieces.encoded("want", length: 5).mask == [1, 1, 1, 0, 0])
    #expect(throws: Diagnostic.self) { try WordPiece(vocabulary: ["a"]) }
  }
}
