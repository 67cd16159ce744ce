import AssayBase
import AssayGraph
import AssayReference
import AssayTensor
import Testing

@Suite("Other batches") struct BatchTests {
  /// Convolution, pooling, a reshape with the batch written into it, a dense layer, softmax.
  private func network(reshape: [Int] = [1, 8]) throws -> Graph {
    var graph = Graph(name: "net")
    let x = graph.addInput("x", TensorType(.float32, [1, 4, 4, 2]))
    let filter = graph.addConstant(
      "filter",
      Tensor((0..<36).map { Float($0 % 5) - 2 }, [2, 3, 3, 2])
    )
    let a = try graph.addNode("conv", Conv2D(padding: .same, activation: .relu), [x, filter])
    let b = try graph.addNode("pool", Pool2D(.max, window: Size2D(2, 2), strides: Size2D(2, 2)), a)
    let c = try graph.addNode("flat", Reshape(reshape), b)
    let weights = graph.addConstant("weights", Tensor((0..<24).map { Float($0 % 7) / 7 }, [3, 8]))
    let d = try graph.addNode("dense", FullyConnected(), [c[0], weights])
    graph.outputs = try graph.addNode("softmax", Softmax(), d)
    return graph
  }

  private func items(_ count: Int) -> [Float] {
    (0..<count * 32).map { Float(($0 * 7919) % 13) / 13 }
  }

  @Test("each item of a batch comes out as it does alone")
  func equality() throws {
    let one = try network()
    for count in [1, 2, 5] {
      let many = try one.batched(count)
      #expect(many.validate() == [])
      #expect(many[many.outputs[0]].type.shape == Shape([count, 3]))
      let all = items(count)
      let whole = try ReferenceEvaluator(many).run(["x": Tensor(all, Shape([count, 4, 4, 2]))])
      var alone: [Float] = []
      for index in 0..<count {
        let part = Array(all[index * 32..<(index + 1) * 32])
        let result = try ReferenceEvaluator(one).run(["x": Tensor(part, [1, 4, 4, 2])])
        alone += try #require(result.first).tensor.floats()
      }
      #expect(try #require(whole.first).tensor.floats() == alone)
    }
  }

  @Test("a reshape that leaves one extent open is taken as it is")
  func open() throws {
    #expect(try network(reshape: [-1, 8]).batched(3).validate() == [])
  }

