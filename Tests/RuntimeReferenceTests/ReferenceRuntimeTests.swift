import AssayBase
import AssayGraph
import AssayReference
import AssayRuntime
import AssayTensor
import AssayTestSupport
import RuntimeReference
import Testing

@Suite struct ReferenceRuntimeTests {
  private func session(_ graph: Graph) throws -> any Session {
    try ReferenceRuntime { _ in graph }.load(path: "any", options: SessionOptions())
  }

  @Test func aFloatGraphGivesTheReferencesOutputs() throws {
    var rng = SeededRNG(seed: 3)
    let graph = try RandomGraph.make(&rng)
    let image = rng.tensor(graph[graph.inputs[0]].type.shape)
    let session = try session(graph)
    #expect(session.inputs.map(\.name) == ["image"])
    #expect(session.placement.provider == "evaluator")
    try session.write(image, toInput: 0)
    try session.runOnce()
    for (index, expected) in try ReferenceEvaluator(graph).run(["": image]).enumerated() {
      let output = try session.output(index)
      #expect(session.outputs[index].name == expected.name)
      #expect(output.type == expected.tensor.type)
      #expect(largestDifference(output.floats(), expected.tensor.floats()).relative < 1e-5)
    }
  }

  @Test func aQuantizedGraphIsComputedInIntegers() throws {
    let type = TensorType(.int8, [2], quantization: Quantization(scale: 0.5, zeroPoint: 1))
    var graph = Graph(name: "quantized")
    let x = graph.addInput("x", type)
    graph.outputs = try graph.addNode("sum", Binary(.add), [x, x])
    graph[graph.outputs[0]].type = type
    let session = try session(graph)
    #expect(session.placement.provider == "reference")
    try session.write(Tensor([1.0, -3], [2]), toInput: 0)
    try session.runOnce()
    #expect(try session.output(0).integers() == [5, -11])
  }

  @Test func whatIsMissingIsSaid() throws {
    var rng = SeededRNG(seed: 3)
    let session = try session(try RandomGraph.make(&rng))
    #expect(throws: RunFailure.self) { try session.run() }
    #expect(session.failureText.contains("EVL001"))
    #expect(throws: Diagnostic.self) { try session.write(ByteView([1, 2]), toInput: 0) }
    #expect(throws: Diagnostic.self) { try session.readOutput(0) }
  }

  @Test func anOpenExtentIsRefused() throws {
    var graph = Graph(name: "open")
    let x = graph.addInput("x", TensorType(.float32, [-1, 2]))
    graph.outputs = try graph.addNode("y", Unary(.relu), [x])
    let fault = #expect(throws: Diagnostic.self) { try session(graph) }
    #expect(fault?.code == "RTM012")
  }
}
