import AssayBase
import AssayGraph
import AssayReference
import AssayTensor
import AssayTestSupport
import Testing

@testable import AssayRewrite

/// Projections and products of attention as exporters write them.
@Suite struct AttentionTests {
  private func count(_ graph: Graph, _ isWanted: (any Operator) -> Bool) -> Int {
    graph.nodes.count { isWanted($0.op) }
  }

  /// One projection to queries, keys and values, turned as PyTorch's attention layers turn it.
  private func attention(
    isSequenceFirst: Bool,
    usesSplit: Bool,
    usesGather: Bool = false,
    _ rng: inout SeededRNG
  ) throws -> Graph {
    let (length, heads, size) = (5, 2, 3)
    let width = heads * size
    var graph = Graph(name: "attention")
    let dims = isSequenceFirst ? [length, 1, width] : [1, length, width]
    let x = graph.addInput("x", TensorType(.float32, Shape(dims)))
    let weights = graph.addConstant("w", rng.tensor([3 * width, width]))
    let bias = graph.addConstant("b", rng.tensor([3 * width]))
    let qkv = try graph.addNode("qkv", FullyConnected(), [x, weights, bias])[0]
    var parts: [ValueID] = []
    if usesSplit {
      let sizes = [width, width, width]
      parts = try graph.addNode("split", Split(axis: 2, sizes: sizes), [qkv])
      for index in parts.indices {
        let cut = try graph.addNode(
          "heads\(index)",
          Reshape([1, length, heads, size]),
          [parts[index]]
        )[0]
        parts[index] = try graph.addNode("turn\(index)", Transpose([0, 2, 1, 3]), [cut])[0]
      }
    } else {
      let cut = try graph.addNode("cut", Reshape([1, length, 3, heads, size]), [qkv])[0]
      let turned = try graph.addNode("turned", Transpose([2, 0, 3, 1, 4]), [cut])[0]
      for index in 0..<3 where usesGather {
        let place = graph.addConstant("place\(index)", Tensor([Int64(index)], [], dtype: .int64))
        parts += try graph.addNode("part\(index)", Gather(axis: 0), [turned, place])
      }
      for index in 0..<3 where !usesGather {
        let row = try graph.addNode(
          "row\(index)",
          AssayGraph.Slice(
            begin: [index, 0, 0, 0, 0],
            sizes: [1, 1, heads, length, size]
          ),
          [turned]
        )[0]
        parts.append(
          try graph.addNode("part\(index)", Reshape([1, heads, length, size]), [row])[0]
        )
      }
    }
    let scale = graph.addConstant("scale", Tensor([Float(0.5)], [1, 1, 1, 1]))
    let scaled = try graph.addNode("scaled", Binary(.multiply), [parts[0], scale])[0]
    let keys = try graph.addNode("keys", Transpose([0, 1, 3, 2]), [parts[1]])[0]
    let scores = try graph.addNode("scores", MatMul(), [scaled, keys])[0]
    let shares = try graph.addNode("shares", Softmax(axis: -1), [scores])[0]
    let mixed = try graph.addNode("mixed", MatMul(), [shares, parts[2]])[0]
    let back = try graph.addNode("back", Transpose([0, 2, 1, 3]), [mixed])[0]
    let y = try graph.addNode("y", Reshape(dims), [back])[0]
    graph.outputs = [y]
    return graph
  }

