import AssayBase
import AssayGraph
import AssayReference
import AssayTensor
import AssayTestSupport
import Testing

@testable import AssayRewrite

/// Transposes behind what does not care, patterns as one operator, and images at the boundary.
@Suite struct TransposeTests {
  /// A chain of operators that move elements, between turned images.
  private func chain(_ rng: inout SeededRNG) throws -> Graph {
    var graph = Graph(name: "chain")
    var id = graph.addInput("x", TensorType(.float32, [2, rng.int(1...3), rng.int(2...4), 4]))
    var number = 0
    func add(_ op: any Operator, _ others: [ValueID] = []) throws {
      number += 1
      id = try graph.addNode("n\(number)", op, [id] + others)[0]
    }
    for _ in 0..<8 {
      let shape = graph[id].type.shape
      let rank = shape.rank
      switch rng.int(0...9) {
      case 0, 1, 2:
        var order = Array(0..<rank)
        for axis in order.indices { order.swapAt(axis, rng.int(0...rank - 1)) }
        try add(Transpose(order))
      case 3: try add(Softmax(axis: rng.int(0...rank - 1)))
      case 4:
        let axis = rng.int(0...rank - 1)
        let half = shape[axis] / 2
        let sizes = [half, shape[axis] - half]
        number += 1
        let parts = try graph.addNode("n\(number)", Split(axis: axis, sizes: sizes), [id])
        id = parts[1]
        try add(Unary(.abs))
        let other = try graph.addNode("m\(number)", Unary(.negative), [parts[0]])[0]
        try add(Concat(axis: axis), [other])
      case 5:
        let begin = shape.dims.map { $0 > 1 ? rng.int(0...1) : 0 }
        try add(Slice(begin: begin, sizes: zip(shape.dims, begin).map { $0 - $1 }))
      case 6:
        let axis = rng.int(0...rank - 1)
        if rng.bool(), axis + 1 < rank {
          let joined =
            shape.dims[..<axis] + [shape[axis] * shape[axis + 1]] + shape.dims[(axis + 2)...]
          try add(Reshape(Array(joined)))
        } else if rank < 6 {
          let cut = shape[axis] % 2 == 0 ? 2 : 1
          let dims = shape.dims[..<axis] + [cut, shape[axis] / cut] + shape.dims[(axis + 1)...]
          try add(Reshape(Array(dims)))
        }
      case 7:
        let constant = graph.addConstant("c\(number)", rng.tensor(shape))
        try add(Binary(rng.pick([.add, .multiply, .subtract])), [constant])
      case 8 where rank == 4:
        let filter = graph.addConstant("w\(number)", rng.tensor([3, 1, 1, shape[3]]))
        try add(Conv2D(), [filter])
      default: try add(Unary(.tanh))
      }
      if graph[id].type.shape.count == 0 { return try chain(&rng) }
    }
    graph.outputs = [id]
    return graph
  }

  @Test func movingElementsKeepsThem() {
    forAll(count: 200) { rng in
      let graph = try chain(&rng)
      let once = try checkedCanonical(graph, &rng)
      try #require(try canonicalized(once).dump() == once.dump())
    }
  }

  @Test func channelsCutInAnNCHWNetworkNeedNoTranspose() throws {
    var rng = SeededRNG(seed: 3)
    var graph = Graph(name: "g")
    let x = graph.addInput("x", TensorType(.float32, [1, 4, 5, 8]))
    let filter = graph.addConstant("w", rng.tensor([6, 3, 3, 8]))
    let conv = try graph.addNode("conv", Conv2D(padding: .same), [x, filter])[0]
    let nchw = try graph.addNode("nchw", Transpose([0, 3, 1, 2]), [conv])[0]
    let parts = try graph.addNode("split", Split(axis: 1, sizes: [2, 4]), [nchw])
    let cut = try graph.addNode(
      "cut",
      Slice(begin: [0, 1, 0, 0], sizes: [1, 2, 4, 5]),
      [parts[1]]
    )
    let sum = try graph.addNode("sum", Binary(.add), [parts[0], cut[0]])[0]
    let soft = try graph.addNode("soft", Softmax(axis: 1), [sum])[0]
    let rows = try graph.addNode("rows", Reshape([1, 2, 20]), [soft])[0]
    graph.outputs = try graph.addNode("y", Transpose([0, 2, 1]), [rows])
    let result = try checkedCanonical(graph, &rng)
    #expect(!result.nodes.contains { $0.op is Transpose }, "\(result.dump())")
  }

