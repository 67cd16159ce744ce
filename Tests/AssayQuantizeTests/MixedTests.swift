import AssayBase
import AssayEvaluator
import AssayGraph
import AssayReference
import AssayTensor
import AssayTestSupport
import Testing

@testable import AssayQuantize

/// A chain with a layer that 8 bits ruin: a huge channel beside tiny ones, under one scale.
private func hardNetwork(_ rng: inout SeededRNG) throws -> Graph {
  var graph = Graph(name: "hard")
  let x = graph.addInput("x", TensorType(.float32, [1, 8]))
  func weights(_ name: String, _ rows: Int, _ columns: Int) -> ValueID {
    graph.addConstant(name, rng.tensor([rows, columns], scale: 0.4))
  }
  let a = try graph.addNode("first", FullyConnected(activation: .relu), [x, weights("w1", 16, 8)])[
    0
  ]
  let factors = graph.addConstant(
    "factors",
    Tensor((0..<16).map { $0 == 3 ? 300 : 0.5 } as [Float], [16])
  )
  let wide = try graph.addNode("wide", Binary(.multiply), [a, factors])[0]
  let inverse = graph.addConstant(
    "inverse",
    Tensor((0..<16).map { $0 == 3 ? 1 / 300 : 2 } as [Float], [16])
  )
  let back = try graph.addNode("back", Binary(.multiply), [wide, inverse])[0]
  let b = try graph.addNode("second", FullyConnected(), [back, weights("w2", 8, 16)])[0]
  graph.outputs = try graph.addNode("third", FullyConnected(), [b, weights("w3", 5, 8)])
  return graph
}

private func samples(_ rng: inout SeededRNG, _ count: Int, _ shape: Shape) -> [[String: Tensor]] {
  (0..<count).map { _ in ["x": rng.tensor(shape)] }
}

private func maker(_ graph: Graph, _ data: [[String: Tensor]]) -> VariantMaker {
  VariantMaker(graph) { calibrator in for inputs in data { try calibrator.observe(inputs) } }
}

@Suite struct MixedTests {
  @Test func theHarmfulOperatorIsFoundAndKept() throws {
    var rng = SeededRNG(seed: 5)
    let graph = try hardNetwork(&rng)
    let data = samples(&rng, 32, [1, 8])
    let maker = maker(graph, data)
    let validation = try Validation(
      graph,
      samples: data.map { Validation.Sample(inputs: $0) },
      isClassifier: false
    )
    #expect(validation.criterion == .noise)
    let calibration = try maker.calibration(.staticInt8)
    let report = try Sensitivity(
      .staticInt8,
      of: graph,
      calibration: calibration,
      validation: validation
    )
    #expect(report.entries.count == 5)
    // 'wide' makes the value that one scale cannot hold, 'back' reads it.
    #expect(Set(report.entries.prefix(2).map(\.node)) == ["wide", "back"])
    #expect(report.entries[2].quality.snrDb > report.entries[1].quality.snrDb + 10)
    #expect(report.json["operators"]?.array?.count == 5)

    let whole = try validation.judge(maker.make(.staticInt8).graph)
    let choice = try MixedChoice(
      maxDrop: 0.01,
      .staticInt8,
      of: graph,
      calibration: calibration,
      validation: validation
    )
    #expect(whole.drop > 0.01 && choice.quality.drop <= 0.01)
    #expect(Set(choice.kept) == ["wide", "back"], "\(choice.kept)")
    #expect(choice.trials.first?.keptCount == 0 && choice.trials.first?.holds == false)
    #expect(choice.recipe.overrides.count == 2 && choice.json["kept"]?.array?.count == 2)
    // The recipe makes that very variant, also after a trip through JSON.
    let again = try Recipe(json: JSON(parsing: choice.recipe.json.text(pretty: true)))
    let variant = try maker.make(again).graph
    #expect(try validation.judge(variant).noise == choice.quality.noise)
    #expect(variant.validate().isEmpty)

    // A network of integers alone keeps 16 bits.
    var strict = Recipe.staticInt8
    strict.fallback = .refuse
    let integers = try MixedChoice(
      maxDrop: 0.01,
      strict,
      of: graph,
      calibration: calibration,
      validation: validation
    )
    let mixed = try maker.make(integers.recipe).graph
    #expect(integers.quality.drop <= 0.01)
    #expect(mixed.values.allSatisfy { $0.type.dtype != .float32 }, "\(mixed.dump())")
    #expect(mixed.values.contains { $0.type.dtype == .int16 })
  }