  @Test(arguments: [(true, false), (false, false), (false, true)], [false, true])
  func projectionsAreOfTheirOwn(_ form: (Bool, Bool), _ usesGather: Bool) throws {
    let (isSequenceFirst, usesSplit) = form
    var rng = SeededRNG(seed: 31)
    let graph = try attention(
      isSequenceFirst: isSequenceFirst,
      usesSplit: usesSplit,
      usesGather: usesGather,
      &rng
    )
    let result = try checkedCanonical(graph, &rng)
    #expect(count(result) { $0 is FullyConnected } == 3)
    #expect(
      count(result) { $0 is AssayGraph.Slice || $0 is Gather || $0 is Split || $0 is Binary } == 0
    )
    // Queries, keys, values and the result: the product reads the keys as they lie.
    #expect(count(result) { $0 is Transpose } == 4)
    // Where the keys are turned anyway, they are turned to where the product wants them.
    #expect(usesSplit || result.nodes.contains { ($0.op as? MatMul)?.transposesB == true })
    #expect(try canonicalized(result).dump() == result.dump())
  }

  @Test func gathersAtEqualStepsAreSlices() throws {
    var rng = SeededRNG(seed: 35)
    for (places, dims, isSlice) in [
      ([1], [], true), ([-1], [], true), ([0, 1, 2], [3], true), ([1, 3], [2], true),
      ([2], [1, 1], true), ([3, 1], [2], false), ([1, 1], [2], false), ([0, 1, 3], [3], false),
    ] as [([Int64], Shape, Bool)] {
      var graph = Graph(name: "gather")
      let x = graph.addInput("x", TensorType(.float32, [2, 4, 3]))
      let indices = graph.addConstant("places", Tensor(places, dims, dtype: .int64))
      graph.outputs = try graph.addNode("taken", Gather(axis: 1), [x, indices])
      let result = try checkedCanonical(graph, &rng)
      #expect(count(result) { $0 is Gather } == (isSlice ? 0 : 1), "\(places)")
      #expect(count(result) { $0 is AssayGraph.Slice } == (isSlice ? 1 : 0), "\(places)")
    }
  }

  @Test func overlappingCutsStay() throws {
    var rng = SeededRNG(seed: 32)
    var graph = Graph(name: "overlap")
    let x = graph.addInput("x", TensorType(.float32, [2, 3]))
    let weights = graph.addConstant("w", rng.tensor([8, 3]))
    let whole = try graph.addNode("whole", FullyConnected(), [x, weights])[0]
    for (index, (begin, size)) in [(0, 6), (2, 6)].enumerated() {
      graph.outputs += try graph.addNode(
        "cut\(index)",
        AssayGraph.Slice(begin: [0, begin], sizes: [2, size]),
        [whole]
      )
    }
    let result = try checkedCanonical(graph, &rng)
    #expect(count(result) { $0 is FullyConnected } == 1)
  }

  @Test func cutsOfTurnedAndJoinedAxes() throws {
    var rng = SeededRNG(seed: 33)
    var earlier = 0
    for _ in 0..<300 {
      var graph = Graph(name: "cuts")
      let dims = (0..<rng.int(2...4)).map { _ in rng.int(1...4) }
      var id = graph.addInput("x", TensorType(.float32, Shape(dims)))
      id = try graph.addNode("abs", Unary(.abs), [id])[0]
      for step in 0..<rng.int(1...3) {
        let shape = graph[id].type.shape.dims
        if rng.bool() {
          var order = Array(shape.indices)
          for axis in order.indices { order.swapAt(axis, rng.int(0...shape.count - 1)) }
          id = try graph.addNode("turn\(step)", Transpose(order), [id])[0]
        } else {
          let count = shape.reduce(1, *)
          let divisors = (1...count).filter { count % $0 == 0 }
          let first = divisors[rng.int(0...divisors.count - 1)]
          id = try graph.addNode("shape\(step)", Reshape([first, count / first]), [id])[0]
        }
      }
      let shape = graph[id].type.shape.dims
      let axis = rng.int(0...shape.count - 1)
      guard shape[axis] > 1 else { continue }
      let middle = rng.int(1...shape[axis] - 1)
      for (number, range) in [0..<middle, middle..<shape[axis]].enumerated() {
        var (begin, sizes) = (shape.map { _ in 0 }, shape)
        (begin[axis], sizes[axis]) = (range.lowerBound, range.count)
        let cut = AssayGraph.Slice(begin: begin, sizes: sizes)
        graph.outputs += try graph.addNode("cut\(number)", cut, [id])
      }
      let result = try checkedCanonical(graph, &rng)
      if let first = result.nodes.first(where: { !($0.op is Unary) }), first.op is AssayGraph.Slice
      {
        earlier += 1
      }
    }
    #expect(earlier > 20)
  }
}
