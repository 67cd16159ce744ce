import AssayBase
import AssayGraph
import AssayQuantize
import AssayTensor
import AssayTestSupport
import Testing

@Suite struct RecipeStepNameTests {
  @Test func everyStepIsFoundByItsName() throws {
    for name in RecipeStep.examples { #expect(RecipeStep(name: name)?.name == name) }
    let pruning = Pruning(0.625, .block(rows: 4, columns: 1))
    #expect(RecipeStep.prune(pruning).name == "prune62.5_block4x1")
    #expect(RecipeStep(name: "prune62.5_block4x1") == .prune(pruning))
    let clustering = Clustering(16, .density, isPerChannel: true)
    #expect(RecipeStep(name: "cluster16_density_per_channel") == .cluster(clustering))
    #expect(RecipeStep(name: "prune25_1x4") == .prune(Pruning(0.25, .part(zeros: 1, of: 4))))
  }

  @Test(arguments: [
    "prune", "prune0", "prune100", "prune-5", "prunex", "prune50_", "prune50_2x", "prune50_4x2",
    "prune50_block", "prune50_block1x1", "prune50_block0x4", "prune50_rows", "prune50_2x4_x",
    "cluster", "cluster1", "cluster257", "cluster8_", "cluster8_kmeans++", "cluster8_log",
    "cluster8_per_channel_linear", "qat_", "qats", "prune1e400", "cluster99999999999999999999",
  ])
  func whatIsNoStepIsNone(name: String) { #expect(RecipeStep(name: name) == nil) }

  @Test func stepsThatTrainComeFirstAndInTheirOrder() throws {
    let recipe = try Recipe.parse("static_int8_floatio+qat+cluster8+prune50+prune25_channels")
    #expect(recipe.name == "prune25_channels+prune50+cluster8+qat+static_int8_floatio")
    #expect(recipe.scheme == .staticInt8 && recipe.boundary == .float)
    #expect(try Recipe.parse(recipe.name) == recipe)
    #expect(try Recipe.parse("qat").name == "qat+static_int8")
    #expect(try Recipe.parse("prune50").name == "prune50")
    #expect(try Recipe.parse("prune50+float32").name == "prune50")
    #expect(try Recipe.parse("cluster8+dynamic_int8").withoutTraining == .dynamicInt8)
    #expect(try Recipe.parse("prune50").summary.hasPrefix("50 % of the weights"))
  }

  @Test(arguments: [
    "qat+dynamic_int8", "qat+int16x8", "qat+float32", "qat+equalize", "qat+qat_learned",
    "cluster8+cluster16", "prune50+prune40", "prune50_channels+prune40_channels",
  ])
  func whatCannotBeJoinedIsRefused(name: String) {
    let fault = #expect(throws: Diagnostic.self) { try Recipe.parse(name) }
    #expect(fault?.code == "QNT001")
  }

  @Test func conversionLeavesTrainingToOptimize() throws {
    var graph = Graph(name: "one")
    let x = graph.addInput("x", TensorType(.float32, [1, 4]))
    let weights = graph.addConstant("w", Tensor([Float](repeating: 0.5, count: 16), [4, 4]))
    graph.outputs = try graph.addNode("y", FullyConnected(), [x, weights])
    let fault = #expect(throws: Diagnostic.self) {
      try Quantizer().apply(try Recipe.parse("prune50+float16"), to: graph)
    }
    #expect(fault?.code == "QNT002" && fault?.remedy?.contains("assay optimize") == true)
  }

  @Test func recipesThatTrainSurviveJSON() throws {
    forAll(count: 200) { rng in
      var recipe = Recipe(rng.pick([.float32, .float16, .staticInt8]))
      func rule() -> LayerRule {
        var rule = LayerRule()
        if rng.bool() { rule.nodes = ["a*", "b"] }
        if rng.bool() { rule.except = ["c?"] }
        if rng.bool() { rule.operators = ["Conv2D"] }
        rule.sparesFirst = rng.bool()
        rule.sparesLast = rng.bool()
        return rule
      }
      if rng.bool() {
        var pruning = Pruning(
          0.5,
          rng.pick([.single, .channels, .part(zeros: 2, of: 4), .block(rows: 1, columns: 8)])
        )
        pruning.layers = rule()
        if rng.bool() {
          pruning.schedule = PruningSchedule(
            rng.pick([.constant, .polynomial(initial: 0.25, power: 2)]),
            begin: rng.pick([.step(7), .part(0.1)]),
            end: .part(0.6),
            frequency: rng.int(1...50)
          )
        }
        recipe.training.append(.prune(pruning))
      }
      if rng.bool() {
        var clustering = Clustering(8, rng.pick(Clustering.Initialization.allCases))
        clustering.layers = rule()
        recipe.training.append(.cluster(clustering))
      }
      if recipe.scheme == .staticInt8, rng.bool() {
        let ranges = rng.pick(QuantizationAwareTraining.Ranges.allCases)
        recipe.training.append(
          .quantizationAware(
            QuantizationAwareTraining(
              ranges,
              freeze: .step(rng.int(0...99)),
              normalizationFreeze: .step(rng.int(0...99))
            )
          )
        )
      }
      let text = recipe.json.text(pretty: true)
      try #require(try Recipe(json: JSON(parsing: text)) == recipe, "\(text)")
    }
  }

  @Test(arguments: [
    (#""prune50""#, "an array"), (#"["prune500"]"#, "prune50"), (#"[{}]"#, "'step'"),
    (#"[{"step": "prune50", "schedul": 1}]"#, "schedule"),
    (#"[{"step": "qat", "layers": {}}]"#, "no such member"),
    (#"[{"step": "qat", "freeze": "late"}]"#, "40%"),
    (#"[{"step": "qat", "freeze_normalization": 1.5}]"#, "40%"),
    (#"[{"step": "prune50", "schedule": {"kind": "cosine"}}]"#, "polynomial"),
    (#"[{"step": "prune50", "schedule": {"frequency": 0}}]"#, "at least 1"),
    (#"[{"step": "prune50", "schedule": {"power": 1000}}]"#, "1 to 16"),
    (#"[{"step": "prune50", "schedule": {"initial": 1.5}}]"#, "less than 1"),
    (#"[{"step": "prune50", "schedule": {"begin": "120%"}}]"#, "40%"),
    (#"[{"step": "cluster8", "layers": {"nodes": [1]}}]"#, "texts"),
    (#"[{"step": "cluster8", "layers": {"spareLast": "no"}}]"#, "true or false"),
    (#"["cluster8", "cluster9"]"#, "exclude"),
  ])
  func aBadStepIsExplained(text: String, words: String) throws {
    let whole = #"{"scheme": "static_int8", "training": \#(text)}"#
    let fault = #expect(throws: Diagnostic.self) { try Recipe(json: JSON(parsing: whole)) }
    let told = "\(fault.map { "\($0)" } ?? "")"
    #expect(fault?.code.hasPrefix("QNT") == true && told.contains(words), "\(told)")
  }
}
