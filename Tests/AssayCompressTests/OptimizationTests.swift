import AssayAutodiff
import AssayBase
import AssayCompress
import AssayEvaluator
import AssayGraph
import AssayHost
import AssayKernels
import AssayQuantize
import AssayTensor
import AssayTestSupport
import AssayTrain
import Testing

/// Images whose class is the quarter that is brightest.
private final class Quarters: BatchSource {
  let batchesPerEpoch = 20
  let identity = "quarters"
  /// The step at which the power goes.
  var end = Int.max

  func fill(_ batch: Batch, step: Int) throws {
    guard step < end else { throw Diagnostic("TST001", "the power went") }
    var rng = SeededRNG(seed: UInt64(step + 1))
    for slot in 0..<batch.capacity {
      let label = rng.int(0...3)
      let image = Self.image(label, &rng)
      for (index, number) in image.enumerated() {
        batch.inputs[0][slot * image.count + index] = number
      }
      for index in 0..<4 { batch.targets[0][slot * 4 + index] = index == label ? 1 : 0 }
    }
  }

  static func image(_ label: Int, _ rng: inout SeededRNG) -> [Float] {
    (0..<64).map { place in
      let (row, column) = (place / 8, place % 8)
      let isBright = row / 4 == label / 2 && column / 4 == label % 2
      return rng.normal() * 0.6 + (isBright ? 1 : 0)
    }
  }

  static func accuracy(_ graph: Graph) throws -> Double {
    let evaluator = try Evaluator(graph)
    var rng = SeededRNG(seed: 99)
    var right = 0
    for _ in 0..<200 {
      let label = rng.int(0...3)
      let image = Tensor(image(label, &rng), [1, 8, 8, 1])
      let scores = try evaluator.run(["image": image])[0].tensor.floats()
      right += scores.firstIndex(of: scores.max() ?? 0) == label ? 1 : 0
    }
    return Double(right) / 200
  }

  static func calibrate(_ calibrator: Calibrator) throws {
    var rng = SeededRNG(seed: 5)
    for label in 0..<8 {
      _ = try calibrator.observe(["image": Tensor(image(label % 4, &rng), [1, 8, 8, 1])])
    }
  }
}

private func network() throws -> Graph {
  var rng = SeededRNG(seed: 7)
  var graph = Graph(name: "quarters")
  let image = graph.addInput("image", TensorType(.float32, [1, 8, 8, 1]))
  let w1 = graph.addConstant("w1", rng.tensor([16, 3, 3, 1], scale: 0.3))
  let b1 = graph.addConstant("b1", Tensor([Float](repeating: 0, count: 16), [16]))
  let a = try graph.addNode("conv", Conv2D(padding: .same, activation: .relu), [image, w1, b1])[0]
  let pool = Pool2D(.max, window: Size2D(2, 2), strides: Size2D(2, 2))
  let p = try graph.addNode("pool", pool, [a])[0]
  let flat = try graph.addNode("flat", Reshape([1, 256]), [p])[0]
  let w2 = graph.addConstant("w2", rng.tensor([32, 256], scale: 0.06))
  let b2 = graph.addConstant("b2", Tensor([Float](repeating: 0, count: 32), [32]))
  let h = try graph.addNode("hidden", FullyConnected(activation: .relu), [flat, w2, b2])[0]
  let w3 = graph.addConstant("w3", rng.tensor([4, 32], scale: 0.2))
  let b3 = graph.addConstant("b3", Tensor([Float](repeating: 0, count: 4), [4]))
  let scores = try graph.addNode("scores", FullyConnected(), [h, w3, b3])[0]
  graph.outputs = try graph.addNode("probabilities", Softmax(), [scores])
  return graph
}

