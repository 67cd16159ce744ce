import AssayBase
import AssayGraph
import AssayReference
import AssayTensor
import AssayTestSupport
import Testing

/// Layer normalization, whole and in steps.
@Suite struct LayerNormTests {
  @Test func theEvaluatorComputesWhatTheReferenceDoes() {
    forAll(count: 40) { rng in
      let extent = rng.int(1...33)
      let shape: Shape = rng.pick([
        [extent], [rng.int(1...5), extent], [2, 3, rng.int(1...4), extent],
      ])
      let gamma = rng.bool() ? rng.tensor([extent]) : nil
      let beta = rng.bool() ? rng.tensor([extent]) : nil
      let op = LayerNorm(epsilon: rng.pick([1e-5, 1e-3]))
      try Problem(op, [rng.tensor(shape, scale: 3), gamma, beta], constants: [1, 2]).check()
    }
  }

  @Test func stepsGiveTheSame() {
    forAll(count: 30) { rng in
      let extent = rng.int(2...17)
      let parameters = (0..<2).map { _ in rng.bool() ? rng.tensor([extent]) : nil }
      let x = rng.tensor([rng.int(1...4), extent], scale: 2)
      let problem = try Problem(LayerNorm(epsilon: 1e-4), [x] + parameters, constants: [1, 2])
      let steps = try problem.graph.decomposed { $0 is LayerNorm }
      try #require(steps.validate().isEmpty)
      try #require(!steps.nodes.contains { $0.op is LayerNorm })
      let want = try ReferenceEvaluator(problem.graph).run(problem.inputs)
      let result = try ReferenceEvaluator(steps).run(problem.inputs)
      try #require(result.map(\.name) == want.map(\.name))
      let difference = largestDifference(result[0].tensor.floats(), want[0].tensor.floats())
      try #require(difference.relative < 1e-5)
    }
  }

  @Test func rowsHaveMeanZeroAndVarianceOne() throws {
    let values: [Float] = [1, 2, 3, 4, -10, 0, 10, 20]
    let x = Tensor(values, [2, 4])
    let problem = try Problem(LayerNorm(epsilon: 0), [x])
    let rows = try ReferenceEvaluator(problem.graph).run(problem.inputs)[0].tensor.floats()
    let want: [Float] = [-1.3416407, -0.4472136, 0.4472136, 1.3416407]
    for (a, b): (Float, Float) in zip(rows, want + want) { #expect((a - b).magnitude < 1e-6) }
  }

  @Test func parametersMustFit() {
    let op = LayerNorm(epsilon: 1e-5)
    let x = TensorType(.float32, [2, 4])
    #expect(throws: Diagnostic.self) { try op.inferTypes([x, TensorType(.float32, [3])]) }
    #expect(throws: Diagnostic.self) { try op.inferTypes([TensorType(.float32, [])]) }
    #expect(throws: Diagnostic.self) { try op.inferTypes([nil]) }
  }
}
