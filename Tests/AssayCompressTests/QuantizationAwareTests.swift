import AssayAutodiff
import AssayBase
import AssayEvaluator
import AssayGraph
import AssayKernels
import AssayQuantize
import AssayRewrite
import AssayTensor
import AssayTestSupport
import Testing

@testable import AssayCompress

/// A network with filters of both kinds, a residual sum, a concatenation, a gate and a flatten.
func mixedNetwork(_ rng: inout SeededRNG) throws -> Graph {
  var graph = Graph(name: "mixed")
  let image = graph.addInput("image", TensorType(.float32, [1, 8, 8, 3]))
  let w1 = graph.addConstant("w1", rng.tensor([8, 3, 3, 3], scale: 0.3))
  let b1 = graph.addConstant("b1", rng.tensor([8], scale: 0.2))
  let a = try graph.addNode("conv", Conv2D(padding: .same, activation: .relu6), [image, w1, b1])[0]
  let w2 = graph.addConstant("w2", rng.tensor([1, 3, 3, 8], scale: 0.4))
  let b2 = graph.addConstant("b2", rng.tensor([8], scale: 0.2))
  let d = try graph.addNode("depthwise", DepthwiseConv2D(padding: .same), [a, w2, b2])[0]
  let s = try graph.addNode("sum", Binary(.add, activation: .relu), [a, d])[0]
  let gate = try graph.addNode("gate", Unary(.sigmoid), [d])[0]
  let scaled = try graph.addNode("scaled", Binary(.multiply), [s, gate])[0]
  let factor = graph.addConstant("factor", rng.tensor([8]))
  let shifted = try graph.addNode("shifted", Binary(.multiply), [scaled, factor])[0]
  let joined = try graph.addNode("joined", Concat(axis: 3), [shifted, s])[0]
  let pooled = try graph.addNode(
    "pool",
    Pool2D(.average, window: Size2D(2, 2), strides: Size2D(2, 2)),
    [joined]
  )[0]
  let flat = try graph.addNode("flat", Reshape([1, -1]), [pooled])[0]
  let w3 = graph.addConstant("w3", rng.tensor([10, 256], scale: 0.08))
  let b3 = graph.addConstant("b3", rng.tensor([10], scale: 0.1))
  let scores = try graph.addNode("scores", FullyConnected(), [flat, w3, b3])[0]
  graph.outputs = try graph.addNode("probabilities", Softmax(), [scores])
  return graph
}

/// Ranges from seeded noise.
func calibrated(_ graph: Graph, _ rng: inout SeededRNG) throws -> Calibration {
  let calibrator = try Calibrator(graph)
  for _ in 0..<4 { _ = try calibrator.observe(["image": rng.tensor([1, 8, 8, 3])]) }
  return calibrator.calibration
}

/// What a network computes as it is trained, without a step of training.
private func forward(_ graph: Graph, _ input: Tensor) throws -> [Float] {
  let model = try TrainableGraph(graph, batch: 1)
  let buffer = try #require(model.value(model.graph.inputs[0]))
  for (index, number) in input.floats().enumerated() { buffer[index] = number }
  try model.forward(training: false)
  return try #require(model.value(model.graph.outputs[0])).array
}

@Suite struct QuantizationAwareTests {
  /// The written network, as the evaluator predicts integer kernels, is within a step of the one
  /// that is trained.
  private func expectOneStep(
    _ network: QuantizationAwareNetwork,
    _ trained: Graph,
    _ rng: inout SeededRNG
  ) throws {
    let written = try network.written(after: trained).graph
    let step: Float = 1 / 256
    let evaluator = try Evaluator(written)
    for _ in 0..<4 {
      let input = rng.tensor([1, 8, 8, 3])
      let got = try evaluator.run(["image": input])[0].tensor.floats()
      // Probabilities leave the trained network without their last rounding.
      let expected = try forward(trained, input).map { ($0 / step).rounded() * step }
      let difference = largestDifference(got, expected).absolute
      try #require(difference <= step * 1.001, "\(difference)")
    }
  }

