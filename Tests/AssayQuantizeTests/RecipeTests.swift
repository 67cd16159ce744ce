import AssayBase
import AssayGraph
import AssayQuantize
import AssayReference
import AssayTensor
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
        "static_int8_uint8io",
      ]
    )
  }

  @Test(arguments: [
    ("statc_int8", "QNT001", "static_int8"), ("float61", "QNT001", "float16"),
    ("prune50", "QNT002", "assay optimize"), ("qat+static_int8", "QNT002", "assay optimize"),
    ("float16+static_int8", "QNT001", "choose one"), ("", "QNT001", "recipes are"),
    ("cluster8", "QNT002", "cluster8"), ("prunes", "QNT001", "recipes are"),
  ])
  func anUnknownNameIsExplained(name: String, code: String, remedy: String) {
    let fault = #expect(throws: Diagnostic.self) { try Recipe.parse(name) }
    #expect(fault?.code == code)
    #expect(fault?.remedy?.contains(remedy) == true, "\(fault?.remedy ?? "")")
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
