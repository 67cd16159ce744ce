import AssayBase
import AssayGraph
import AssayTensor
import AssayTestSupport
import Testing

/// The shapes that an operator infers for inputs of these shapes, or the code of its diagnostic.
func inferred(_ op: any Operator, _ shapes: [Shape?], dtype: DType = .float32) -> [Shape]? {
  try? op.inferTypes(shapes.map { $0.map { TensorType(dtype, $0) } }).map(\.shape)
}

@Suite struct InferenceTests {
  @Test func windows() {
    let conv = Conv2D(strides: Size2D(2, 2), padding: .same)
    #expect(inferred(conv, [[1, 7, 8, 3], [4, 3, 3, 3]]) == [[1, 4, 4, 4]])
    #expect(inferred(Conv2D(), [[1, 7, 8, 3], [4, 3, 3, 3]]) == [[1, 5, 6, 4]])
    #expect(inferred(Conv2D(), [[1, 2, 8, 3], [4, 3, 3, 3]]) == nil)
    #expect(inferred(Conv2D(), [[1, 8, 8, 3], [4, 3, 3, 2]]) == nil)
    #expect(inferred(Conv2D(), [[1, 8, 8, 4], [6, 3, 3, 2]]) == [[1, 6, 6, 6]])
    #expect(inferred(Conv2D(), [[1, 8, 8, 3], [4, 3, 3, 3], [5]]) == nil)
    #expect(inferred(Conv2D(), [[-1, -1, 8, 3], [4, 3, 3, 3], nil]) == [[-1, -1, 6, 4]])
    let dilated = Conv2D(dilations: Size2D(2, 2))
    #expect(inferred(dilated, [[1, 8, 8, 3], [4, 3, 3, 3]]) == [[1, 4, 4, 4]])
    #expect(inferred(DepthwiseConv2D(), [[2, 5, 5, 3], [1, 3, 3, 6]]) == [[2, 3, 3, 6]])
    #expect(inferred(DepthwiseConv2D(), [[2, 5, 5, 3], [1, 3, 3, 7]]) == nil)
    let pool = Pool2D(.max, window: Size2D(2, 2), strides: Size2D(2, 2))
    #expect(inferred(pool, [[1, 5, 4, 3]]) == [[1, 2, 2, 3]])
    let up = TransposeConv2D(strides: Size2D(2, 2), padding: .same, outputSize: Size2D(6, 8))
    #expect(inferred(up, [[1, 3, 4, 5], [2, 3, 3, 5]]) == [[1, 6, 8, 2]])
    #expect(inferred(up, [[1, 4, 4, 5], [2, 3, 3, 5]]) == nil)
  }

  @Test func hugeWindowsAreRefusedNotTrapped() {
    let wild = Conv2D(
      strides: Size2D(Int.max, 1),
      padding: .explicit(top: Int.max, bottom: Int.max, left: 0, right: 0)
    )
    #expect(inferred(wild, [[1, 8, 8, 3], [4, 3, 3, 3]]) == nil)
    #expect(inferred(Conv2D(strides: Size2D(0, 1)), [[1, 8, 8, 3], [4, 3, 3, 3]]) == nil)
    let slice = Slice(begin: [Int.max], sizes: [Int.max], steps: [Int.max])
    #expect(inferred(slice, [[4]]) == nil)
    let pad = Pad(before: [Int.max], after: [1])
    #expect(inferred(pad, [[4]]) == nil)
    #expect(inferred(Resize2D(.nearest, size: Size2D(Int.max, 2)), [[1, 2, 2, 1]]) == nil)
  }

  @Test func matrices() {
    #expect(inferred(FullyConnected(), [[2, 3, 5], [4, 5]]) == [[2, 3, 4]])
    #expect(inferred(FullyConnected(), [[2, 5], [4, 6]]) == nil)
    #expect(inferred(MatMul(), [[2, 1, 3, 4], [5, 4, 2]]) == [[2, 5, 3, 2]])
    #expect(inferred(MatMul(transposesB: true), [[3, 4], [2, 4]]) == [[3, 2]])
    #expect(inferred(MatMul(), [[3, 4], [3, 4]]) == nil)
  }