  /// What a network of one item makes of each of `count` items alone, and of all at once.
  private func outputs(_ one: Graph, _ count: Int) throws -> (alone: [Float], whole: [Float]) {
    let type = one[one.inputs[0]].type
    let size = type.shape.count
    let all = (0..<count * size).map { Float(($0 * 7919) % 13) / 13 - 0.3 }
    var alone: [Float] = []
    for index in 0..<count {
      let part = Tensor(Array(all[index * size..<(index + 1) * size]), type.shape)
      alone += try #require(ReferenceEvaluator(one).run(["x": part]).first).tensor.floats()
    }
    let many = try one.batched(count)
    #expect(many.validate() == [])
    let dims = [count] + type.shape.dims.dropFirst()
    let whole = try ReferenceEvaluator(many).run(["x": Tensor(all, Shape(dims))])
    return (alone, try #require(whole.first).tensor.floats())
  }

  @Test("items that a reshape joins with another axis stay apart")
  func joined() throws {
    // A series through a dense layer by rows, as converters write it.
    var graph = Graph(name: "rows")
    let x = graph.addInput("x", TensorType(.float32, [1, 5, 2]))
    let image = try graph.addNode("image", Reshape([1, 1, 5, 2]), [x])
    let rows = try graph.addNode("rows", Reshape([5, 2]), image)
    let weights = graph.addConstant("weights", Tensor([Float]([1, 2, -3, 4, 5, -6]), [3, 2]))
    let dense = try graph.addNode("dense", FullyConnected(), [rows[0], weights])
    let back = try graph.addNode("back", Reshape([1, 5, 3]), dense)
    graph.outputs = try graph.addNode("sum", Reduce(.sum, axes: [1], keepsAxes: false), back)
    for count in [2, 3, 5] {
      let (alone, whole) = try outputs(graph, count)
      #expect(alone == whole)
    }
    let four = try graph.batched(4)
    #expect(four[four.outputs[0]].type.shape == [4, 3])
    // And back: from four items to two, and to one.
    #expect(try four.batched(2).validate() == [])
    #expect(try four.batched(1).nodes.map { "\($0.op)" } == graph.nodes.map { "\($0.op)" })
  }

  @Test("a constant beside the items is repeated for each")
  func constants() throws {
    var graph = Graph(name: "token")
    let x = graph.addInput("x", TensorType(.float32, [1, 2, 2]))
    let token = graph.addConstant("token", Tensor([Float]([7, 8]), [1, 1, 2]))
    let all = try graph.addNode("all", Concat(axis: 1), [token, x])
    graph.outputs = try graph.addNode("soft", Softmax(), all)
    let (alone, whole) = try outputs(graph, 3)
    #expect(alone == whole)

    var layer = Graph(name: "recurrent")
    let sequence = layer.addInput("x", TensorType(.float32, [1, 3, 2]))
    let w = layer.addConstant("w", Tensor([Float]([0.1, 0.2, -0.3, 0.4]), [2, 2]))
    let r = layer.addConstant("r", Tensor([Float]([0.3, -0.1, 0.2, 0.5]), [2, 2]))
    let h = layer.addConstant("h", Tensor([Float]([0.7, -0.7]), [1, 2]))
    layer.outputs = [
      try layer.addNode("rnn", Recurrent(.simple), [sequence, w, r, nil, nil, h])[1]
    ]
    let states = try outputs(layer, 4)
    #expect(states.alone == states.whole)
  }

  private func refusal(
    _ shape: Shape = [1, 4],
    _ build: (inout Graph, ValueID) throws -> [ValueID]
  ) throws -> String {
    var graph = Graph(name: "net")
    let x = graph.addInput("x", TensorType(.float32, shape))
    graph.outputs = try build(&graph, x)
    do {
      _ = try graph.batched(2)
      return "accepted"
    } catch let fault as Diagnostic {
      #expect(fault.code == "GRF030")
      return fault.summary
    }
  }

  @Test("operators that mix the items are refused by name")
  func refusals() throws {
    #expect(try refusal { try $0.addNode("turn", Transpose([1, 0]), [$1]) }.contains("'turn'"))
    #expect(try refusal { try $0.addNode("soft", Softmax(axis: 0), [$1]) }.contains("'soft'"))
    #expect(try refusal { try $0.addNode("twice", Tile([2, 1]), [$1]) }.contains("'twice'"))
    #expect(
      try refusal {
        let more = $0.addConstant("more", Tensor([Float](repeating: 1, count: 4), [1, 4]))
        return try $0.addNode("join", Concat(axis: 0), [$1, more])
      }.contains("'join'")
    )
    #expect(
      try refusal {
        try $0.addNode("all", Reduce(.mean, axes: [0, 1], keepsAxes: true), [$1])
      }.contains("'all'")
    )
    #expect(
      try refusal { try $0.addNode("gram", MatMul(transposesB: true), [$1, $1]) }.contains("'gram'")
    )
    // Two items would be broadcast along the axis of two features.
    #expect(
      try refusal([1, 2]) {
        let sum = try $0.addNode("sum", Reduce(.sum, axes: [1], keepsAxes: false), [$1])
        return try $0.addNode("less", Binary(.subtract), [$1, sum[0]])
      }.contains("'less'")
    )
  }

  @Test("inputs without an axis for the items are refused, and so is a batch of none")
  func inputs() throws {
    var graph = Graph(name: "net")
    let x = graph.addInput("x", TensorType(.float32, [3, 4]))
    let y = graph.addInput("y", TensorType(.float32, [1, 4]))
    graph.outputs = try graph.addNode("sum", Binary(.add), [x, y])
    #expect(throws: Diagnostic.self) { try graph.batched(2) }
    #expect(throws: Diagnostic.self) { try self.network().batched(0) }
    // Three items that stay three may be mixed.
    var fixed = Graph(name: "fixed")
    let z = fixed.addInput("z", TensorType(.float32, [3, 4]))
    fixed.outputs = try fixed.addNode("soft", Softmax(axis: 0), [z])
    #expect(try fixed.batched(3).validate() == [])
    #expect(throws: Diagnostic.self) { try fixed.batched(6) }
  }

  @Test("an open first extent takes any number of items")
  func openExtent() throws {
    var graph = Graph(name: "net")
    let x = graph.addInput("x", TensorType(.float32, [-1, 4]))
    graph.outputs = try graph.addNode("tanh", Unary(.tanh), [x])
    let many = try graph.batched(6)
    #expect(many[many.outputs[0]].type.shape == [6, 4])
  }
}
