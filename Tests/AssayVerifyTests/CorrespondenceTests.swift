import AssayBase
import AssayFormat
import AssayGraph
import AssayRewrite
import AssayTensor
import AssayTestSupport
import AssayVerify
import FormatKeras
import FormatTFLite
import Testing

@Suite struct CorrespondenceTests {
  private func digits() throws -> Graph {
    let path = TestData.package + "/Examples/digits/model.keras"
    return try KerasFormat().importGraph(
      MappedFile(path: path).view,
      options: ImportOptions(path: path)
    ).graph
  }

  /// The graph with names that say nothing.
  private func nameless(_ graph: Graph) -> Graph {
    var result = graph
    for index in result.values.indices { result[ValueID(index)].name = "v\(index)" }
    for index in result.nodes.indices { result.nodes[index].name = "n\(index)" }
    result.outputNames = [:]
    return result
  }

  @Test func valuesOfFusedGraphsAreMatchedByName() throws {
    let original = try digits()
    let variant = try canonicalized(original)
    let correspondence = try Correspondence(original: original, variant: variant)
    for node in variant.nodes {
      let match = try #require(correspondence.matches[node.outputs[0]], "\(node.name)")
      #expect(original[match.original].name == variant[node.outputs[0]].name)
    }
  }

  @Test func valuesWithoutNamesAreMatchedByTheirPlace() throws {
    let original = try digits()
    let canonical = try canonicalized(original)
    let variant = nameless(canonical)
    let correspondence = try Correspondence(original: original, variant: variant)
    for (node, twin) in zip(variant.nodes, canonical.nodes) {
      let match = try #require(correspondence.matches[node.outputs[0]], "\(twin.name)")
      #expect(original[match.original].name == canonical[twin.outputs[0]].name)
    }
    let probes = [Probe.seeded(original, seed: 3)]
    let certificate = try Certificate.compare(original: original, variant: variant, probes: probes)
    #expect(certificate.equal)
    #expect(certificate.coverage.compared == variant.nodes.count)
  }

  @Test func branchesThatLookAlikeAreToldApartByTheirWeights() throws {
    forAll(count: 20) { rng in
      var graph = Graph(name: "branches")
      let x = graph.addInput("x", TensorType(.float32, [1, 6, 6, 3]))
      var branches: [ValueID] = []
      for index in 0..<4 {
        let filter = graph.addConstant("filter\(index)", rng.tensor([3, 3, 3, 3]))
        branches.append(
          try graph.addNode("branch\(index)", Conv2D(padding: .same), [x, filter])[0]
        )
      }
      graph.outputs = try graph.addNode("joined", Concat(axis: 3), branches)
      var variant = nameless(graph)
      variant.nodes.swapAt(0, 3)
      variant.nodes.swapAt(1, 2)
      let correspondence = try Correspondence(original: graph, variant: variant)
      for node in variant.nodes {
        // Values keep their places in the table, so that the place tells which one it was.
        try #require(correspondence.matches[node.outputs[0]]?.original == node.outputs[0])
      }
    }
  }

  @Test func valuesInAnotherLayoutAreTurned() throws {
    var a = Graph(name: "a")
    let x = a.addInput("x", TensorType(.float32, [1, 2, 3, 4]))
    a.outputs = try a.addNode("y", Unary(.tanh), [x])
    var b = Graph(name: "b")
    let z = b.addInput("x", TensorType(.float32, [1, 4, 2, 3]))
    b.outputs = try b.addNode("y", Unary(.tanh), [z])
    let certificate = try Certificate.compare(
      original: a,
      variant: b,
      probes: [Probe.seeded(a, seed: 1)]
    )
    #expect(certificate.equal)
    #expect(certificate.operators.first?.metrics.isIdentical == true)
  }

  /// Files that TensorFlow's converter made of the same network have names of their own.
  @Test func filesOfAnotherConverterAreComparedOperatorByOperator() throws {
    guard let h5 = TestData.sharedFile("models/mlperf_tiny/resnet8_cifar10.h5"),
      let tflite = TestData.sharedFile("models/mlperf_tiny/resnet8_cifar10_float.tflite")
    else {
      print("skipped: models/mlperf_tiny is not there")
      return
    }
    let original = try KerasFormat().importGraph(
      MappedFile(path: h5).view,
      options: ImportOptions(path: h5)
    ).graph
    let variant = try TFLiteFormat().importGraph(
      MappedFile(path: tflite).view,
      options: ImportOptions(path: tflite)
    ).graph
    let certificate = try Certificate.compare(
      original: original,
      variant: variant,
      probes: [Probe.seeded(original, seed: 1)] + Probe.adversarial(original)
    )
    #expect(certificate.equal, "\(certificate.text)")
    #expect(certificate.coverage.compared * 10 >= certificate.coverage.operators * 9)
    #expect(certificate.suspects.isEmpty, "\(certificate.text)")
  }
}