  @Test func layerNormalizationIsFoundInItsSteps() {
    forAll(count: 40) { rng in
      var graph = Graph(name: "g")
      let c = rng.int(2...9)
      let x = graph.addInput("x", TensorType(.float32, [2, 3, c]))
      let average = Reduce(.mean, axes: [rng.bool() ? -1 : 2], keepsAxes: true)
      let mean = try graph.addNode("mean", average, [x])[0]
      let d = try graph.addNode("d", Binary(.subtract), [x, mean])[0]
      let two = graph.addConstant("two", Tensor([Float(2)], []))
      let square: ValueID =
        switch rng.int(0...3) {
        case 0: try graph.addNode("s", Binary(.multiply), [d, d])[0]
        case 1: try graph.addNode("s", Binary(.power), [d, two])[0]
        case 2: try graph.addNode("s", Unary(.square), [d])[0]
        default: try graph.addNode("s", Binary(.squaredDifference), [x, mean])[0]
        }
      let variance = try graph.addNode("v", average, [square])[0]
      let epsilon = graph.addConstant("e", Tensor([Float(1e-5)], []))
      let shifted = try graph.addNode("p", Binary(.add), [variance, epsilon])[0]
      var y: ValueID
      if rng.bool() {
        let root = try graph.addNode("r", Unary(.sqrt), [shifted])[0]
        y = try graph.addNode("q", Binary(.divide), [d, root])[0]
      } else {
        let root = try graph.addNode("r", Unary(.rsqrt), [shifted])[0]
        y = try graph.addNode("q", Binary(.multiply), rng.bool() ? [d, root] : [root, d])[0]
      }
      let gamma = graph.addConstant("gamma", rng.tensor([c]))
      let beta = graph.addConstant("beta", rng.tensor([c]))
      y = try graph.addNode("g", Binary(.multiply), [y, gamma])[0]
      graph.outputs = try graph.addNode("y", Binary(.add), [y, beta])
      let result = try checkedCanonical(graph, &rng)
      try #require(result.nodes.count == 1 && result.nodes[0].op is LayerNorm, "\(result.dump())")
    }
  }

  @Test func geluIsFoundInItsSteps() throws {
    var rng = SeededRNG(seed: 5)
    for form in 0..<3 {
      var graph = Graph(name: "g")
      let x = graph.addInput("x", TensorType(.float32, [2, 7]))
      func number(_ value: Float) -> ValueID { graph.addConstant("c\(value)", Tensor([value], [])) }
      let scaled =
        form == 0
        ? try graph.addNode("s", Binary(.divide), [x, number(1.4142135)])[0]
        : try graph.addNode("s", Binary(.multiply), [x, number(0.70710677)])[0]
      let erf = try graph.addNode("e", Unary(.erf), [scaled])[0]
      let gate = try graph.addNode("p", Binary(.add), [erf, number(1)])[0]
      switch form {
      case 0:
        let product = try graph.addNode("m", Binary(.multiply), [x, gate])[0]
        graph.outputs = try graph.addNode("y", Binary(.multiply), [product, number(0.5)])
      case 1:
        let half = try graph.addNode("h", Binary(.multiply), [x, number(0.5)])[0]
        graph.outputs = try graph.addNode("y", Binary(.multiply), [half, gate])
      default:
        let half = try graph.addNode("h", Binary(.multiply), [number(0.5), gate])[0]
        graph.outputs = try graph.addNode("y", Binary(.multiply), [x, half])
      }
      let result = try checkedCanonical(graph, &rng)
      #expect((result.nodes.first?.op as? Unary)?.kind == .gelu, "\(result.dump())")
      #expect(result.nodes.count == 1)
    }
  }

  @Test func imagesAtTheBoundaryAreTurned() throws {
    var rng = SeededRNG(seed: 8)
    var graph = Graph(name: "g")
    let x = graph.addInput("x", TensorType(.float32, [1, 3, 4, 5]))
    let last = try graph.addNode("nhwc", Transpose([0, 2, 3, 1]), [x])[0]
    let filter = graph.addConstant("w", rng.tensor([6, 3, 3, 3]))
    let conv = try graph.addNode("conv", Conv2D(padding: .same), [last, filter])[0]
    graph.outputs = try graph.addNode("y", Transpose([0, 3, 1, 2]), [conv])
    let nchw = try canonicalized(graph)
    let nhwc = try canonicalized(nchw.withImages(.nhwc))
    #expect(nhwc[nhwc.inputs[0]].type.shape == [1, 4, 5, 3])
    #expect(nhwc[nhwc.outputs[0]].type.shape == [1, 4, 5, 6])
    #expect(nhwc[nhwc.inputs[0]].name == "x" && nhwc.outputName(nhwc.outputs[0]) == "y")
    #expect(nhwc.nodes.count == 1)
    #expect(nhwc.withImages(.nhwc).dump() == nhwc.dump())
    #expect(nchw.withImages(.keep).dump() == nchw.dump())
    let back = try canonicalized(nhwc.withImages(.nchw))
    let image = rng.tensor([1, 3, 4, 5])
    let want = try ReferenceEvaluator(graph).run(["x": image])[0].tensor
    let got = try ReferenceEvaluator(back).run(["x": image])[0].tensor
    #expect(
      got.shape == want.shape && largestDifference(got.floats(), want.floats()).relative < 1e-6
    )
  }
}
