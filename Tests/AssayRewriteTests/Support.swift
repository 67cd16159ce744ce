import AssayBase
import AssayGraph
import AssayReference
import AssayTensor
import AssayTestSupport
import Testing

@testable import AssayRewrite

/// The canonical form of a graph with the input `x`, which computes the same under the same names.
func checkedCanonical(_ graph: Graph, _ rng: inout SeededRNG) throws -> Graph {
  let result = try canonicalized(graph)
  try #require(result.validate().isEmpty)
  let x = rng.tensor(graph[graph.inputs[0]].type.shape)
  let want = try ReferenceEvaluator(graph).run(["x": x])
  let got = try ReferenceEvaluator(result).run(["x": x])
  try #require(got.map(\.name) == want.map(\.name))
  for (a, b) in zip(got, want) {
    try #require(a.tensor.type == b.tensor.type)
    let difference = largestDifference(a.tensor.floats(), b.tensor.floats()).relative
    try #require(difference < 1e-5, "\(graph.dump())\n\(result.dump())")
  }
  return result
}