  @Test func theWrittenNetworkComputesWhatWasTrained() throws {
    forAll(count: 6) { rng in
      let graph = try mixedNetwork(&rng)
      let calibration = try calibrated(graph, &rng)
      let recipe = try Recipe.parse(rng.bool() ? "qat+static_int8_floatio" : "qat")
      var inner = recipe
      inner.boundary = .float
      let plan = try IntegerPlan(graph, inner, calibration)
      let network = try QuantizationAwareNetwork(plan, .movingAverage)
      try expectOneStep(network, network.graph, &rng)
      // Training moves weights and ranges; the plan of the integers follows.
      var moved = network.graph
      for index in moved.values.indices {
        guard let tensor = moved.values[index].constant, tensor.dtype == .float32,
          moved.values[index].name.hasPrefix("w") || moved.values[index].name.hasPrefix("range")
        else { continue }
        let factor = rng.uniform(0.8, 1.25)
        moved[ValueID(index)].constant = Tensor(tensor.floats().map { $0 * factor }, tensor.shape)
      }
      // Ranges that the specification fixes stay.
      for node in moved.nodes {
        guard let op = node.op as? FakeQuantize, op.range == .fixed, node.name.contains("gate")
        else { continue }
        for id in node.inputs.dropFirst().compactMap({ $0 }) {
          moved[id].constant = network.graph[id].constant
        }
      }
      try expectOneStep(network, moved, &rng)
    }
  }

  @Test func normalizationsStandBehindLayersAgain() throws {
    forAll(count: 6) { rng in
      let graph = try mixedNetwork(&rng)
      let calibration = try calibrated(graph, &rng)
      let plan = try IntegerPlan(graph, try Recipe.parse("qat"), calibration)
      let layers: Set = ["conv", "depthwise", "scores"]
      let samples = (0..<8).map { _ in ["image": rng.tensor([1, 8, 8, 3])] }
      let moments = try ChannelMoments.measured(graph, layers, samples: samples, threads: 1)
      try #require(Set(moments.keys) == layers)
      let plain = try QuantizationAwareNetwork(plan, .movingAverage)
      let live = try QuantizationAwareNetwork(plan, .movingAverage, normalized: moments)
      try #require(live.graph.nodes.count { $0.op is BatchNorm } == 3)
      // They change nothing at first, but for a rounding that tips.
      let input = rng.tensor([1, 8, 8, 3])
      let (a, b) = (try forward(plain.graph, input), try forward(live.graph, input))
      try #require(largestDifference(a, b).absolute < 0.02)
      // What training makes of them is folded into the file.
      var moved = live.graph
      for own in live.normalizations {
        for id in [own.gamma, own.beta, own.mean, own.variance] {
          guard let tensor = moved[id].constant else { continue }
          moved[id].constant = Tensor(
            tensor.floats().map { $0 * rng.uniform(0.8, 1.25) },
            tensor.shape
          )
        }
      }
      try expectOneStep(live, moved, &rng)
      let written = try live.written(after: moved).graph
      try #require(!written.nodes.contains { $0.op is BatchNorm })
    }
  }

