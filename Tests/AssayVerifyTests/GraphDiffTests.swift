import AssayBase
import AssayGraph
import AssayTensor
import AssayTestSupport
import AssayVerify
import Testing

@Suite struct GraphDiffTests {
  private func network(
    weights: [Float] = [1, 2, 3, 4],
    strides: Size2D = .one,
    activation: Activation = .relu,
    quantization: Quantization? = nil
  ) throws -> Graph {
    var graph = Graph(name: "net")
    let x = graph.addInput("x", TensorType(.float32, [1, 4, 4, 2]))
    let filter = graph.addConstant("filter", Tensor(weights, [2, 1, 1, 2]))
    let y = try graph.addNode(
      "conv",
      Conv2D(strides: strides, padding: .same, activation: activation),
      [x, filter]
    )
    let z = try graph.addNode("tanh", Unary(.tanh), y)
    if let quantization { graph[z[0]].type.quantization = quantization }
    graph.outputs = z
    return graph
  }

  @Test func aNetworkDoesNotDifferFromItself() throws {
    let diff = GraphDiff(try network(), try network())
    #expect(diff.isEmpty)
    #expect(diff.text() == "no difference: 2 operators, 1 weights\n")
    #expect(diff.json["equal"] == true)
  }

  @Test func weightsAreToldWithTheirLargestDifference() throws {
    let diff = GraphDiff(try network(), try network(weights: [1, 2, 3.002, 4]))
    #expect(!diff.isEmpty)
    #expect(diff.isSameStructure)
    #expect(diff.sentence.hasPrefix("same structure; 1 of 1 weights differ by at most 0.00200"))
    #expect(diff.weights.first?.changed == 1)
    #expect(diff.weights.first?.count == 4)
  }

  @Test func attributesShapesAndActivationsAreToldByOperator() throws {
    let diff = GraphDiff(
      try network(),
      try network(strides: Size2D(2, 2), activation: .none)
    )
    #expect(!diff.isSameStructure)
    let conv = try #require(diff.changed.first { $0.node == "conv" })
    #expect(conv.changes.map(\.what) == ["strides", "activation", "result"])
    #expect(conv.changes[0].before == "1x1" && conv.changes[0].after == "2x2")
    #expect(diff.ports.map(\.what) == ["output 0"])
    #expect(diff.weights.isEmpty)
  }

  @Test func quantizationParametersAreTold() throws {
    let diff = GraphDiff(
      try network(quantization: Quantization(scale: 0.5, zeroPoint: 0)),
      try network(quantization: Quantization(scale: 0.25, zeroPoint: 0))
    )
    let change = try #require(diff.changed.first?.changes.first)
    #expect(change.before.contains("scale 0.5") && change.after.contains("scale 0.25"))
  }

  @Test func operatorsThatCameAndWentAreListed() throws {
    let before = try network()
    var after = try network()
    after.outputs = try after.addNode("more", Unary(.exp), after.outputs)
    let diff = GraphDiff(before, after)
    #expect(diff.added.map(\.node) == ["more"])
    #expect(diff.removed.isEmpty)
    #expect(diff.text().contains("+ Exp 'more' float32[1x4x4x2]"))
    let back = GraphDiff(after, before)
    #expect(back.removed.map(\.node) == ["more"])
  }

  @Test func renamedOperatorsAreNoDifference() throws {
    let before = try network()
    var after = try network()
    for index in after.nodes.indices { after.nodes[index].name = "n\(index)" }
    for id in after.nodes.flatMap(\.outputs).dropLast() { after[id].name = "v\(id.index)" }
    #expect(GraphDiff(before, after).isEmpty)
  }
}
