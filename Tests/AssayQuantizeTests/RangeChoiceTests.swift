import AssayBase
import AssayEvaluator
import AssayGraph
import AssayTensor
import AssayTestSupport
import Testing

@testable import AssayQuantize

/// Ranges that are chosen by what they do to the outputs.
@Suite struct RangeChoiceTests {
  /// A dense layer, with one `outlier` in an element that no weight reads.
  private func maker(outlier: Float, samples: Int = 40) throws -> VariantMaker {
    var rng = SeededRNG(seed: 3)
    var graph = Graph(name: "dense")
    let x = graph.addInput("x", TensorType(.float32, [1, 64]))
    var weights = rng.tensor([8, 64]).floats()
    for row in 0..<8 { weights[row * 64] = 0 }
    let w = graph.addConstant("w", Tensor(weights, [8, 64]))
    graph.outputs = try graph.addNode("dense", FullyConnected(), [x, w])
    let data = (0..<samples).map { sample in
      (0..<64).map { $0 == 0 ? (sample == 1 ? outlier : 0) : rng.normal() }
    }
    return VariantMaker(graph) { calibrator in
      for sample in data { try calibrator.observe(["x": Tensor(sample, [1, 64])]) }
    }
  }

  @Test func outliersThatNothingReadsAreCutOff() throws {
    let maker = try maker(outlier: 400, samples: 600)
    let (_, findings) = try maker.make(.staticInt8)
    let note = try #require(findings.first { $0.code == "QNT018" })
    #expect(note.severity == .note && note.summary.contains("percentile"), "\(note)")
    let chosen = try #require(try maker.calibration(.staticInt8)?.ranges["x"])
    var plain = Recipe.staticInt8
    plain.calibration = .minMax
    let whole = try #require(try maker.calibration(plain)?.ranges["x"])
    #expect(whole.high == 400 && chosen.high < 40)
    #expect(chosen.greatest == 400)
    #expect(try maker.make(plain).diagnostics.allSatisfy { $0.code != "QNT018" })
  }

  @Test func whatWasSeenIsHeldWhereNothingIsBetter() throws {
    let maker = try maker(outlier: 0)
    #expect(try maker.make(.staticInt8).diagnostics.allSatisfy { $0.code != "QNT018" })
    let chosen = try #require(try maker.calibration(.staticInt8)?.ranges["x"])
    #expect(chosen.high == chosen.greatest && chosen.low == chosen.least)
  }

  @Test func theChoiceIsTheBestOfItsCandidates() throws {
    forAll(count: 12) { rng in
      let outlier = rng.pick([2, 8, 30, 1e4] as [Float])
      var choices: [CalibrationMethod: Double] = [:]
      let maker = try maker(outlier: outlier, samples: rng.int(3...20))
      let calibrator = try Calibrator(maker.graph)
      for _ in 0..<rng.int(1...30) { try calibrator.observe(["x": rng.tensor([1, 64])]) }
      var recipe = Recipe.staticInt8
      recipe.boundary = .float
      let choice = try RangeChoice(maker.graph, recipe, calibrator, threads: 1)
      for (method, ratio) in choice.ratios { choices[method] = ratio }
      let own = try #require(choices[choice.method])
      try #require(choices.count == CalibrationMethod.candidates.count)
      try #require(choice.method == .minMax || own > (choices[.minMax] ?? 0) + 0.5)
      try #require(calibrator.kept.count <= 8)
    }
  }

  @Test func fewSamplesMustAgree() {
    // Better by 3 dB on average, but by one lucky sample of four.
    #expect(!RangeChoice.isBetter([10, 10, 10, 24], than: [10.5, 10.5, 10.5, 10.5]))
    #expect(RangeChoice.isBetter([12, 13, 12, 14], than: [10.5, 10.5, 10.5, 10.5]))
    #expect(!RangeChoice.isBetter([10.9, 10.9, 10.9], than: [10.5, 10.5, 10.5]))
    #expect(RangeChoice.isBetter([11.1], than: [10.5]))
  }

  @Test func aSoftmaxDoesNotJudge() throws {
    forAll(count: 4) { rng in
      // Scores so far apart that the softmax gives the same ones and zeros by any method.
      var graph = try maker(outlier: 0).graph
      let scores = graph.outputs[0]
      let factor = graph.addConstant("factor", Tensor([60 as Float], [1]))
      let far = try graph.addNode("far", Binary(.multiply), [scores, factor])[0]
      graph.outputs = try graph.addNode("softmax", Softmax(), [far])
      let calibrator = try Calibrator(graph)
      for _ in 0..<8 { try calibrator.observe(["x": rng.tensor([1, 64])]) }
      var recipe = Recipe.staticInt8
      recipe.boundary = .float
      let choice = try RangeChoice(graph, recipe, calibrator, threads: 1)
      try #require(choice.ratios.allSatisfy { (5..<60).contains($0.decibels) })
    }
  }

  @Test func sixteenBitsHoldAllThatWasSeen() throws {
    let maker = try maker(outlier: 400)
    let (_, findings) = try maker.make(Recipe(.int16x8))
    #expect(findings.allSatisfy { $0.code != "QNT018" })
  }
}
