import AssayBase
import AssayEvaluator
import AssayGraph
import AssayQuantize
import AssayTensor
import AssayTestSupport
import Testing

/// What the evaluator says of a variant against what LiteRT computes for its file
/// (Tests/Goldens/make_prediction_goldens.py).
@Suite struct PredictionTests {
  @Test(
    arguments: [
      // The least signal-to-noise ratio between prediction and LiteRT, in dB.
      ("static_int8_floatio", "default", 28), ("static_int8_floatio", "builtin", 28),
      ("int16x8_floatio", "builtin", 55), ("dynamic_int8", "default", 55),
      ("dynamic_int8", "builtin", 55), ("weight_int8", "default", 90),
      ("weight_int4", "builtin", 90),
    ] as [(String, String, Double)]
  )
  func theEvaluatorPredictsLiteRT(recipe: String, kernels: String, least: Double) throws {
    let path = TestData.package + "/Tests/Fixtures/Quantize/digits_litert.json"
    let golden = try JSON(parsing: try #require(MappedFile(path: path).view.utf8))
    let answer = try #require(golden[recipe]?[kernels]?.array).map { Float($0.double ?? .nan) }
    let original = try #require(golden["float32"]?["default"]?.array).map {
      Float($0.double ?? .nan)
    }
    let graph = try PeerTests.digits()
    let input = graph[graph.inputs[0]]
    let maker = VariantMaker(graph) { calibrator in
      for n in 0..<32 {
        try calibrator.observe([input.name: PeerTests.sample(n, input.type.shape)])
      }
    }
    // The ranges with which LiteRT's file was made.
    var exact = try Recipe.parse(recipe)
    exact.calibration = .minMax
    let evaluator = try Evaluator(try maker.make(exact).graph)
    var predicted: [Float] = []
    for n in 100..<108 {
      let sample = PeerTests.sample(n, input.type.shape)
      predicted += try evaluator.run([input.name: sample])[0].tensor.floats()
    }
    try #require(predicted.count == answer.count)
    #expect(sqnr(predicted, answer) > least, "\(sqnr(predicted, answer)) dB")
    // What is promised of the variant is what the runtime gives.
    let (promised, given) = (sqnr(predicted, original), sqnr(answer, original))
    #expect(abs(promised - given) < 3, "\(promised) dB promised, \(given) dB given")
  }

  @Test func weightsAloneWouldPromiseMoreThanHybridKernelsGive() throws {
    var rng = SeededRNG(seed: 12)
    var graph = Graph(name: "dense")
    let x = graph.addInput("x", TensorType(.float32, [3, 64]))
    let w = graph.addConstant("w", rng.tensor([32, 64]))
    graph.outputs = try graph.addNode("dense", FullyConnected(), [x, w])
    let variant = try Quantizer().apply(.dynamicInt8, to: graph).graph
    // Rows of different magnitude: a scale for each holds them all, one for all does not.
    let numbers = rng.tensor([3, 64]).floats().enumerated().map { $1 * [1, 100, 0.01][$0 / 64] }
    let sample = ["x": Tensor(numbers, [3, 64])]
    let want = try Evaluator(graph).run(sample)[0].tensor.floats()
    func got(_ hybrid: HybridKernels) throws -> [Float] {
      try Evaluator(variant, hybrid: hybrid).run(sample)[0].tensor.floats()
    }
    let (exact, rows, whole) = (try got(.none), try got(.liteRT), try got(.onnx))
    #expect(sqnr(exact, want) > sqnr(rows, want))
    let small = 64..<96
    #expect(sqnr(Array(rows[small]), Array(want[small])) > 35)
    #expect(sqnr(Array(whole[small]), Array(want[small])) < 15)
  }
}