  @Test func movement() {
    #expect(inferred(Reshape([2, -1]), [[4, 3]]) == [[2, 6]])
    #expect(inferred(Reshape([5, -1]), [[4, 3]]) == nil)
    #expect(inferred(Reshape([-1, -1]), [[4, 3]]) == nil)
    #expect(inferred(Transpose([1, 0]), [[4, 3]]) == [[3, 4]])
    #expect(inferred(Transpose([1, 1]), [[4, 3]]) == nil)
    #expect(inferred(Concat(axis: -1), [[4, 3], [4, 2]]) == [[4, 5]])
    #expect(inferred(Concat(axis: 0), [[4, 3], [4, 2]]) == nil)
    #expect(inferred(Split(axis: 1, sizes: [1, 2]), [[4, 3]]) == [[4, 1], [4, 2]])
    #expect(inferred(Split(axis: 1, sizes: [1, 1]), [[4, 3]]) == nil)
    #expect(
      inferred(Slice(begin: [3, 0], sizes: [2, 1], steps: [-2, 1]), [[4, 3]]) == [[2, 1]]
    )
    #expect(inferred(Slice(begin: [3, 0], sizes: [3, 1], steps: [-2, 1]), [[4, 3]]) == nil)
    #expect(inferred(Pad(before: [1, 0], after: [0, 2]), [[4, 3]]) == [[5, 5]])
    #expect(inferred(Pad(before: [4], after: [0], mode: .reflect), [[4]]) == nil)
    #expect(inferred(Pad(before: [3], after: [0], mode: .reflect), [[4]]) == [[7]])
    let gathered = try? Gather(axis: 1).inferTypes([
      TensorType(.float32, [2, 5, 3]), TensorType(.int32, [4]),
    ])
    #expect(gathered?.map(\.shape) == [[2, 4, 3]])
    #expect(inferred(Gather(axis: 0), [[2], [2]]) == nil)
    #expect(inferred(Reduce(.mean, axes: [1, -1], keepsAxes: false), [[2, 3, 4]]) == [[2]])
    #expect(inferred(Reduce(.mean, axes: [1, -1], keepsAxes: true), [[2, 3, 4]]) == [[2, 1, 1]])
    #expect(inferred(Reduce(.mean, axes: [3], keepsAxes: true), [[2, 3, 4]]) == nil)
  }

  @Test func broadcasting() {
    #expect(inferred(Binary(.add), [[2, 1, 3], [4, 1]]) == [[2, 4, 3]])
    #expect(inferred(Binary(.add), [[2, 3], [2]]) == nil)
    #expect(inferred(PReLU(), [[2, 3], [3]]) == [[2, 3]])
    #expect(inferred(PReLU(), [[3], [2, 3]]) == nil)
    #expect(inferred(Select(), [[2, 1], [3], []]) == [[2, 3]])
    let types = try? Binary(.less).inferTypes([
      TensorType(.float32, [2]), TensorType(.float32, [2]),
    ])
    #expect(types == [TensorType(.bool, [2])])
  }

  @Test func missingInputsAreFaults() {
    for row in OperatorTable.rows { #expect(inferred(row.example, []) == nil, "\(row.name)") }
    let fault = #expect(throws: Diagnostic.self) { try Conv2D().inferTypes([nil, nil]) }
    #expect(fault?.code == "GRF001")
  }

  @Test func samePaddingCoversTheImage() {
    for extent in 1...9 {
      for window in 1...4 {
        for stride in 1...3 {
          let (before, after) = Padding.same.amounts(
            extent: extent,
            window: window,
            stride: stride,
            dilation: 1,
            isHeight: true
          )
          #expect(after - before == 0 || after - before == 1)
          let output = Padding.same.outputExtent(
            extent,
            window: window,
            stride: stride,
            dilation: 1,
            isHeight: true
          )
          #expect(output == (extent + stride - 1) / stride)
        }
      }
    }
  }

  @Test func activationsCompose() {
    #expect(Activation.relu.followed(by: .relu6) == .relu6)
    #expect(Activation.relu6.followed(by: .relu) == .relu6)
    #expect(Activation.none.followed(by: .reluN1To1) == .reluN1To1)
    #expect(Activation.relu.followed(by: .reluN1To1) == nil)
    for first in Activation.allCases {
      #expect(first.followed(by: first) == first)
      #expect(first.followed(by: .none) == first)
    }
  }

  @Test func costsAreMultiplyAccumulates() {
    let image = TensorType(.float32, [1, 8, 8, 3])
    let filter = TensorType(.float32, [4, 3, 3, 3])
    let output = TensorType(.float32, [1, 8, 8, 4])
    #expect(Conv2D().cost(inputs: [image, filter], outputs: [output]).macs == 8 * 8 * 4 * 27)
    let depthwise = TensorType(.float32, [1, 3, 3, 3])
    #expect(
      DepthwiseConv2D().cost(inputs: [image, depthwise], outputs: [image]).macs == 8 * 8 * 3 * 9
    )
    let x = TensorType(.float32, [2, 5])
    let weights = TensorType(.float32, [4, 5])
    let y = TensorType(.float32, [2, 4])
    #expect(FullyConnected().cost(inputs: [x, weights], outputs: [y]).macs == 40)
    #expect(Unary(.relu).cost(inputs: [x], outputs: [x]) == Cost(elementwise: 10))
    #expect(Reshape([10]).cost(inputs: [x], outputs: [x]) == Cost())
  }
}

