import AssayBase
import AssayEvaluator
import AssayGraph
import AssayReference
import AssayTensor
import AssayTestSupport
import Testing

/// Graphs of several nodes: places in memory, taps, repetition, faults.
@Suite struct EvaluatorTests {
  /// A graph of random branches over one small shape.
  static func randomGraph(_ rng: inout SeededRNG) throws -> Graph {
    var graph = Graph(name: "random")
    let shape: Shape = [1, 4, 4, 6]
    var known = [graph.addInput("a", TensorType(.float32, shape))]
    known.append(graph.addInput("b", TensorType(.float32, shape)))
    for index in 0..<rng.int(3...14) {
      let name = "n\(index)"
      let x = rng.pick(known)
      let made: [ValueID]
      switch rng.int(0...6) {
      case 0:
        let filter = graph.addConstant("w\(index)", rng.tensor([6, 3, 3, 6], scale: 0.2))
        made = try graph.addNode(name, Conv2D(padding: .same, activation: .relu6), [x, filter])
      case 1: made = try graph.addNode(name, Binary(.add), [x, rng.pick(known)])
      case 2: made = try graph.addNode(name, Unary(.tanh), [x])
      case 3:
        let flat = try graph.addNode(name + "r", Reshape([1, 96]), [x])
        made = try graph.addNode(name, Reshape([1, 4, 4, 6]), flat)
      case 4:
        let halves = try graph.addNode(name + "s", Split(axis: 3, sizes: [2, 4]), [x])
        made = try graph.addNode(name, Concat(axis: 3), [halves[1], halves[0]])
      case 5:
        let one = graph.addConstant("c\(index)", rng.tensor([6]))
        let two = try graph.addNode(name + "c", Unary(.square), [one])
        made = try graph.addNode(name, Binary(.multiply), [x, two[0]])
      default: made = try graph.addNode(name, Transpose([0, 2, 1, 3]), [x])
      }
      known += made
    }
    graph.outputs = [known[known.count - 1], rng.pick(known)]
    return graph
  }

  @Test func valuesOfRandomGraphsAreThoseOfTheReference() {
    forAll(count: 150) { rng in
      let graph = try Self.randomGraph(&rng)
      let inputs = ["a": rng.tensor([1, 4, 4, 6]), "b": rng.tensor([1, 4, 4, 6])]
      var expected: [ValueID: [Float]] = [:]
      let want = try ReferenceEvaluator(graph).run(inputs) { expected[$0] = $1.floats() }
      let evaluator = try Evaluator(graph, threads: 2)
      // Twice: what the first run leaves behind must not be seen by the second.
      for _ in 0..<2 {
        var seen = 0
        let results = try evaluator.run(inputs) { id, tensor in
          seen += 1
          let difference = largestDifference(tensor.floats(), expected[id] ?? []).relative
          #expect(difference < 3e-5, "\(graph[id].name)\n\(graph.dump())")
        }
        let constants = graph.nodes.filter { $0.inputs.allSatisfy { graph[$0!].constant != nil } }
        try #require(seen == expected.count - constants.count)
        for (result, want) in zip(results, want) {
          let difference = largestDifference(result.tensor.floats(), want.tensor.floats()).relative
          try #require(result.name == want.name && difference < 3e-5, "\(graph.dump())")
        }
      }
    }
  }

  static func small(_ rng: inout SeededRNG, batch: Int) throws -> Graph {
    var graph = Graph(name: "small")
    let x = graph.addInput("x", TensorType(.float32, [batch, 5, 5, 2]))
    let filter = graph.addConstant("w", rng.tensor([3, 2, 2, 2]))
    let y = try graph.addNode("y", Conv2D(strides: Size2D(2, 2)), [x, filter])
    graph.outputs = try graph.addNode("mean", Reduce(.mean, axes: [1, 2], keepsAxes: false), y)
    return graph
  }

  @Test(arguments: [1, -1, 2])
  func severalSamplesAreThoseOfOneEach(batch: Int) throws {
    var rng = SeededRNG(seed: 5)
    let graph = try Self.small(&rng, batch: batch == -1 ? 6 : batch)
    var free = graph
    if batch == -1 {
      for id in [graph.inputs[0], graph.nodes[0].outputs[0], graph.nodes[1].outputs[0]] {
        free[id].type.shape.dims[0] = -1
      }
    }
    let six = rng.tensor([6, 5, 5, 2])
    let evaluator = try Evaluator(free)
    let result = try evaluator.run(["x": six])[0].tensor
    #expect(result.shape == [6, 3])
    var whole = try Self.small(&rng, batch: 6)
    whole[whole.nodes[0].inputs[1]!] = graph[graph.nodes[0].inputs[1]!]
    let expected = try ReferenceEvaluator(whole).run(["x": six])[0].tensor
    #expect(largestDifference(result.floats(), expected.floats()).relative < 1e-6)
  }

