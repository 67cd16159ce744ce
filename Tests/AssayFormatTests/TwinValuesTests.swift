import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor
import AssayTestSupport
import Testing

/// Values of an NCHW file in an NHWC graph.
@Suite struct TwinValuesTests {
  private func twins(_ shape: Shape = [2, 3, 4, 5]) throws -> TwinValues {
    var twins = TwinValues(name: "g", outputs: ["y"], codes: "TST")
    try twins.declare("x")
    let name = twins.valueName("x")
    twins.place("x", plain: twins.graph.addInput(name, TensorType(.float32, shape)))
    return twins
  }

  @Test func anImageIsTurnedOnceAndOnlyWhenAskedFor() throws {
    var twins = try twins()
    #expect(!twins.isImage("x"))
    let image = try twins.image("x")
    #expect(try twins.image("x") == image)
    #expect(twins.graph.nodes.count == 1)
    #expect((twins.graph.nodes[0].op as? Transpose)?.permutation == [0, 2, 3, 1])
    #expect(twins.graph[image].type.shape == [2, 4, 5, 3])
    #expect(try twins.type("x").shape == [2, 3, 4, 5])
  }

  @Test func aValueMadeAsAnImageIsTurnedBackForItsOutput() throws {
    var twins = try twins()
    try twins.declare("y")
    let id = try twins.addNode(
      "n",
      Unary(.relu),
      [twins.image("x")],
      [twins.valueName("y", "nhwc")]
    )
    twins.place("y", image: id[0])
    #expect(try twins.type("y").shape == [2, 3, 4, 5])
    try twins.addOutput("y")
    #expect(twins.graph.outputName(twins.graph.outputs[0]) == "y")
    #expect(twins.graph[twins.graph.outputs[0]].type.shape == [2, 3, 4, 5])
    #expect(twins.graph.validate().isEmpty)
  }

  @Test func oneValueLeavesUnderTwoNames() throws {
    var twins = try twins()
    try twins.alias("a", to: "x")
    try twins.alias("b", to: "x")
    try twins.addOutput("a")
    try twins.addOutput("b")
    #expect(Set(twins.graph.outputs).count == 2)
    #expect(twins.graph.outputs.map { twins.graph.outputName($0) } == ["a", "b"])
  }

  @Test func axesOfOneAreReshapedAndConstantsTurnedAtOnce() throws {
    var twins = try twins([1, 7, 1, 1])
    _ = try twins.image("x")
    #expect(twins.graph.nodes.count == 1 && twins.graph.nodes[0].op is Reshape)
    try twins.declare("w")
    let weights = Tensor((0..<24).map { Float($0) }, [2, 3, 2, 2])
    twins.place("w", plain: twins.addConstant("w", weights))
    let turned = try twins.parameter("w", [0, 2, 3, 1], result: "y")
    #expect(twins.graph.nodes.count == 1)
    #expect(twins.graph[turned].constant?.shape == [2, 2, 2, 3])
    let elements = twins.graph[turned].constant?.elements(as: Float.self) ?? []
    #expect(elements.prefix(6) == [0, 4, 8, 1, 5, 9])
    try twins.declare("v")
    twins.place("v", plain: try twins.addNode("v", Unary(.abs), [turned], ["v"])[0])
    _ = try twins.parameter("v", [3, 2, 1, 0], result: "y")
    #expect(twins.graph.nodes.last?.op is Transpose)
  }

  @Test func namesAreUnique() throws {
    var twins = try twins()
    #expect(twins.valueName("x") == "x_1")
    #expect(twins.valueName("x", "nhwc") == "x/nhwc")
    #expect(twins.valueName("y", "nhwc") == "y/nhwc")
    #expect(twins.valueName("y") == "y")
    let one = try twins.addNode("n", Unary(.relu), [twins.plain("x")], ["p"])
    let two = try twins.addNode("n", Unary(.relu), [twins.plain("x")], ["q"])
    #expect(one != two && twins.graph.nodes.map(\.name) == ["n", "n_1"])
  }

  @Test func faultsCarryTheFormatsCodes() throws {
    var twins = try twins([2, 3])
    #expect(throws: Diagnostic.self) { try twins.declare("x") }
    func code(_ body: () throws -> Void) -> String? {
      do { try body() } catch { return (error as? Diagnostic)?.code }
      return nil
    }
    #expect(code { try twins.declare("x") } == "TST004")
    #expect(code { _ = try twins.plain("z") } == "TST005")
    #expect(code { _ = try twins.type("z") } == "TST005")
    #expect(code { _ = try twins.image("x") } == "TST006")
    #expect(code { _ = try twins.parameter("x", [0, 1, 2], result: "y") } == "TST006")
  }
}
