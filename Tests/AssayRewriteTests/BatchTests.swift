import AssayBase
import AssayGraph
import AssayReference
import AssayTensor
import Testing

@testable import AssayRewrite

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

  private func refusal(_ build: (inout Graph, ValueID) throws -> [ValueID]) throws -> String {
    var graph = Graph(name: "net")
    let x = graph.addInput("x", TensorType(.float32, [1, 4]))
    graph.outputs = try build(&graph, x)
    do {
      _ = try graph.batched(2)
      return "accepted"
    } catch let fault as Diagnostic {
      #expect(fault.code == "RWR040")
      return fault.summary
    }
  }

  @Test("operators that mix the items are refused by name")
  func refusals() throws {
    #expect(try refusal { try $0.addNode("turn", Transpose([1, 0]), [$1]) }.contains("'turn'"))
    #expect(try refusal { try $0.addNode("all", Reshape([4]), [$1]) }.contains("'all'"))
    #expect(try refusal { try $0.addNode("two", Reshape([2, 2]), [$1]) }.contains("'two'"))
    #expect(try refusal { try $0.addNode("soft", Softmax(axis: 0), [$1]) }.contains("'soft'"))
    #expect(
      try refusal {
        let more = $0.addConstant("more", Tensor([Float](repeating: 1, count: 4), [1, 4]))
        return try $0.addNode("join", Concat(axis: 0), [$1, more])
      }.contains("'join'")
    )
  }

  @Test("an input that is not one item is refused")
  func inputs() throws {
    var graph = Graph(name: "net")
    let x = graph.addInput("x", TensorType(.float32, [3, 4]))
    graph.outputs = try graph.addNode("tanh", Unary(.tanh), [x])
    #expect(throws: Diagnostic.self) { try graph.batched(2) }
    #expect(throws: Diagnostic.self) { try self.network().batched(0) }
  }
}