  @Test func aLooseBoundKeepsNothingAndAnImpossibleOneIsRefused() throws {
    var rng = SeededRNG(seed: 6)
    let graph = try hardNetwork(&rng)
    let data = samples(&rng, 8, [1, 8])
    let maker = maker(graph, data)
    let validation = try Validation(
      graph,
      samples: data.map { Validation.Sample(inputs: $0) },
      isClassifier: true
    )
    #expect(validation.criterion == .agreement)
    let loose = try MixedChoice(
      maxDrop: 1,
      .staticInt8,
      of: graph,
      calibration: try maker.calibration(.staticInt8),
      validation: validation
    )
    #expect(loose.kept.isEmpty && loose.trials.count == 1 && loose.sensitivity == nil)
    // Eight bits at the boundary are a loss that no operator's precision undoes.
    let noisy = try Validation(
      graph,
      samples: data.map { Validation.Sample(inputs: $0) },
      isClassifier: false
    )
    let fault = #expect(throws: Diagnostic.self) {
      try MixedChoice(
        maxDrop: 1e-12,
        .staticInt8,
        of: graph,
        calibration: try maker.calibration(.staticInt8),
        validation: noisy
      )
    }
    #expect(fault?.code == "QNT031")
  }

  @Test func labelsTellAccuracy() throws {
    var rng = SeededRNG(seed: 7)
    let graph = try hardNetwork(&rng)
    let data = samples(&rng, 20, [1, 8])
    let evaluator = try Evaluator(graph)
    let answers = try data.map { inputs in
      let scores = try evaluator.run(inputs)[0].tensor.floats()
      return scores.indices.max { scores[$0] < scores[$1] } ?? 0
    }
    // A quarter of the labels is wrong for the network itself.
    let labelled = zip(data, answers).enumerated().map { index, pair in
      Validation.Sample(inputs: pair.0, label: index % 4 == 0 ? (pair.1 + 1) % 5 : pair.1)
    }
    let validation = try Validation(graph, samples: labelled, isClassifier: true)
    #expect(validation.criterion == .accuracy && validation.accuracy == 0.75)
    let same = try validation.judge(graph)
    #expect(same.drop == 0 && same.accuracy == 0.75 && same.snrDb == .infinity)
    #expect(validation.thinned(to: 5).samples.count == 5)
    var partly = labelled
    partly[3].label = nil
    #expect(throws: Diagnostic.self) {
      try Validation(graph, samples: partly, isClassifier: true)
    }
    #expect(throws: Diagnostic.self) { try Validation(graph, samples: [], isClassifier: true) }
  }

  @Test func overridesLeaveWhatTheyName() throws {
    var rng = SeededRNG(seed: 5)
    let graph = try hardNetwork(&rng)
    let maker = maker(graph, samples(&rng, 8, [1, 8]))
    var recipe = Recipe.staticInt8
    recipe.overrides = [
      Override(.op("Mul"), .float32), Override(.nodes("back"), .int16x8),
      Override(.nodes("third"), .dynamicInt8),
    ]
    recipe.minimumWeightElements = 1
    let (variant, diagnostics) = try maker.make(recipe)
    #expect(variant.validate().isEmpty)
    #expect(!diagnostics.contains { $0.code == "QNT010" })
    func type(_ name: String) -> DType? {
      variant.nodes.first { $0.name == name }.map { variant[$0.outputs[0]].type.dtype }
    }
    #expect(type("first") == .int8 && type("wide") == .float32 && type("back") == .int16)
    #expect(type("second") == .int8 && type("third") == .float32)
    let third = try #require(variant.nodes.first { $0.name == "third" })
    #expect(third.inputs[1].map { variant[$0].type.dtype } == .int8)
    // The output leaves as integers, as the recipe's boundary says.
    #expect(variant[variant.outputs[0]].type.dtype == .int8)

    recipe.fallback = .refuse
    let faults = #expect(throws: Diagnostics.self) { try maker.make(recipe) }
    #expect(faults?.all.map(\.code) == ["QNT021", "QNT021"], "\(faults.map { "\($0)" } ?? "")")
  }

  @Test func refusingNamesEveryOperatorWithItsReason() throws {
    var graph = Graph(name: "sine")
    let x = graph.addInput("x", TensorType(.float32, [1, 4]))
    let a = try graph.addNode("sine", Unary(.sin), [x])
    let b = try graph.addNode("wave", Unary(.elu), a)
    graph.outputs = try graph.addNode("sum", Binary(.add), [a[0], b[0]])
    var rng = SeededRNG(seed: 1)
    let maker = maker(graph, samples(&rng, 4, [1, 4]))
    let warnings = try maker.make(.staticInt8).diagnostics
    #expect(warnings.map(\.code) == ["QNT010", "QNT010"])
    var recipe = Recipe.staticInt8
    recipe.fallback = .refuse
    let faults = #expect(throws: Diagnostics.self) { try maker.make(recipe) }
    let text = faults.map { "\($0)" } ?? ""
    #expect(text.contains("'sine'") && text.contains("'wave'") && text.contains("8-bit kernel"))
  }
}

