import AssayBase
import AssayGraph
import AssayKernels
import AssayTensor
import Testing

@testable import AssayEvaluator

/// An operator that no module knows.
private struct Unknown: Operator {
  var name: String { "Unknown" }
  func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] { inputs.compactMap { $0 } }
}

@Suite struct ReferenceStepTests {
  /// Operators without a kernel run as the reference computes them, quantized values included.
  @Test func theReferenceStandsIn() throws {
    for quantization in [nil, Quantization(scale: 0.5, zeroPoint: 3)] {
      let dtype: DType = quantization == nil ? .float32 : .int8
      var graph = Graph(name: "one")
      let type = TensorType(dtype, [2, 3], quantization: quantization)
      let x = graph.addInput("x", type)
      graph.outputs = try graph.addNode("y", Transpose([1, 0]), [x])
      graph[graph.outputs[0]].type.quantization = quantization
      let evaluator = try Evaluator(graph)
      let floats = Tensor([0, 1.5, -2, 4, 0.5, -7] as [Float], [2, 3])
      let input = try #require(floats.converted(to: dtype, quantization: quantization))
      let (source, target) = (FloatBlock(input.floats()), FloatBlock(count: 6))
      let builder = StepBuilder(
        node: graph.nodes[0],
        index: 0,
        inputs: [type],
        outputs: [BoundValue(type: graph[graph.outputs[0]].type, buffer: target.buffer)],
        store: evaluator.store,
        context: evaluator.context,
        place: { _ in source.buffer }
      )
      try builder.referenceStep()()
      #expect(target.buffer.array == [0, 4, 1.5, 0.5, -2, -7])
      withExtendedLifetime(source) {}
    }
  }

  @Test func whatNobodyComputesIsNamed() throws {
    var graph = Graph(name: "none")
    let x = graph.addInput("x", TensorType(.float32, [1]))
    graph.outputs = try graph.addNode("y", Unknown(), [x])
    do {
      _ = try Evaluator(graph)
      Issue.record("it was accepted")
    } catch let fault as Diagnostic {
      #expect(fault.code == "EVL011")
    }
  }
}
