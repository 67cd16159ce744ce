import AssayBase
import AssayGraph
import AssayQuantize
import AssayReference
import AssayTensor
import AssayTestSupport
import Testing

@Suite struct RecipeTests {
  @Test func everyRecipeIsFoundByItsName() throws {
    #expect(Set(Recipe.all.map(\.name)).count == Recipe.all.count)
    for recipe in Recipe.all {
      #expect(try Recipe.parse(recipe.name) == recipe)
      #expect(recipe.json["name"]?.string == recipe.name)
      #expect(recipe.json["needsCalibration"]?.bool == recipe.needsCalibration)
    }
    let names = Recipe.all.map(\.name)
    #expect(
      names == [
        "float32", "float16", "dynamic_int8", "static_int8", "static_int8_floatio",
        "static_int8_uint8io", "int16x8", "int16x8_floatio", "weight_int8", "weight_int4",
        "weight_int4_b32",
      ]
    )
  }

  @Test(arguments: [
    ("statc_int8", "QNT001", "static_int8"), ("float61", "QNT001", "float16"),
    ("prune100", "QNT001", "prune50"), ("qat+float16", "QNT001", "qat+static_int8"),
    ("prune50+prune50_2x4", "QNT001", "choose one"), ("prune50_3x4", "QNT001", "prune50_2x4"),
    ("float16+static_int8", "QNT001", "choose one"), ("", "QNT001", "recipes are"),
    ("cluster1", "QNT001", "cluster8"), ("prunes", "QNT001", "recipes are"),
    ("mse+entropy+static_int8", "QNT001", "choose one"), ("static_int8+", "QNT001", "recipes are"),
    ("float16_floatio", "QNT001", "leave out"), ("int16x8_uint8io", "QNT001", "int16x8_floatio"),
    ("weight_int4_b33", "QNT001", "weight_int4_b32"), ("weight_int3", "QNT001", "weight_int"),
    ("percentile101+static_int8", "QNT001", "percentile"), ("equalise", "QNT001", "equalize"),
  ])
  func anUnknownNameIsExplained(name: String, code: String, remedy: String) {
    let fault = #expect(throws: Diagnostic.self) { try Recipe.parse(name) }
    #expect(fault?.code == code)
    #expect(fault?.remedy?.contains(remedy) == true, "\(fault?.remedy ?? "")")
  }
}

@Suite struct RecipeStepTests {
  @Test func stepsAreJoinedInAnyOrderAndPrintedInOne() throws {
    let recipe = try Recipe.parse("correct_bias+static_int8_floatio+entropy+equalize")
    #expect(recipe.scheme == .staticInt8 && recipe.boundary == .float)
    #expect(recipe.calibration == .entropy && recipe.equalizes && recipe.correctsBias)
    #expect(recipe.name == "equalize+entropy+static_int8_floatio+correct_bias")
    #expect(try Recipe.parse(recipe.name) == recipe)
    #expect(try Recipe.parse("percentile99.9+int16x8").calibration == .percentile(99.9))
    #expect(try Recipe.parse("weight_int4_b64").scheme == .weightOnly(bits: 4, block: 64))
    #expect(try Recipe.parse("dynamic_int8+correct_bias").needsCalibration)
  }