@Suite struct GraphTests {
  private func network() throws -> Graph {
    var graph = Graph(name: "net")
    let x = graph.addInput("x", TensorType(.float32, [1, 4, 4, 2]))
    let filter = graph.addConstant(
      "filter",
      Tensor([Float](repeating: 0.5, count: 54), [3, 3, 3, 2])
    )
    let conv = try graph.addNode(
      "conv",
      Conv2D(padding: .same, activation: .relu),
      [x, filter, nil]
    )
    let parts = try graph.addNode("split", Split(axis: 3, sizes: [1, 2]), conv)
    graph.outputs = parts
    graph.outputNames[parts[1]] = "rest"
    return graph
  }

  @Test func dumpIsAGoldenFile() throws {
    let difference = Golden.mismatch(try network().dump(), "Tests/Goldens/graph.txt")
    #expect(difference == nil, "\(difference ?? "")")
  }

  @Test func soundGraphsAreValid() throws {
    let graph = try network()
    #expect(graph.validate().isEmpty)
    #expect(graph.parameterCount == 54)
    #expect(graph.cost.macs == 4 * 4 * 3 * 18)
    forAll(count: 30) { rng in try #require(try RandomGraph.make(&rng).validate().isEmpty) }
  }

  @Test func everyKindOfFaultIsFound() throws {
    func codes(_ change: (inout Graph) -> Void) throws -> Set<String> {
      var graph = try network()
      change(&graph)
      return Set(graph.validate().map(\.code))
    }
    #expect(
      try codes { $0[$0.nodes[0].inputs[1] ?? $0.outputs[0]].type.shape = [54] }.contains("GRF010")
    )
    #expect(try codes { $0.nodes.swapAt(0, 1) } == ["GRF011"])
    #expect(try codes { $0[$0.outputs[0]].type.shape = [1] } == ["GRF012"])
    #expect(try codes { $0.nodes.append($0.nodes[0]) } == ["GRF014"])
    #expect(
      try codes { $0.outputs.append($0.add(Value(name: "v", type: TensorType(.float32, [])))) }
        == ["GRF015"]
    )
  }

  @Test func compactingDropsWhatNothingUses() throws {
    var graph = try network()
    graph.addConstant("unused", Tensor([1.0], [1]))
    let compact = graph.compacted()
    #expect(compact.values.count == graph.values.count - 1)
    #expect(compact.dump() == graph.dump())
    #expect(compact.outputs.map(compact.outputName) == ["split", "rest"])
  }

  @Test func addingANodeSaysWhereItFails() throws {
    var graph = Graph(name: "g")
    let x = graph.addInput("x", TensorType(.float32, [2]))
    let fault = #expect(throws: Diagnostic.self) {
      try graph.addNode("turn", Transpose([1, 0]), [x])
    }
    #expect(fault?.location == ["node 'turn'"])
    #expect(graph.nodes.isEmpty)
  }

  @Test func namesBecomeUnique() throws {
    var graph = Graph(name: "g")
    let x = graph.addInput("x", TensorType(.float32, [2]))
    let first = try graph.addNode("y", Unary(.relu), [x], outputNames: ["x"])
    let second = try graph.addNode("y", Unary(.relu), first)
    graph.outputs = try graph.addNode("y", Unary(.relu), second)
    #expect(graph.uniquelyNamed().values.map(\.name) == ["x", "x_1", "y_1", "y"])
  }

  @Test func namesAreGivenOutOnce() {
    var names = UniqueNames(["a"])
    #expect(
      ["a", "a", "b", "a_1", "b"].map { names.unique($0) } == ["a_1", "a_2", "b", "a_1_1", "b_1"]
    )
    #expect(!names.take("b") && names.take("c"))
    names.free("b")
    #expect(names.unique("b") == "b")
    var parts = UniqueNames(separator: "/", first: 2)
    #expect(["x", "x", "x"].map { parts.unique($0) } == ["x", "x/2", "x/3"])
  }

  @Test func theIndexKnowsWhoReads() throws {
    let graph = try network()
    let index = GraphIndex(graph)
    let conv = graph.nodes[0].outputs[0]
    #expect(index.producer(of: conv) == 0)
    #expect(index.soleReader(of: conv) == 1)
    #expect(index.soleReader(of: graph.outputs[0]) == nil)
    #expect(index.isInput(graph.inputs[0]))
    #expect(index.isOutput(graph.outputs[1]))
  }

  @Test func theTableHasEveryOperatorOnce() {
    let names = OperatorTable.rows.map(\.name)
    #expect(Set(names).count == names.count)
    #expect(names == names.sorted())
  }
}