@Suite struct SixteenBitTests {
  @Test func valuesHaveSixteenBitsAndNoZeroPoint() throws {
    var rng = SeededRNG(seed: 3)
    let graph = try smallNetwork(&rng)
    let data = (0..<8).map { _ in ["image": rng.tensor([1, 12, 12, 3])] }
    let maker = maker(graph, data)
    let (variant, diagnostics) = try maker.make(.int16x8)
    #expect(variant.validate().isEmpty)
    #expect(diagnostics.map(\.code) == ["QNT013"])
    for value in variant.values where value.type.dtype == .int16 {
      #expect(value.type.quantization?.zeroPoint == 0)
    }
    #expect(variant.values.contains { $0.type.dtype == .int64 && $0.constant != nil })
    #expect(variant[variant.inputs[0]].type.dtype == .int16)
    var (want, wide, narrow): ([Float], [Float], [Float]) = ([], [], [])
    let (float, int16) = (try Evaluator(graph), try Evaluator(variant))
    let int8 = try Evaluator(try maker.make(.staticInt8).graph)
    for inputs in data {
      want += try float.run(inputs)[0].tensor.floats()
      wide += try int16.run(inputs)[0].tensor.floats()
      narrow += try int8.run(inputs)[0].tensor.floats()
    }
    #expect(sqnr(wide, want) > sqnr(narrow, want) + 6)
  }
}

@Suite struct UselessnessTests {
  @Test func whatBuysNothingIsSaid() throws {
    var rng = SeededRNG(seed: 3)
    var graph = Graph(name: "depthwise")
    let x = graph.addInput("x", TensorType(.float32, [1, 8, 8, 128]))
    let w = graph.addConstant("w", rng.tensor([1, 3, 3, 128]))
    let a = try graph.addNode("depthwise", DepthwiseConv2D(padding: .same), [x, w])
    let p = graph.addConstant("p", rng.tensor([32, 1, 1, 128]))
    graph.outputs = try graph.addNode("pointwise", Conv2D(), [a[0], p])
    #expect(doubts(.dynamicInt8, of: graph).map(\.code) == ["QNT013"])
    var kept = Recipe.dynamicInt8
    kept.overrides = [Override(.op("DepthwiseConv2D"), .float32)]
    #expect(doubts(kept, of: graph).isEmpty)
    #expect(doubts(.staticInt8, of: graph).isEmpty && doubts(.float16, of: graph).isEmpty)
    var tiny = Recipe.dynamicInt8
    tiny.minimumWeightElements = 1_000_000
    #expect(doubts(tiny, of: graph).map(\.code) == ["QNT017"])
    #expect(doubts(.int16x8, of: graph).first?.severity == .warning)
  }
}
