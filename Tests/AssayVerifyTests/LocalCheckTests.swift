import AssayBase
import AssayGraph
import AssayTensor
import AssayTestSupport
import Testing

@testable import AssayVerify

@Suite struct ValueBoundsTests {
  @Test func boundsFollowFromTheOperators() throws {
    var graph = Graph(name: "bounds")
    let x = graph.addInput("x", TensorType(.float32, [1, 4, 4, 2]))
    let relu = try graph.addNode("relu", Unary(.relu), [x])[0]
    let relu6 = try graph.addNode("relu6", Unary(.relu6), [x])[0]
    let pool = try graph.addNode("pool", Pool2D(.max, window: .one, strides: .one), [relu6])[0]
    let sum = try graph.addNode("sum", Binary(.add), [relu, relu6])[0]
    let joined = try graph.addNode("joined", Concat(axis: 3), [x, relu])[0]
    let three = graph.addConstant("three", Tensor([3.0 as Float], []))
    let moved = try graph.addNode("moved", Binary(.add), [relu6, three])[0]
    let tanh = try graph.addNode("tanh", Unary(.tanh), [x])[0]
    graph.outputs = [sum, joined, moved, tanh, pool]
    let bounds = ValueBounds(graph)
    #expect(bounds[x] == .any)
    #expect(bounds[relu] == .positive)
    #expect(bounds[relu6] == ValueBounds.Range(low: 0, high: 6))
    #expect(bounds[pool] == ValueBounds.Range(low: 0, high: 6))
    #expect(bounds[sum] == .positive)
    #expect(bounds[joined] == .any)
    #expect(bounds[moved] == ValueBounds.Range(low: 3, high: 9))
    #expect(bounds[tanh] == ValueBounds.Range(low: -1, high: 1))
    for id in [relu, relu6, moved, tanh, x] {
      var rng = SeededRNG(seed: 3)
      let like = Tensor([Float](repeating: 1, count: 32), [1, 4, 4, 2])
      let numbers = bounds.stressed(id, like: like, strength: 8, &rng).floats()
      #expect(numbers.allSatisfy { $0 >= bounds[id].low && $0 <= bounds[id].high })
      #expect(Set(numbers).count > 16)
    }
  }
}

@Suite struct LocalCheckTests {
  private func dense(_ activation: Activation, weight: Float = 0.01) throws -> Graph {
    var graph = Graph(name: "dense")
    let x = graph.addInput("x", TensorType(.float32, [1, 8]))
    let signs = (0..<32).map { $0 % 3 == 0 ? -weight : weight }
    let weights = graph.addConstant("w", Tensor(signs, [4, 8]))
    let first = try graph.addNode("first", FullyConnected(activation: activation), [x, weights])
    graph.outputs = try graph.addNode("second", Unary(.tanh), first)
    return graph
  }

  @Test func aBoundThatNoInputReachesIsFoundAllTheSame() throws {
    // Results are at most 0.08: nothing of the run comes near 6.
    let certificate = try Certificate.compare(
      original: dense(.relu6),
      variant: dense(.relu),
      probes: [Probe.seeded(dense(.relu), seed: 1)]
    )
    #expect(certificate.equal)
    #expect(certificate.suspects.map(\.node) == ["first"])
  }

  @Test func whatCanNotBeReachedIsNoFault() throws {
    // A rectifier behind a rectifier does nothing, whatever comes in.
    var twice = try dense(.relu)
    let one = try dense(.relu)
    let again = try twice.addNode("again", Unary(.relu), [twice.nodes[0].outputs[0]])
    twice.nodes.swapAt(1, 2)
    twice.nodes[2].inputs = [again[0]]
    let certificate = try Certificate.compare(
      original: twice,
      variant: one,
      probes: [Probe.seeded(one, seed: 1)]
    )
    #expect(certificate.equal)
    #expect(certificate.suspects.isEmpty, "\(certificate.text)")
  }

  @Test func aRangeThatIsTooSmallIsToldApartFromAFault() throws {
    func graph(_ scale: Float) throws -> Graph {
      var graph = try dense(.relu, weight: 1)
      let id = graph.nodes[0].outputs[0]
      graph[id].type.quantization = Quantization(scale: scale, zeroPoint: -128)
      graph[id].type.dtype = .int8
      return graph
    }
    let original = try dense(.relu, weight: 1)
    let probe = Probe(name: "ones", arrays: ["x": Tensor([Float](repeating: 1, count: 8), [1, 8])])
    let sound = try Certificate.compare(
      original: original,
      variant: graph(10 / 255),
      probes: [probe]
    )
    #expect(sound.suspects.isEmpty && sound.cutters.isEmpty, "\(sound.text)")
    let small = try Certificate.compare(
      original: original,
      variant: graph(2 / 255),
      probes: [probe]
    )
    #expect(small.suspects.isEmpty, "\(small.text)")
    #expect(small.cutters.map(\.node) == ["first"])
    #expect(small.operators.first?.local?.clipped == 0.25)
  }

  @Test func aReproductionHoldsTheOperatorAndItsInputs() throws {
    let original = try dense(.relu, weight: 1)
    let variant = try dense(.relu, weight: 2)
    let inputs = Probe.seeded(original, seed: 4).arrays
    let reproduction = try Reproduction(
      of: "first",
      original: original,
      variant: variant,
      inputs: inputs
    )
    #expect(reproduction.variant.nodes.map(\.name) == ["first"])
    #expect(reproduction.original?.nodes.map(\.name) == ["first"])
    #expect(reproduction.inputs.map(\.name) == ["x"])
    #expect(reproduction.inputs[0].tensor.floats() == inputs["x"]?.floats())
    let expected = reproduction.expected[0].tensor.floats()
    let found = reproduction.found[0].tensor.floats()
    for (a, b) in zip(expected, found) { #expect(abs(2 * a - b) < 1e-5) }
    #expect(throws: Diagnostic.self) {
      try Reproduction(of: "none", original: original, variant: variant, inputs: inputs)
    }
  }

  @Test func adversarialInputsAreZerosExtremesAndALoneOne() throws {
    let probes = Probe.adversarial(try dense(.relu))
    #expect(probes.map(\.name) == ["zeros", "extremes", "one-hot"])
    let values = probes.map { $0.arrays["x"]?.floats() ?? [] }
    #expect(values[0].allSatisfy { $0 == 0 })
    #expect(Set(values[1]) == [1, -1])
    #expect(values[2].reduce(0, +) == 1 && values[2].count { $0 == 0 } == 7)
  }

  @Test func wholeNumbersStayWithinTheTableThatTheyIndex() throws {
    var graph = Graph(name: "words")
    let ids = graph.addInput("ids", TensorType(.int32, [1, 64]))
    let table = graph.addConstant("table", Tensor([Float](repeating: 0, count: 30), [10, 3]))
    graph.outputs = try graph.addNode("words", Gather(axis: 0), [table, ids])
    for probe in [Probe.seeded(graph, seed: 1)] + Probe.adversarial(graph) {
      let values = try #require(probe.arrays["ids"]).integers()
      #expect(values.allSatisfy { (0..<10).contains($0) })
    }
    let seeded = try #require(Probe.seeded(graph, seed: 1).arrays["ids"])
    #expect(seeded.dtype == .int32)
    #expect(Set(seeded.integers()).count > 5)
  }
}