@Suite struct PatchTests {
  @Test func redirectsLeaveOutputsAndFollowChains() throws {
    var graph = Graph(name: "g")
    let x = graph.addInput("x", TensorType(.float32, [2]))
    let a = try graph.addNode("a", Unary(.relu), [x])[0]
    let b = try graph.addNode("b", Unary(.abs), [a])[0]
    let c = try graph.addNode("c", Unary(.exp), [b])[0]
    graph.outputs = [b, c]
    var patch = GraphPatch(graph)
    #expect(patch.isEmpty)
    patch.redirect(b, to: a)
    patch.redirect(a, to: x)
    patch.remove(0)
    #expect(patch.touches(0) && !patch.touches(1))
    let result = patch.applied(to: graph)
    #expect(result.outputs == [b, c])
    #expect(result.nodes.map(\.inputs) == [[x], [x]])
    #expect(result.validate().isEmpty)
  }

  @Test func replacementsStandWhereTheNodeStood() throws {
    var graph = Graph(name: "g")
    let x = graph.addInput("x", TensorType(.float32, [2]))
    graph.outputs = try graph.addNode("a", Unary(.square), [x])
    var patch = GraphPatch(graph)
    let middle = patch.add(Value(name: "middle", type: graph[x].type))
    patch.replace(
      0,
      with: [
        Node(name: "first", op: Unary(.abs), inputs: [x], outputs: [middle]),
        Node(name: "second", op: Unary(.square), inputs: [middle], outputs: graph.outputs),
      ]
    )
    let result = patch.applied(to: graph)
    #expect(result.validate().isEmpty)
    #expect(result.nodes.map(\.name) == ["first", "second"])
  }
}
