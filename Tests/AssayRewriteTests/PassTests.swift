import AssayBase
import AssayGraph
import AssayReference
import AssayRewrite
import AssayTensor
import AssayTestSupport
import Testing

/// A network that a test writes down: a chain of operators on one image.
struct Chain {
  var graph = Graph(name: "chain")
  var rng = SeededRNG(seed: 5)
  var last: ValueID

  init(_ shape: Shape = [1, 8, 8, 3]) { last = graph.addInput("x", TensorType(.float32, shape)) }

  var shape: Shape { graph[last].type.shape }

  mutating func weights(_ shape: Shape) -> ValueID {
    graph.addConstant("c\(graph.values.count)", rng.tensor(shape, scale: 0.5))
  }

  mutating func scalar(_ value: Float) -> ValueID {
    graph.addConstant("s\(graph.values.count)", Tensor([value], []))
  }

  @discardableResult
  mutating func add(_ op: any Operator, _ others: [ValueID?] = []) throws -> ValueID {
    last = try graph.addNode("n\(graph.nodes.count)", op, [last] + others)[0]
    return last
  }

  @discardableResult
  mutating func convolve(_ op: Conv2D = Conv2D(padding: .same), _ size: Int = 3) throws -> ValueID {
    let filter = weights([4, size, size, shape[3]])
    return try add(op, [filter])
  }

  @discardableResult
  mutating func normalize() throws -> ValueID {
    let c: Shape = [shape[-1]]
    let variance = graph.addConstant(
      "v\(graph.values.count)",
      Tensor((0..<c.count).map { _ in rng.uniform(0.5, 2) }, c)
    )
    return try add(BatchNorm(epsilon: 1e-3), [weights(c), weights(c), weights(c), variance])
  }

  /// The operators of the canonical form, after checking that it computes the same.
  mutating func canonicalOperators() throws -> [String] {
    if graph.outputs.isEmpty { graph.outputs = [last] }
    let canonical = try canonicalized(graph)
    let x = rng.tensor(graph[graph.inputs[0]].type.shape)
    let expected = try ReferenceEvaluator(graph).run(["x": x])
    let results = try ReferenceEvaluator(canonical).run(["x": x])
    #expect(results.map(\.name) == expected.map(\.name))
    for (a, b) in zip(results, expected) {
      #expect(largestDifference(a.tensor.floats(), b.tensor.floats()).relative < 1e-5)
    }
    return canonical.nodes.map { node in
      let activation = (node.op as? any ActivatingOperator)?.activation ?? .none
      let padding = node.op.attributes.first { $0.name == "padding" }?.value
      return node.op.name + (padding == "same" ? "/same" : "")
        + (activation == .none ? "" : "+\(activation.rawValue)")
    }
  }
}

@Suite struct PassTests {
  @Test func normalizationAndActivationGoIntoTheConvolutionBefore() throws {
    var chain = Chain()
    try chain.convolve()
    try chain.normalize()
    try chain.add(Unary(.relu6))
    #expect(try chain.canonicalOperators() == ["Conv2D/same+relu6"])
  }

  @Test func normalizationGoesIntoAnUnpaddedConvolutionAfter() throws {
    var chain = Chain()
    try chain.normalize()
    try chain.convolve(Conv2D(), 3)
    #expect(try chain.canonicalOperators() == ["Conv2D"])
  }

  @Test func normalizationBeforeAPaddedConvolutionStaysAsMulAndAdd() throws {
    var chain = Chain()
    try chain.normalize()
    try chain.convolve()
    #expect(try chain.canonicalOperators() == ["Mul", "Add", "Conv2D/same"])
  }

  @Test func rescalingWithoutOffsetGoesIntoAPaddedConvolution() throws {
    var chain = Chain()
    try chain.add(Binary(.multiply), [chain.scalar(1 / 127.5)])
    try chain.convolve()
    #expect(try chain.canonicalOperators() == ["Conv2D/same"])
  }

  @Test func rescalingWithOffsetStaysBeforeAPaddedConvolution() throws {
    var chain = Chain()
    try chain.add(Binary(.multiply), [chain.scalar(1 / 127.5)])
    try chain.add(Binary(.add), [chain.scalar(-1)])
    try chain.convolve()
    #expect(try chain.canonicalOperators() == ["Mul", "Add", "Conv2D/same"])
  }