private func optimized(
  _ recipe: String,
  epochs: Int = 2,
  source: Quarters = Quarters(),
  folder: String? = nil,
  from graph: Graph? = nil,
  normalized: Set<String> = []
) throws -> Optimization.Outcome {
  var tuning = FineTuning(
    epochs: epochs,
    batch: 16,
    learningRate: 3e-3,
    loss: .categoricalCrossEntropy
  )
  tuning.folder = folder
  return try Optimization(
    try graph ?? network(),
    try Recipe.parse(recipe),
    tuning,
    source: source,
    calibrate: Quarters.calibrate,
    normalized: normalized
  ).run()
}

private func report(_ graph: Graph) -> [String: LayerReport] {
  Dictionary(LayerReport.all(of: graph).map { ($0.node, $0) }) { first, _ in first }
}

@Suite struct OptimizationTests {
  @Test func halfOfTheWeightsAreZeroAndTheNetworkLearns() throws {
    let outcome = try optimized("prune50")
    #expect(outcome.steps == 40)
    for layer in report(outcome.graph).values { #expect(layer.zeros * 2 == layer.count) }
    #expect(try Quarters.accuracy(outcome.graph) > 0.95)
  }

  @Test func aConstantScheduleAndPatternsHoldToo() throws {
    let outcome = try optimized("prune50_2x4")
    let hidden = try #require(outcome.graph.values.first { $0.name == "w2" }?.constant?.floats())
    for start in stride(from: 0, to: hidden.count, by: 4) {
      #expect(hidden[start..<start + 4].count { $0 == 0 } == 2)
    }
    #expect(try Quarters.accuracy(outcome.graph) > 0.95)
  }

  @Test func channelsLeaveAndTheRestLearns() throws {
    let outcome = try optimized("prune50_channels", epochs: 4)
    #expect(outcome.losses.map(\.after) == [8, 16])
    #expect(outcome.graph.cost.macs < (try network()).cost.macs * 6 / 10)
    #expect(try Quarters.accuracy(outcome.graph) > 0.9)
  }

  @Test func clustersStayEqualAndTheirValuesMove() throws {
    let trained = try optimized("prune50").graph
    var clustered = Compressor(trained, seed: 1)
    try clustered.change(by: .cluster(Clustering(8)))
    let outcome = try optimized("cluster8", from: trained)
    for (node, layer) in report(outcome.graph) {
      #expect(layer.values <= 8, "\(node)")
    }
    let values = { (graph: Graph) in
      Set(graph.values.first { $0.name == "w2" }?.constant?.floats() ?? [])
    }
    #expect(values(outcome.graph).isDisjoint(with: values(clustered.graph)))
    #expect(try Quarters.accuracy(outcome.graph) > 0.9)
  }

  @Test func eachStepKeepsWhatTheOneBeforeMade() throws {
    let outcome = try optimized("prune50+cluster8+qat")
    for layer in report(outcome.graph).values {
      #expect(layer.zeros * 2 == layer.count && layer.values <= 8, "\(layer)")
    }
    let integers = try #require(outcome.integers)
    for layer in report(integers).values {
      // A value next to zero may round to it.
      #expect(layer.zeros * 2 >= layer.count && layer.values <= 8, "\(layer)")
    }
    #expect(outcome.steps == 120)
    #expect(try Quarters.accuracy(integers) > 0.93)
  }

  @Test(arguments: ["qat", "qat_learned", "prune50_2x4+qat"])
  func theIntegersAreThoseThatWereTrained(recipe: String) throws {
    let outcome = try optimized(recipe)
    let integers = try #require(outcome.integers)
    #expect(integers.outputs.map { integers[$0].type.dtype } == [.int8])
    #expect(try Quarters.accuracy(integers) > 0.95)
  }

  @Test(arguments: ["qat", "qat_learned", "prune50+qat", "cluster8+qat"])
  func normalizationsFollowTheBatchesAtFirst(recipe: String) throws {
    let layers: Set = ["conv", "hidden"]
    let trained = try optimized("prune50").graph
    let plain = try optimized(recipe, epochs: 3, from: trained)
    let live = try optimized(recipe, epochs: 3, from: trained, normalized: layers)
    let integers = try #require(live.integers)
    #expect(try Quarters.accuracy(integers) > 0.93)
    #expect(try Quarters.accuracy(live.graph) > 0.93)
    #expect(integers.nodes.map(\.op.name) == plain.integers?.nodes.map(\.op.name))
    for layer in report(live.graph).values {
      if recipe.hasPrefix("prune") { #expect(layer.zeros * 2 == layer.count) }
      if recipe.hasPrefix("cluster") { #expect(layer.values <= 8) }
    }
    // Clusters stand against normalizations; everything else is trained another way.
    #expect((integers.dump() == plain.integers?.dump()) == recipe.hasPrefix("cluster"))
  }

  @Test(arguments: [13, 31])
  func normalizationsStandStillAgainAfterAKill(step: Int) throws {
    let folder = try Host.makeTemporaryFolder("optimize")
    defer { try? Host.remove(folder) }
    let layers: Set = ["conv", "hidden"]
    let whole = try optimized("qat", normalized: layers)
    let source = Quarters()
    source.end = step
    #expect(throws: Diagnostic.self) {
      try optimized("qat", source: source, folder: folder, normalized: layers)
    }
    source.end = Int.max
    let resumed = try optimized("qat", source: source, folder: folder, normalized: layers)
    for (x, y) in zip(whole.graph.values, resumed.graph.values) {
      #expect(x.constant?.bytes.array == y.constant?.bytes.array, "\(x.name)")
    }
  }

  @Test func theSameSeedGivesTheSameWeights() throws {
    let (a, b) = (try optimized("prune50+qat", epochs: 1), try optimized("prune50+qat", epochs: 1))
    for (x, y) in zip(a.graph.values, b.graph.values) {
      #expect(x.constant?.bytes.array == y.constant?.bytes.array)
    }
  }

  @Test(arguments: [7, 23, 45, 61])
  func aKilledRunGoesOnToTheSameWeights(step: Int) throws {
    let folder = try Host.makeTemporaryFolder("optimize")
    defer { try? Host.remove(folder) }
    let whole = try optimized("prune50+cluster8")
    // Steps count anew in each of both trainings.
    let source = Quarters()
    let isSecond = step >= 40
    source.end = isSecond ? Int.max : step
    if isSecond {
      _ = try optimized("prune50", source: source, folder: folder)
      source.end = step - 40
    }
    #expect(throws: Diagnostic.self) {
      try optimized("prune50+cluster8", source: source, folder: folder)
    }
    source.end = Int.max
    let resumed = try optimized("prune50+cluster8", source: source, folder: folder)
    for (x, y) in zip(whole.graph.values, resumed.graph.values) {
      #expect(x.constant?.bytes.array == y.constant?.bytes.array, "\(x.name)")
    }
  }

  @Test func aRateThatIsTooGreatIsSaid() throws {
    var tuning = FineTuning(
      epochs: 2,
      batch: 16,
      learningRate: 1e38,
      loss: .categoricalCrossEntropy
    )
    tuning.metrics = []
    let fault = #expect(throws: Diagnostic.self) {
      try Optimization(
        try network(),
        try Recipe.parse("prune50"),
        tuning,
        source: Quarters(),
        calibrate: { _ in }
      ).run()
    }
    #expect(fault?.code == "CMP008" && fault?.remedy?.contains("--learning-rate") == true)
  }

  @Test func noLayerIsAFault() throws {
    var recipe = try Recipe.parse("cluster8")
    var clustering = Clustering(8)
    clustering.layers.nodes = ["nothing*"]
    recipe.training = [.cluster(clustering)]
    let tuning = FineTuning(epochs: 1, loss: .categoricalCrossEntropy)
    let fault = #expect(throws: Diagnostic.self) {
      try Optimization(
        try network(),
        recipe,
        tuning,
        source: Quarters(),
        calibrate: { _ in }
      ).run()
    }
    #expect(fault?.code == "CMP002")
  }
}