  @Test func recipesSurviveJSON() throws {
    for recipe in Recipe.all { #expect(try Recipe(json: recipe.json) == recipe) }
    forAll(count: 200) { rng in
      var recipe = rng.pick(Recipe.all)
      recipe.calibration = rng.pick([.minMax, .movingAverage, .percentile(99.5), .entropy])
      recipe.equalizes = rng.bool()
      recipe.correctsBias = rng.bool()
      recipe.minimumWeightElements = rng.int(1...5000)
      if recipe.scheme.isStatic { recipe.fallback = rng.pick([.float, .refuse]) }
      for _ in 0..<rng.int(0...3) {
        let selector: Override.Selector =
          rng.bool()
          ? .nodes(rng.pick(["a*", "block_1/?", "x"])) : .op(rng.pick(["Softmax", "Add"]))
        recipe.overrides.append(Override(selector, rng.pick([.float32, .int16x8, .dynamicInt8])))
      }
      if rng.bool() { recipe.givenName = "mine-\(rng.int(0...9))" }
      let text = recipe.json.text(pretty: true)
      try #require(try Recipe(json: JSON(parsing: text)) == recipe, "\(text)")
    }
  }

  @Test(arguments: [
    ("[]", "an object"), ("{}", "missing"), (#"{"scheme": "static_int4"}"#, "static_int8"),
    (#"{"scheme": "static_int8", "equalise": true}"#, "equalize"),
    (#"{"scheme": "static_int8", "equalize": 1}"#, "true or false"),
    (#"{"scheme": "static_int8", "fallback": "maybe"}"#, "refuse"),
    (#"{"scheme": "float16", "fallback": "refuse"}"#, "integers"),
    (#"{"scheme": "static_int8", "calibration": {"method": "max"}}"#, "minmax"),
    (
      #"{"scheme": "static_int8", "calibration": {"method": "mse", "percentile": 99}}"#,
      "that method"
    ),
    (#"{"scheme": "static_int8", "inputsAndOutputs": "int4"}"#, "uint8"),
    (#"{"scheme": "static_int8", "overrides": [{"scheme": "float32"}]}"#, "either"),
    (#"{"scheme": "static_int8", "overrides": [{"nodes": "a", "scheme": "x"}]}"#, "schemes are"),
    (#"{"scheme": "static_int8", "overrides": {"nodes": "a"}}"#, "array"),
    (#"{"scheme": "static_int8", "name": "../../evil"}"#, "letters"),
    (#"{"scheme": "static_int8", "minimumWeightElements": 0}"#, "at least 1"),
    (#"{"scheme": "static_int8", "schema": "assay.recipe/2"}"#, "assay.recipe/1"),
  ])
  func aBadFileIsExplained(text: String, words: String) throws {
    let fault = #expect(throws: Diagnostic.self) { try Recipe(json: JSON(parsing: text)) }
    let told = "\(fault.map { "\($0)" } ?? "")"
    #expect(fault?.code.hasPrefix("QNT") == true && told.contains(words), "\(told)")
  }

  @Test(arguments: [
    ("block_1/*", "block_1/conv", true), ("block_1/*", "block_10/conv", false), ("*", "", true),
    ("*conv*", "a/conv2/x", true), ("a?c", "abc", true), ("a?c", "ac", false), ("", "x", false),
    ("*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false), ("x", "x", true),
  ])
  func namesFitPatterns(pattern: String, name: String, fits: Bool) throws {
    var graph = Graph(name: "one")
    let x = graph.addInput("x", TensorType(.float32, [1, 4]))
    let weights = graph.addConstant("w", Tensor([Float](repeating: 0.5, count: 16), [4, 4]))
    graph.outputs = try graph.addNode(name, FullyConnected(), [x, weights])
    var recipe = Recipe.dynamicInt8
    recipe.minimumWeightElements = 1
    recipe.overrides = [Override(.nodes(pattern), .float32)]
    let (variant, diagnostics) = try Quantizer().apply(recipe, to: graph)
    #expect(variant.values.contains { $0.type.dtype == .int8 } != fits)
    #expect(diagnostics.map(\.code) == (fits ? [] : ["QNT016"]))
  }
}

struct ZeroBiasTests {
  @Test("a dense layer's bias of zeros is left out of float16, another is kept")
  func zeroBias() throws {
    for (bias, count) in [([Float](repeating: 0, count: 2), 1), ([0, 1], 2)] {
      var graph = Graph(name: "dense")
      let x = graph.addInput("x", TensorType(.float32, [1, 3]))
      let weights = graph.addConstant("w", Tensor([1, 2, 3, 4, 5, 6] as [Float], [2, 3]))
      let constant = graph.addConstant("b", Tensor(bias, [2]))
      graph.outputs = try graph.addNode("y", FullyConnected(), [x, weights, constant])
      let variant = try Quantizer().apply(.float16, to: graph, calibration: nil).graph
      #expect(variant.nodes.count { $0.op is Dequantize } == count)
      let input = ["x": Tensor([1, 1, 1] as [Float], [1, 3])]
      let result = try ReferenceEvaluator(variant).run(input)[0].tensor.floats()
      #expect(result == [6 + bias[0], 15 + bias[1]])
    }
  }
}