  @Test func theOffsetOfADenseLayersInputBecomesBias() throws {
    var chain = Chain([3, 6])
    try chain.add(Binary(.multiply), [chain.scalar(0.5)])
    try chain.add(Binary(.subtract), [chain.weights([6])])
    try chain.add(FullyConnected(), [chain.weights([4, 6])])
    #expect(try chain.canonicalOperators() == ["FullyConnected"])
  }

  @Test func aValueWithTwoReadersIsNotTakenAway() throws {
    var chain = Chain()
    let convolved = try chain.convolve()
    let activated = try chain.add(Unary(.relu))
    chain.last = convolved
    try chain.add(Binary(.add), [activated])
    #expect(try chain.canonicalOperators() == ["Conv2D/same", "ReLU", "Add"])
  }

  @Test func anOutputInTheMiddleIsNotTakenAway() throws {
    var chain = Chain()
    let convolved = try chain.convolve()
    let normalized = try chain.normalize()
    chain.graph.outputs = [normalized, convolved]
    chain.graph.outputNames[convolved] = "raw"
    #expect(try chain.canonicalOperators() == ["Conv2D/same", "Mul", "Add"])
  }

  @Test func paddingOfMobileNetIsSame() throws {
    var chain = Chain()
    try chain.add(Pad(before: [0, 0, 0, 0], after: [0, 1, 1, 0]))
    try chain.convolve(Conv2D(strides: Size2D(2, 2)))
    #expect(try chain.canonicalOperators() == ["Conv2D/same"])
  }

  @Test func paddingOfResNetStays() throws {
    var chain = Chain()
    try chain.add(Pad(before: [0, 1, 1, 0], after: [0, 1, 1, 0]))
    try chain.convolve(Conv2D(strides: Size2D(2, 2)))
    #expect(try chain.canonicalOperators() == ["Pad", "Conv2D"])
  }

  @Test func explicitPaddingIsNamedOrWrittenAsPad() throws {
    var named = Chain()
    try named.convolve(Conv2D(padding: .explicit(top: 1, bottom: 1, left: 1, right: 1)))
    #expect(try named.canonicalOperators() == ["Conv2D/same"])
    var other = Chain()
    try other.convolve(Conv2D(padding: .explicit(top: 2, bottom: 0, left: 1, right: 1)))
    #expect(try other.canonicalOperators() == ["Pad", "Conv2D"])
  }

  @Test func oneDimensionalConvolutionsTakeTheirNormalizationThroughReshapes() throws {
    var chain = Chain([1, 8, 3])
    try chain.add(Reshape([1, 1, 8, 3]))
    try chain.add(Conv2D(), [chain.weights([4, 1, 3, 3])])
    try chain.add(Reshape([1, 6, 4]))
    try chain.normalize()
    try chain.add(Unary(.relu))
    try chain.add(Reshape([1, 1, 6, 4]))
    try chain.add(Conv2D(), [chain.weights([2, 1, 3, 4])])
    try chain.add(Reshape([1, 8]))
    #expect(try chain.canonicalOperators() == ["Reshape", "Conv2D+relu", "Conv2D", "Reshape"])
  }

  @Test func globalAveragePoolingDropsItsAxes() throws {
    var chain = Chain()
    try chain.add(Reduce(.mean, axes: [1, 2], keepsAxes: true))
    try chain.add(Reshape([1, 3]))
    #expect(try chain.canonicalOperators() == ["Mean"])
  }

  @Test func constantsAreComputed() throws {
    var chain = Chain([2, 3])
    let sum = try chain.graph.addNode(
      "sum",
      Binary(.add),
      [chain.weights([3]), chain.weights([3])]
    )
    try chain.add(Binary(.maximum), [sum[0]])
    #expect(try chain.canonicalOperators() == ["Maximum"])
  }

  @Test func dequantizedConstantsStay() throws {
    var chain = Chain([2, 3])
    let half = try #require(chain.rng.tensor([3]).converted(to: .float16))
    let constant = chain.graph.addConstant("half", half)
    let floats = try chain.graph.addNode("floats", Dequantize(), [constant])
    try chain.add(Binary(.maximum), [floats[0]])
    #expect(try chain.canonicalOperators() == ["Dequantize", "Maximum"])
  }

  @Test func productsWithAConstantMatrixAreDense() throws {
    var chain = Chain([2, 6])
    try chain.add(MatMul(), [chain.weights([6, 4])])
    try chain.add(Binary(.add), [chain.weights([4])])
    try chain.add(Unary(.relu))
    #expect(try chain.canonicalOperators() == ["FullyConnected+relu"])
  }