  @Test func momentsAreThoseBeforeTheActivation() throws {
    var rng = SeededRNG(seed: 4)
    let graph = try mixedNetwork(&rng)
    let samples = (0..<3).map { _ in ["image": rng.tensor([1, 8, 8, 3])] }
    let own = try #require(
      try ChannelMoments.measured(graph, ["conv"], samples: samples, threads: 1)["conv"]
    )
    var bare = graph
    bare.nodes = [
      Node(
        name: "conv",
        op: Conv2D(padding: .same),
        inputs: graph.nodes[0].inputs,
        outputs: graph.nodes[0].outputs
      )
    ]
    bare.outputs = graph.nodes[0].outputs
    let evaluator = try Evaluator(bare)
    let sums = try samples.flatMap { try evaluator.run($0)[0].tensor.floats() }
    for channel in 0..<8 {
      let numbers = stride(from: channel, to: sums.count, by: 8).map { Double(sums[$0]) }
      let mean = numbers.reduce(0, +) / Double(numbers.count)
      let variance = numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(numbers.count)
      #expect(abs(Double(own.mean[channel]) - mean) < 1e-5)
      #expect(abs(Double(own.variance[channel]) - variance) < 1e-5)
    }
  }

  @Test func layersBeforeNormalizationsAreFound() throws {
    var graph = Graph(name: "found")
    var rng = SeededRNG(seed: 1)
    let image = graph.addInput("image", TensorType(.float32, [1, 4, 4, 2]))
    let w = graph.addConstant("w", rng.tensor([2, 1, 1, 2]))
    let ones = graph.addConstant("ones", Tensor([1, 1] as [Float], [2]))
    func normalized(_ value: ValueID, _ name: String) throws -> ValueID {
      try graph.addNode(name, BatchNorm(epsilon: 1e-3), [value, ones, ones, ones, ones])[0]
    }
    // Directly, behind a term, behind an activation, and with a second reader.
    let a = try normalized(try graph.addNode("a", Conv2D(), [image, w, nil])[0], "bn_a")
    let sum = try graph.addNode("b", Conv2D(), [a, w, nil])[0]
    let b = try normalized(try graph.addNode("term", Binary(.add), [sum, ones])[0], "bn_b")
    let c = try normalized(
      try graph.addNode("c", Conv2D(activation: .relu), [b, w, nil])[0],
      "bn_c"
    )
    let twice = try graph.addNode("d", Conv2D(), [c, w, nil])[0]
    let d = try normalized(twice, "bn_d")
    graph.outputs = [try graph.addNode("end", Binary(.add), [d, twice])[0]]
    #expect(graph.normalizedLayers() == ["a", "b"])
    #expect(try canonicalized(graph).nodes.filter { $0.op is Conv2D }.contains { $0.name == "a" })
  }

  @Test func thePlanWritesWhatTheQuantizerWrites() throws {
    var rng = SeededRNG(seed: 2)
    let graph = try mixedNetwork(&rng)
    let calibration = try calibrated(graph, &rng)
    for recipe in [Recipe.staticInt8, .staticInt8FloatIO, .staticInt8UInt8IO] {
      let expected = try Quantizer().apply(recipe, to: graph, calibration: calibration).graph
      let got = try IntegerPlan(graph, recipe, calibration).written(graph, ranges: [:]).graph
      #expect(got.dump() == expected.dump())
      for (a, b) in zip(got.values, expected.values) {
        #expect(a.type == b.type)
        #expect(a.constant?.bytes.array == b.constant?.bytes.array)
      }
    }
  }

  @Test func nothingOfTheTrainingIsWritten() throws {
    var rng = SeededRNG(seed: 2)
    let graph = try mixedNetwork(&rng)
    let recipe = try Recipe.parse("qat")
    let plan = try IntegerPlan(graph, recipe, try calibrated(graph, &rng))
    let network = try QuantizationAwareNetwork(plan, .learned)
    #expect(network.graph.nodes.contains { $0.op is FakeQuantize })
    let written = try network.written(after: network.graph).graph
    #expect(!written.nodes.contains { $0.op is any TrainingOperator })
    #expect(written.validate().isEmpty)
    #expect(written.inputs.map { written[$0].type.dtype } == [.int8])
    #expect(written.outputs.map { written[$0].type.dtype } == [.int8])
    #expect(!written.values.contains { $0.name.hasPrefix("range/") })
  }

  @Test func valuesOfOneScaleHaveOneRange() throws {
    var rng = SeededRNG(seed: 2)
    let graph = try mixedNetwork(&rng)
    let plan = try IntegerPlan(graph, try Recipe.parse("qat"), try calibrated(graph, &rng))
    let network = try QuantizationAwareNetwork(plan, .movingAverage)
    // Of the values that share a scale one finds the range; a range has one finder.
    var finders: [ValueID: Int] = [:]
    for node in network.graph.nodes {
      guard let op = node.op as? FakeQuantize, case .movingAverage = op.range else { continue }
      finders[node.inputs[1] ?? node.outputs[0], default: 0] += 1
    }
    #expect(!finders.isEmpty && finders.values.allSatisfy { $0 == 1 })
    // A reshape moves integers and rounds nothing.
    let flat = try #require(network.graph.nodes.first { $0.op is Reshape })
    let readers = network.graph.nodes.filter { $0.inputs.contains(flat.outputs[0]) }
    #expect(readers.allSatisfy { !($0.op is FakeQuantize) })
  }
}
