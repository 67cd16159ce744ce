import AssayBase
import AssayCompress
import AssayEvaluator
import AssayGraph
import AssayQuantize
import AssayRewrite
import AssayTensor
import AssayTestSupport
import Testing

/// Both ways of leaving channels out compute the same.
private func expectEqual(_ graph: Graph, _ plan: ChannelPlan, _ rng: inout SeededRNG) throws {
  let small = try plan.shrunk()
  try #require(small.validate().isEmpty)
  try #require(small.cost.macs < graph.cost.macs || graph.cost.macs == 0)
  var fed: [String: Tensor] = [:]
  for id in graph.inputs { fed[graph[id].name] = rng.tensor(graph[id].type.shape) }
  let expected = try Evaluator(plan.masked()).run(fed)
  let got = try Evaluator(small).run(fed)
  for (a, b) in zip(got, expected) {
    try #require(a.name == b.name && a.tensor.shape == b.tensor.shape)
    let difference = largestDifference(a.tensor.floats(), b.tensor.floats())
    try #require(difference.relative < 1e-4, "\(a.name) differs by \(difference)")
  }
}

/// Builds small networks of named pieces.
private struct Net {
  var graph = Graph(name: "net")
  var rng = SeededRNG(seed: 11)

  mutating func input(_ shape: Shape) -> ValueID {
    graph.addInput("x", TensorType(.float32, shape))
  }

  mutating func add(_ name: String, _ op: any Operator, _ inputs: [ValueID]) throws -> ValueID {
    try graph.addNode(name, op, inputs)[0]
  }

  mutating func conv(_ name: String, _ x: ValueID, _ count: Int, window: Int = 3) throws -> ValueID
  {
    let channels = graph[x].type.shape[-1]
    let filter = graph.addConstant(name + "/w", rng.tensor([count, window, window, channels]))
    let bias = graph.addConstant(name + "/b", rng.tensor([count]))
    return try add(name, Conv2D(padding: .same, activation: .relu), [x, filter, bias])
  }

  mutating func dense(_ name: String, _ x: ValueID, _ count: Int) throws -> ValueID {
    let weights = graph.addConstant(name + "/w", rng.tensor([count, graph[x].type.shape[-1]]))
    return try add(name, FullyConnected(), [x, weights])
  }

  mutating func constant(_ shape: Shape) -> ValueID {
    graph.addConstant("c\(graph.values.count)", rng.tensor(shape))
  }
}

@Suite struct ChannelPlanTests {
  @Test func theSmallNetworkComputesWhatTheMaskedOneComputes() {
    var made = 0
    forAll(count: 150) { rng in
      var graph = try RandomGraph.make(&rng, length: 9)
      if rng.bool() { graph = try canonicalized(graph) }
      let sparsity = Double(rng.int(10...90)) / 100
      do {
        let plan = try ChannelPlan(graph, Pruning(sparsity, .channels))
        try expectEqual(graph, plan, &rng)
        made += 1
      } catch let fault as Diagnostic where fault.code == "CMP004" {}
    }
    #expect(made > 40, "\(made)")
  }