  @Test func channelsFirstNetworksLoseTheirTransposes() throws {
    var chain = Chain([1, 3, 8, 8])
    let toLast = Transpose([0, 2, 3, 1])
    let toFirst = Transpose([0, 3, 1, 2])
    try chain.add(toLast)
    try chain.convolve()
    let shortcut = try chain.add(toFirst)
    try chain.add(toLast)
    try chain.convolve()
    try chain.add(toFirst)
    try chain.add(Binary(.multiply), [chain.weights([4, 1, 1])])
    try chain.add(Binary(.add), [shortcut])
    try chain.add(Unary(.relu))
    try chain.add(Pad(before: [0, 0, 1, 0], after: [0, 0, 0, 0]))
    try chain.add(Reshape([1, 4 * 9 * 8]))
    try chain.add(FullyConnected(), [chain.weights([5, 4 * 9 * 8])])
    #expect(
      try chain.canonicalOperators() == [
        "Transpose", "Conv2D/same", "Conv2D/same", "Add+relu", "Pad", "Reshape", "FullyConnected",
      ]
    )
  }

  @Test func aGroupForEachChannelIsDepthwise() throws {
    var chain = Chain()
    try chain.add(Conv2D(), [chain.weights([6, 3, 3, 1])])
    #expect(try chain.canonicalOperators() == ["DepthwiseConv2D"])
  }

  @Test func hardSwishIsRecovered() throws {
    var chain = Chain()
    let x = chain.last
    try chain.add(Binary(.add), [chain.scalar(3)])
    try chain.add(Unary(.relu6))
    try chain.add(Binary(.divide), [chain.scalar(6)])
    try chain.add(Binary(.multiply), [x])
    #expect(try chain.canonicalOperators() == ["HardSwish"])
  }

  @Test func factorsAndTermsAreMerged() throws {
    var chain = Chain()
    try chain.add(Binary(.multiply), [chain.scalar(0.5)])
    try chain.add(Binary(.subtract), [chain.weights([3])])
    try chain.add(Binary(.divide), [chain.scalar(0.25)])
    try chain.add(Binary(.add), [chain.scalar(1)])
    #expect(try chain.canonicalOperators() == ["Mul", "Add"])
  }

  @Test func equalNodesAreShared() throws {
    var chain = Chain()
    let x = chain.last
    let first = try chain.add(Unary(.tanh))
    chain.last = x
    try chain.add(Unary(.tanh))
    try chain.add(Binary(.multiply), [first])
    #expect(try chain.canonicalOperators() == ["Tanh", "Mul"])
  }

  @Test func anIdentityBetweenInputAndOutputStays() throws {
    var chain = Chain()
    try chain.add(Reshape([1, 8, 8, 3]))
    #expect(try chain.canonicalOperators() == ["Reshape"])
  }

  @Test func quantizedGraphsAreLeftAsTheyAre() throws {
    let type = TensorType(.int8, [1, 4], quantization: Quantization(scale: 0.1, zeroPoint: 3))
    var graph = Graph(name: "quantized")
    let x = graph.addInput("x", type)
    let sum = try graph.addNode("sum", Binary(.add), [x, x])[0]
    graph[sum].type = type
    graph.outputs = try graph.addNode("activated", Unary(.relu), [sum])
    graph[graph.outputs[0]].type = TensorType(
      .int8,
      [1, 4],
      quantization: Quantization(scale: 0.2, zeroPoint: -128)
    )
    #expect(try canonicalized(graph).dump() == graph.dump())
  }

  @Test func aFaultyPassIsNamed() throws {
    struct Forgetful: GraphPass {
      let name = "Forgetful"
      func patch(for graph: Graph) throws -> GraphPatch {
        var patch = GraphPatch(graph)
        patch.remove(0)
        return patch
      }
    }
    struct Restless: GraphPass {
      let name = "Restless"
      func patch(for graph: Graph) throws -> GraphPatch {
        var patch = GraphPatch(graph)
        patch.replace(0, with: [graph.nodes[0]])
        return patch
      }
    }
    var chain = Chain()
    chain.graph.outputs = [try chain.add(Unary(.tanh))]
    let broken = #expect(throws: Diagnostic.self) { try chain.graph.rewritten(by: [Forgetful()]) }
    #expect(broken?.code == "GRF020")
    #expect(broken?.summary.contains("Forgetful") == true)
    let endless = #expect(throws: Diagnostic.self) { try chain.graph.rewritten(by: [Restless()]) }
    #expect(endless?.code == "GRF021")
  }
}
