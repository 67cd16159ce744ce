import AssayBase
import AssayCompress
import AssayGraph
import AssayQuantize
import AssayTensor
import AssayTestSupport
import Testing

private func matrix(_ rows: Int, _ columns: Int, isTransposed: Bool = false) -> LayerWeights {
  LayerWeights(
    node: "layer",
    op: "FullyConnected",
    value: ValueID(0),
    rows: rows,
    columns: columns,
    isTransposed: isTransposed
  )
}

@Suite struct PruningMaskTests {
  @Test func theLeastMagnitudesFallAndJustSoMany() {
    forAll { rng in
      let layer = matrix(rng.int(1...9), rng.int(1...20))
      let weights = rng.tensor([layer.count]).floats()
      let sparsity = Double(rng.int(0...100)) / 100
      let mask = PruningMask(weights, of: layer, .single, sparsity: sparsity)
      let count = Int((sparsity * Double(layer.count)).rounded())
      try #require(mask.keeps.count { !$0 } == count)
      let fallen = mask.keeps.indices.filter { !mask.keeps[$0] }.map { weights[$0].magnitude }
      let staying = mask.keeps.indices.filter { mask.keeps[$0] }.map { weights[$0].magnitude }
      try #require((fallen.max() ?? 0) <= (staying.min() ?? .infinity))
      var pruned = weights
      mask.apply(to: &pruned)
      try #require(pruned == zip(weights, mask.keeps).map { $1 ? $0 : 0 })
      // What is zero already is the first to fall again.
      let again = PruningMask(pruned, of: layer, .single, sparsity: sparsity)
      try #require(again == mask || fallen.contains(0) || staying.contains(0))
    }
  }

  @Test func ofEqualsTheFirstFall() {
    let mask = PruningMask([1, -1, 1, -1], of: matrix(1, 4), .single, sparsity: 0.5)
    #expect(mask.keeps == [false, false, true, true])
  }

  @Test func twoOfEachFourFall() {
    let weights: [Float] = [1, -4, 2, 3, 0.5, 0.1, -0.2, 0.3, 9]
    let mask = PruningMask(weights, of: matrix(1, 9), .part(zeros: 2, of: 4), sparsity: 0.5)
    #expect(mask.keeps == [false, true, false, true, true, false, false, true, true])
  }

  @Test func blocksFallWhole() {
    forAll { rng in
      let layer = matrix(rng.int(1...9), rng.int(1...20), isTransposed: rng.bool())
      let (rows, columns) = (rng.int(1...3), rng.int(1...5))
      let weights = rng.tensor([layer.count]).floats()
      let mask = PruningMask(
        weights,
        of: layer,
        .block(rows: rows, columns: columns),
        sparsity: 0.5
      )
      func keeps(_ row: Int, _ column: Int) -> Bool {
        mask.keeps[layer.isTransposed ? column * layer.rows + row : row * layer.columns + column]
      }
      var blocks: [[Int]: Bool] = [:]
      for row in 0..<layer.rows {
        for column in 0..<layer.columns {
          let block = [row / rows, column / columns]
          try #require(blocks[block] == nil || blocks[block] == keeps(row, column))
          blocks[block] = keeps(row, column)
        }
      }
      let fallen = blocks.values.count { !$0 }
      try #require(fallen == Int((0.5 * Double(blocks.count)).rounded()))
    }
  }
}

@Suite struct PruningScheduleTests {
  @Test func polynomialDecayIsThatOfTheToolkit() {
    // TensorFlow Model Optimization 0.8: PolynomialDecay(0.2, 0.8, 100, 500, 3, 50).
    let schedule = PruningSchedule(
      .polynomial(initial: 0.2, power: 3),
      begin: .step(100),
      end: .step(500),
      frequency: 50
    )
    let expected: [(step: Int, part: Double?)] = [
      (0, nil), (99, nil), (100, 0.2), (101, nil), (150, 0.398046875), (300, 0.725),
      (450, 0.798828125), (500, 0.8), (501, nil), (550, nil),
    ]
    for (step, part) in expected {
      let due = schedule.sparsity(0.8, at: step, of: 1000)
      #expect(due == nil ? part == nil : abs((due ?? 0) - (part ?? -1)) < 1e-12, "step \(step)")
    }
  }

  @Test func aConstantScheduleChoosesAgain() {
    let schedule = PruningSchedule(.constant, begin: .part(0.1), frequency: 30)
    let steps = (0..<100).filter { schedule.sparsity(0.5, at: $0, of: 100) != nil }
    #expect(steps == [10, 40, 70])
  }

  @Test func theEndIsReachedWhateverTheFrequency() {
    forAll { rng in
      let count = rng.int(1...500)
      let schedule = PruningSchedule(frequency: rng.int(1...100))
      let due = (0..<count).compactMap { schedule.sparsity(0.75, at: $0, of: count) }
      try #require(due.last == 0.75 && due == due.sorted(), "\(count)")
    }
  }
}

@Suite struct LayerRuleTests {
  private func network() throws -> Graph {
    var graph = Graph(name: "net")
    var x = graph.addInput("x", TensorType(.float32, [1, 4, 4, 2]))
    let first = graph.addConstant("f1", Tensor([Float](repeating: 1, count: 8), [4, 1, 1, 2]))
    x = try graph.addNode("first", Conv2D(), [x, first])[0]
    let depth = graph.addConstant("f2", Tensor([Float](repeating: 1, count: 4), [1, 1, 1, 4]))
    x = try graph.addNode("depth", DepthwiseConv2D(), [x, depth])[0]
    let second = graph.addConstant("f3", Tensor([Float](repeating: 1, count: 16), [4, 1, 1, 4]))
    x = try graph.addNode("again_a", Conv2D(), [x, second])[0]
    x = try graph.addNode("again_b", Conv2D(), [x, second])[0]
    x = try graph.addNode("flat", Reshape([1, -1]), [x])[0]
    let last = graph.addConstant("f4", Tensor([Float](repeating: 1, count: 128), [2, 64]))
    graph.outputs = try graph.addNode("last", FullyConnected(), [x, last])
    return graph
  }

  @Test func layersAreChosenByRule() throws {
    let graph = try network()
    func names(_ change: (inout LayerRule) -> Void) -> [String] {
      var rule = LayerRule()
      change(&rule)
      return graph.layerWeights(rule).map(\.node)
    }
    #expect(names { _ in } == ["first", "again_a", "last"])
    #expect(names { $0.sparesFirst = true } == ["again_a", "last"])
    #expect(names { $0.sparesLast = true } == ["first", "again_a"])
    #expect(names { $0.operators = ["depthwiseconv2d"] } == ["depth"])
    #expect(names { $0.nodes = ["*t"] } == ["first", "last"])
    #expect(names { $0.except = ["again*"] } == ["first", "last"])
    var rule = LayerRule()
    rule.operators = ["DepthwiseConv2D"]
    let depth = try #require(graph.layerWeights(rule).first)
    #expect(depth.rows == 4 && depth.columns == 1 && depth.isTransposed)
  }
}