  @Test func aResidualNetworkWithFlattenShrinksEverywhere() throws {
    var net = Net()
    var rng = SeededRNG(seed: 4)
    let x = net.input([1, 8, 8, 3])
    let stem = try net.conv("stem", x, 8)
    var y = try net.conv("a", stem, 12)
    y = try net.conv("b", y, 8)
    y = try net.add("sum", Binary(.add, activation: .relu), [y, stem])
    let depth = net.constant([1, 3, 3, 16])
    y = try net.add("depth", DepthwiseConv2D(padding: .same), [y, depth])
    let gamma = net.constant([16])
    let variance = net.graph.addConstant("v", Tensor([Float](repeating: 1, count: 16), [16]))
    y = try net.add("norm", BatchNorm(epsilon: 1e-3), [y, gamma, gamma, gamma, variance])
    y = try net.add("pool", Pool2D(.max, window: Size2D(2, 2), strides: Size2D(2, 2)), [y])
    let other = try net.conv("c", y, 6)
    y = try net.add("join", Concat(axis: -1), [y, other])
    y = try net.add("flat", Reshape([1, -1]), [y])
    y = try net.dense("hidden", y, 10)
    net.graph.outputs = [try net.dense("last", y, 5)]
    let plan = try ChannelPlan(net.graph, Pruning(0.5, .channels))
    #expect(
      plan.losses == [
        .init(node: "stem", before: 8, after: 4), .init(node: "a", before: 12, after: 6),
        .init(node: "b", before: 8, after: 4), .init(node: "c", before: 6, after: 3),
        .init(node: "hidden", before: 10, after: 5),
      ]
    )
    try expectEqual(net.graph, plan, &rng)
    let small = try plan.shrunk()
    let weights = small.values.first { $0.name == "hidden/w" }?.type.shape
    #expect(weights == [5, 4 * 4 * (8 + 3)])
  }

  @Test func partsOfChannelsThatAreReadAloneAreFollowed() throws {
    var net = Net()
    var rng = SeededRNG(seed: 4)
    let x = net.input([1, 6, 6, 2])
    let stem = try net.conv("stem", x, 12)
    let parts = try net.graph.addNode("split", Split(axis: 3, sizes: [4, 8]), [stem])
    let slice = Slice(begin: [0, 1, 0, 2], sizes: [1, 5, 6, 5])
    let a = try net.add("slice", slice, [parts[1]])
    let scale = try net.add("mean", Reduce(.mean, axes: [1, 2], keepsAxes: true), [parts[0]])
    let b = try net.add("scaled", Binary(.multiply), [parts[0], scale])
    let c = try net.add("up", Resize2D(.nearest, size: Size2D(6, 6)), [a])
    let join = try net.add("join", Concat(axis: 3), [b, c])
    net.graph.outputs = [try net.conv("last", join, 3)]
    for sparsity in [0.2, 0.5, 0.9] {
      let plan = try ChannelPlan(net.graph, Pruning(sparsity, .channels))
      #expect(plan.losses.map(\.node) == ["stem"])
      try expectEqual(net.graph, plan, &rng)
    }
  }

  @Test func sharedWeightsAreCutOnceForAll() throws {
    var net = Net()
    var rng = SeededRNG(seed: 4)
    let x = net.input([1, 6, 6, 4])
    let filter = net.constant([4, 3, 3, 4])
    let stem = try net.conv("stem", x, 4)
    let a = try net.add("a", Conv2D(padding: .same), [stem, filter])
    let b = try net.add("b", Conv2D(padding: .same), [a, filter])
    net.graph.outputs = [try net.conv("last", b, 3)]
    let plan = try ChannelPlan(net.graph, Pruning(0.5, .channels))
    try expectEqual(net.graph, plan, &rng)
  }

  @Test func whatIsReadAsAWholeStays() throws {
    var net = Net()
    let x = net.input([1, 6, 6, 4])
    let a = try net.conv("a", x, 4)
    let b = try net.add("softmax", Softmax(), [a])
    net.graph.outputs = [try net.conv("last", b, 3)]
    let graph = net.graph
    let fault = #expect(throws: Diagnostic.self) {
      _ = try ChannelPlan(graph, Pruning(0.5, .channels))
    }
    #expect(fault?.code == "CMP004")
  }

  @Test func aRuleSparesLayersAndWhatHangsTogetherWithThem() throws {
    var net = Net()
    let x = net.input([1, 6, 6, 4])
    let a = try net.conv("a", x, 4)
    let b = try net.conv("b", a, 4)
    let sum = try net.add("sum", Binary(.add), [a, b])
    let c = try net.conv("c", sum, 6)
    net.graph.outputs = [try net.conv("last", c, 3)]
    var pruning = Pruning(0.5, .channels)
    pruning.layers.except = ["a"]
    #expect(try ChannelPlan(net.graph, pruning).losses.map(\.node) == ["c"])
  }

  @Test func theWeakestChannelsLeave() throws {
    var graph = Graph(name: "net")
    let x = graph.addInput("x", TensorType(.float32, [1, 2]))
    let first = graph.addConstant("w1", Tensor([9, 9, 1, -1, -5, 5, 0, 2] as [Float], [4, 2]))
    let last = graph.addConstant("w2", Tensor([1, 2, 3, 4] as [Float], [1, 4]))
    let hidden = try graph.addNode("hidden", FullyConnected(), [x, first])[0]
    graph.outputs = try graph.addNode("last", FullyConnected(), [hidden, last])
    let small = try ChannelPlan(graph, Pruning(0.5, .channels)).shrunk()
    #expect(small[first].constant?.floats() == [9, 9, -5, 5])
    #expect(small[last].constant?.floats() == [1, 3])
  }
}