  @Test func faultsAreDiagnostics() throws {
    var rng = SeededRNG(seed: 6)
    let evaluator = try Evaluator(Self.small(&rng, batch: 1))
    func code(_ inputs: [String: Tensor]) -> String? {
      do { _ = try evaluator.run(inputs) } catch let fault as Diagnostic { return fault.code } catch
      {}
      return nil
    }
    #expect(code([:]) == "EVL001")
    #expect(code(["x": rng.tensor([1, 5, 5, 2]), "z": rng.tensor([1])]) == "EVL002")
    #expect(code(["x": rng.tensor([1, 5, 5, 3])]) == "EVL003")
    #expect(code(["x": rng.tensor([0, 5, 5, 2])]) == "EVL003")
    #expect(code(["x": Tensor([Int32](repeating: 0, count: 50), [1, 5, 5, 2])]) == "EVL004")
    var graph = Graph(name: "opaque")
    let x = graph.addInput("x", TensorType(.float32, [1]))
    let op = Opaque("custom", outputTypes: [TensorType(.float32, [1])])
    graph.outputs = try graph.addNode("y", op, [x])
    #expect(throws: Diagnostic.self) { _ = try Evaluator(graph) }
  }

  @Test func anIndexOutsideTheSlicesIsADiagnostic() throws {
    var graph = Graph(name: "gather")
    let x = graph.addInput("x", TensorType(.float32, [3, 2]))
    let i = graph.addInput("i", TensorType(.int32, [1]))
    graph.outputs = try graph.addNode("y", Gather(axis: 0), [x, i])
    let evaluator = try Evaluator(graph)
    for index in [Int32(-1), 3, .max] {
      #expect(throws: Diagnostic.self) {
        _ = try evaluator.run([
          "x": Tensor([1, 2, 3, 4, 5, 6] as [Float], [3, 2]), "i": Tensor([index], [1]),
        ])
      }
    }
  }
}

/// Graphs that say other shapes than their operators make, as a damaged file does.
@Suite struct HostileGraphTests {
  static func dense(_ shape: Shape, output: Shape) throws -> Graph {
    var rng = SeededRNG(seed: 1)
    var graph = Graph(name: "hostile")
    let x = graph.addInput("x", TensorType(.float32, shape))
    let w = graph.addConstant("w", rng.tensor([3, 4]))
    let y = graph.add(Value(name: "y", type: TensorType(.float32, output)))
    graph.nodes.append(Node(name: "y", op: FullyConnected(), inputs: [x, w], outputs: [y]))
    graph.outputs = [y]
    return graph
  }

  @Test func shapesThatLieAreRefused() throws {
    let sound = try Self.dense([2, 4], output: [2, 3])
    _ = try Evaluator(sound)
    for shape in [[2, 2], [2, 300], [0, 3], [-1, 1]] as [Shape] {
      let graph = try Self.dense([2, 4], output: shape)
      do {
        let result = try Evaluator(graph).run([
          "x": Tensor([Float](repeating: 1, count: 8), [2, 4])
        ])
        #expect(result[0].tensor.shape == [2, 3], "\(shape)")
      } catch let fault as Diagnostic {
        #expect(fault.code == "GRF012")
      }
    }
  }

  @Test func valuesThatAreNeverMadeOrMadeTwiceAreRefused() throws {
    var graph = try Self.dense([2, 4], output: [2, 3])
    graph.nodes.append(graph.nodes[0])
    #expect(throws: Diagnostic.self) { try Evaluator(graph) }
    graph.nodes.removeAll()
    #expect(throws: Diagnostic.self) { try Evaluator(graph) }
  }

  @Test func anOutputTooLargeForMemoryIsADiagnostic() throws {
    var graph = Graph(name: "large")
    let x = graph.addInput("x", TensorType(.float32, [1, 1]))
    let big = 1 << 20
    graph.outputs = try graph.addNode("y", Pad(before: [big, big], after: [0, 0]), [x])
    let fault = #expect(throws: Diagnostic.self) { try Evaluator(graph) }
    #expect(fault?.code == "EVL012")
  }
}
