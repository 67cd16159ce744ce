import AssayBase
import AssayGraph
import AssayReference
import AssayRewrite
import AssayTensor
import AssayTestSupport
import Testing

@Suite struct CanonicalFormTests {
  @Test func computesTheSame() {
    forAll(count: 150) { rng in
      let graph = try RandomGraph.make(&rng)
      try #require(graph.validate().isEmpty)
      let canonical = try canonicalized(graph)
      try #require(canonical.validate().isEmpty)
      try #require(canonical.inputs.map { canonical[$0].name } == ["image"])
      try #require(canonical.nodes.count <= graph.nodes.count + 8, "\(graph.dump())")
      let image = rng.tensor(graph[graph.inputs[0]].type.shape)
      let expected = try ReferenceEvaluator(graph).run(["image": image])
      let results = try ReferenceEvaluator(canonical).run(["image": image])
      try #require(results.map(\.name) == expected.map(\.name))
      for (a, b) in zip(results, expected) {
        try #require(a.tensor.type == b.tensor.type)
        let difference = largestDifference(a.tensor.floats(), b.tensor.floats()).relative
        try #require(difference <= 2e-5, "\(a.name)\n\(graph.dump())\n\(canonical.dump())")
      }
    }
  }

  @Test func isAFixedPoint() {
    forAll(seed: 1000, count: 80) { rng in
      let once = try canonicalized(try RandomGraph.make(&rng))
      let twice = try canonicalized(once)
      try #require(twice.dump() == once.dump())
    }
  }

  @Test func hasUniqueNames() {
    forAll(seed: 2000, count: 40) { rng in
      let graph = try canonicalized(try RandomGraph.make(&rng))
      let names = graph.values.map(\.name)
      try #require(Set(names).count == names.count, "\(graph.dump())")
    }
  }
}
