import AssayBase
import AssayGraph
import AssayKernels
import AssayTensor
import AssayTestSupport
import Testing

@testable import AssayAutodiff

/// The gradient of every operator against finite differences, and its forward pass against the
/// evaluator.
@Suite struct GradientTests {
  /// A tensor whose elements keep away from zero, where rectifiers have a kink.
  static func off(_ rng: inout SeededRNG, _ shape: Shape) -> Tensor {
    Tensor(
      (0..<shape.count).map { _ in
        let x = rng.uniform(0.1, 2)
        return rng.bool() ? x : -x
      },
      shape
    )
  }

  static func check(
    count: Int = 12,
    forward: Bool = true,
    _ make: (inout SeededRNG) -> GradientCheck
  ) {
    forAll(count: count) { rng in
      let check = make(&rng)
      try check.run(&rng, threads: rng.pick([1, 2, 3]))
      if forward { try check.compareForward() }
    }
  }

  @Test func convolutions() {
    Self.check(count: 30) { rng in
      let groups = rng.pick([1, 1, 2])
      let (inputs, outputs) = (rng.int(1...4) * groups, rng.int(1...5) * groups)
      let (kh, kw) = (rng.int(1...3), rng.int(1...3))
      let padding: Padding = rng.pick([
        .same, .valid, .explicit(top: 1, bottom: 0, left: 2, right: 1),
      ])
      let activation = rng.pick([Activation.none, .none, .relu6])
      return GradientCheck(
        op: Conv2D(
          strides: Size2D(rng.int(1...2), rng.int(1...2)),
          dilations: Size2D(rng.int(1...2), 1),
          padding: padding,
          activation: activation
        ),
        inputs: [rng.tensor([rng.int(1...3), 7, 6, inputs])],
        constants: [
          rng.tensor([outputs, kh, kw, inputs / groups]), rng.bool() ? rng.tensor([outputs]) : nil,
        ],
        step: activation == .none ? 1e-2 : 1e-3,
        tolerance: activation == .none ? 2e-2 : 6e-2
      )
    }
  }

  @Test func convolutionsOfSignals() {
    Self.check(count: 30) { rng in
      let (inputs, outputs) = (rng.int(1...12), rng.int(1...22))
      let (taps, dilation) = (rng.int(2...7), rng.pick([1, 2, 3]))
      let reach = (taps - 1) * dilation
      let padding: Padding = rng.pick([
        .same, .valid, .explicit(top: 0, bottom: 0, left: reach, right: 0),
      ])
      let isTall = rng.bool()
      let length = reach + rng.int(17...50)
      return GradientCheck(
        op: Conv2D(
          dilations: isTall ? Size2D(dilation, 1) : Size2D(1, dilation),
          padding: isTall && padding != .same && padding != .valid
            ? .explicit(top: reach, bottom: 0, left: 0, right: 0) : padding
        ),
        inputs: [rng.tensor(isTall ? [2, length, 1, inputs] : [2, 1, length, inputs])],
        constants: [
          rng.tensor(isTall ? [outputs, taps, 1, inputs] : [outputs, 1, taps, inputs]),
          rng.tensor([outputs]),
        ]
      )
    }
  }

  @Test func depthwiseConvolutions() {
    Self.check(count: 30) { rng in
      let channels = rng.pick([1, 3, 5, 16, 20])
      let multiplier = rng.pick([1, 1, 2])
      return GradientCheck(
        op: DepthwiseConv2D(
          strides: Size2D(rng.int(1...2), rng.int(1...2)),
          dilations: Size2D(1, rng.int(1...2)),
          padding: rng.pick([.same, .valid])
        ),
        inputs: [rng.tensor([rng.int(1...2), 8, 7, channels])],
        constants: [
          rng.tensor([1, rng.int(1...3), rng.int(1...3), channels * multiplier]),
          rng.tensor([channels * multiplier]),
        ]
      )
    }
  }

  @Test func transposedConvolutions() {
    Self.check(count: 16) { rng in
      let (inputs, outputs, stride) = (rng.int(1...3), rng.int(1...4), rng.int(1...2))
      let (h, w) = (rng.int(3...5), rng.int(2...4))
      return GradientCheck(
        op: TransposeConv2D(
          strides: Size2D(stride, stride),
          padding: .same,
          outputSize: Size2D(h * stride, w * stride)
        ),
        inputs: [rng.tensor([2, h, w, inputs])],
        constants: [rng.tensor([outputs, 3, 2, inputs]), rng.tensor([outputs])]
      )
    }
  }

  @Test func denseLayers() {
    Self.check { rng in
      let (inputs, outputs) = (rng.int(1...40), rng.int(1...40))
      return GradientCheck(
        op: FullyConnected(),
        inputs: [rng.tensor([rng.int(1...9), inputs])],
        constants: [rng.tensor([outputs, inputs]), rng.bool() ? rng.tensor([outputs]) : nil]
      )
    }
  }

  @Test func products() {
    Self.check(count: 20) { rng in
      let (m, k, n) = (rng.int(1...9), rng.int(1...9), rng.int(1...9))
      let (turnsA, turnsB) = (rng.bool(), rng.bool())
      let lead = rng.pick([[], [3]])
      return GradientCheck(
        op: MatMul(transposesA: turnsA, transposesB: turnsB),
        inputs: [
          rng.tensor(Shape([2] + lead + (turnsA ? [k, m] : [m, k]))),
          rng.tensor(Shape([2] + lead + (turnsB ? [n, k] : [k, n]))),
        ]
      )
    }
  }

  @Test func productsWithOneMatrix() {
    Self.check { rng in
      GradientCheck(
        op: MatMul(),
        inputs: [rng.tensor([3, 4, 5])],
        constants: [rng.tensor([5, rng.int(1...6)])]
      )
    }
  }

  @Test func batchNormalizationInTraining() {
    forAll(count: 12) { rng in
      let channels = rng.int(1...6)
      let check = GradientCheck(
        op: BatchNorm(epsilon: 1e-3),
        inputs: [rng.tensor([4, 3, 3, channels])],
        constants: [
          rng.tensor([channels]), rng.tensor([channels]), rng.tensor([channels]),
          Tensor((0..<channels).map { _ in rng.uniform(0.5, 2) }, [channels]),
        ]
      )
      try check.run(&rng)
      try check.compareForward()
    }
  }

  @Test func layerNormalization() {
    Self.check { rng in
      let extent = rng.int(2...9)
      return GradientCheck(
        op: LayerNorm(epsilon: 1e-3),
        inputs: [rng.tensor([3, 4, extent])],
        constants: [rng.tensor([extent]), rng.tensor([extent])]
      )
    }
  }

  @Test func pooling() {
    Self.check(count: 30) { rng in
      let kind: Pool2D.Kind = rng.pick([.max, .average])
      let shape: Shape = [2, 6, 7, rng.pick([1, 3, 16, 21])]
      // Distinct elements: ties have no slope.
      let elements = (0..<shape.count).map { Float($0) * 0.05 }.shuffled(using: &rng)
      return GradientCheck(
        op: Pool2D(
          kind,
          window: Size2D(rng.int(1...3), rng.int(1...3)),
          strides: Size2D(rng.int(1...2), rng.int(1...2)),
          padding: rng.pick([.same, .valid])
        ),
        inputs: [Tensor(elements, shape)]
      )
    }
  }

  @Test func resizing() {
    Self.check(count: 20) { rng in
      GradientCheck(
        op: Resize2D(
          rng.pick([.nearest, .bilinear]),
          size: Size2D(rng.int(1...9), rng.int(1...9)),
          usesHalfPixels: rng.bool()
        ),
        inputs: [rng.tensor([2, rng.int(1...4), rng.int(2...5), 3])]
      )
    }
  }

  static let smooth: [Unary.Kind] = [
    .sigmoid, .tanh, .exp, .negative, .square, .sin, .cos, .gelu, .geluApproximate, .erf,
  ]
  static let kinked: [Unary.Kind] = [.relu, .relu6, .abs, .elu, .hardSwish]
  static let positive: [Unary.Kind] = [.log, .sqrt, .rsqrt]

  @Test(arguments: smooth + kinked + positive)
  func functions(kind: Unary.Kind) {
    Self.check(count: 4) { rng in
      let x = Self.off(&rng, [2, 5, 3])
      let input = Self.positive.contains(kind) ? Tensor(x.floats().map(\.magnitude), x.shape) : x
      return GradientCheck(op: Unary(kind), inputs: [input], tolerance: 3e-2)
    }
  }

  @Test(
    arguments: [
      Binary.Kind.add, .subtract, .multiply, .divide, .maximum, .minimum, .squaredDifference,
    ]
  )
  func operations(kind: Binary.Kind) {
    Self.check(count: 10) { rng in
      let other: Shape = rng.pick([[2, 3, 4], [4], [1, 3, 1], [2, 1, 4], []])
      let swaps = rng.bool()
      let (a, b) = (rng.tensor([2, 3, 4]), Self.off(&rng, other))
      // The operand with the samples comes first as the graph's inputs share one batch.
      if other.rank == 3, other[0] == 2 {
        return GradientCheck(
          op: Binary(kind),
          inputs: swaps ? [b, Self.off(&rng, [2, 3, 4])] : [a, b]
        )
      }
      return GradientCheck(op: Binary(kind), inputs: [a], constants: [b])
    }
  }

  @Test func aValueThatMeetsItself() throws {
    forAll(count: 4) { rng in
      var graph = Graph(name: "square")
      let x = graph.addInput("x", TensorType(.float32, [2, 3]))
      let w = graph.addConstant("w", rng.tensor([3, 3]))
      let y = try graph.addNode("dense", FullyConnected(), [x, w])[0]
      let sum = try graph.addNode("sum", Binary(.add), [y, y])[0]
      graph.outputs = try graph.addNode("product", Binary(.multiply), [sum, y])
      let model = try TrainableGraph(graph, batch: 2)
      let input = try #require(model.value(model.graph.inputs[0]))
      for index in 0..<6 { input[index] = rng.normal() }
      try model.forward(training: true)
      let seed = try #require(model.seed(model.graph.outputs[0]))
      seed.fill(1)
      try model.backward()
      let gradient = try #require(model.parameters[0].gradient)
      // The loss is the sum of 2 y^2: dw[o][i] = sum 4 y[n][o] x[n][i].
      let values = try #require(model.value(y))
      for o in 0..<3 {
        for i in 0..<3 {
          let expected = (0..<2).reduce(Float(0)) {
            $0 + 4 * values[$1 * 3 + o] * input[$1 * 3 + i]
          }
          try #require(
            (gradient[o * 3 + i] - expected).magnitude < 1e-4 * max(1, expected.magnitude)
          )
        }
      }
    }
  }

  @Test func rectifiersWithSlopes() {
    Self.check { rng in GradientCheck(op: LeakyReLU(alpha: 0.2), inputs: [Self.off(&rng, [2, 7])]) }
    Self.check { rng in
      GradientCheck(op: PReLU(), inputs: [Self.off(&rng, [2, 3, 4])], constants: [rng.tensor([4])])
    }
  }

  @Test func softmax() {
    Self.check { rng in
      GradientCheck(op: Softmax(axis: rng.pick([-1, 1])), inputs: [rng.tensor([2, 4, 5])])
    }
    Self.check { rng in
      GradientCheck(op: LogSoftmax(axis: rng.pick([-1, 1])), inputs: [rng.tensor([2, 4, 5])])
    }
  }

  @Test(arguments: [Reduce.Kind.mean, .sum, .max, .min, .product])
  func reductions(kind: Reduce.Kind) {
    Self.check(count: 8) { rng in
      let shape: Shape = [2, 3, 4]
      let elements = (0..<24).map { 0.5 + Float($0) * 0.06 }.shuffled(using: &rng)
      return GradientCheck(
        op: Reduce(kind, axes: rng.pick([[1], [2], [1, 2], [-1]]), keepsAxes: rng.bool()),
        inputs: [Tensor(elements, shape)],
        tolerance: 3e-2
      )
    }
  }

  @Test func movements() {
    let cases: [(any Operator, Shape)] = [
      (Transpose([0, 2, 1]), [2, 3, 4]), (Transpose([2, 0, 1]), [2, 3, 4]),
      (Slice(begin: [0, 1, 0], sizes: [2, 2, 2], steps: [1, 1, 2]), [2, 4, 4]),
      (Split(axis: 1, sizes: [1, 3]), [2, 4, 3]),
      (Pad(before: [0, 1, 0], after: [0, 2, 1], value: 0.5), [2, 3, 2]),
      (Pad(before: [0, 1, 2], after: [0, 2, 1], mode: .reflect), [2, 4, 4]),
      (Pad(before: [0, 1, 2], after: [0, 2, 1], mode: .symmetric), [2, 4, 4]),
      (Pad(before: [0, 1, 2], after: [0, 2, 1], mode: .edge), [2, 4, 4]),
      (Tile([1, 2, 3]), [2, 3, 2]), (BroadcastTo([2, 3, 4]), [2, 1, 4]),
      (Reshape([2, 12]), [2, 3, 4]), (DepthToSpace(blockSize: 2), [2, 2, 3, 8]),
      (SpaceToDepth(blockSize: 2), [2, 4, 6, 3]),
    ]
    for (op, shape) in cases {
      Self.check(count: 3) { rng in GradientCheck(op: op, inputs: [rng.tensor(shape)]) }
    }
    Self.check { rng in
      GradientCheck(
        op: Concat(axis: 1),
        inputs: [rng.tensor([2, 3, 2]), rng.tensor([2, 1, 2]), rng.tensor([2, 4, 2])]
      )
    }
  }

  @Test func embeddings() throws {
    var graph = Graph(name: "table")
    let x = graph.addInput("x", TensorType(.int32, [2, 3]))
    let table = graph.addConstant("table", Tensor([Float]([0, 1, 2, 3, 4, 5, 6, 7]), [4, 2]))
    graph.outputs = try graph.addNode("look", Gather(axis: 0), [table, x])
    let model = try TrainableGraph(graph, batch: 2)
    let input = try #require(model.value(model.graph.inputs[0]))
    for (index, value) in [Float(3), 0, 3, 1, 3, -1].enumerated() { input[index] = value }
    try model.forward(training: true)
    #expect(model.value(model.graph.outputs[0])?.array == [6, 7, 0, 1, 6, 7, 2, 3, 6, 7, 6, 7])
    model.seed(model.graph.outputs[0])?.fill(1)
    try model.backward()
    #expect(model.parameters[0].gradient?.array == [1, 1, 1, 1, 0, 0, 4, 4])
  }

  @Test func selection() {
    Self.check(count: 3, forward: false) { rng in
      GradientCheck(
        op: Select(),
        inputs: [
          Tensor((0..<6).map { _ in rng.bool() ? Float(1) : 0 }, [2, 3]), rng.tensor([2, 3]),
          rng.tensor([2, 3]),
        ]
      )
    }
  }

  @Test func dropoutDropsAPartAndKeepsTheMean() throws {
    var graph = Graph(name: "dropout")
    let x = graph.addInput("x", TensorType(.float32, [1, 4000]))
    let w = graph.addConstant("w", Tensor([Float](repeating: 1, count: 4000), [4000]))
    let y = try graph.addNode("dropout", Dropout(rate: 0.25), [x])[0]
    graph.outputs = try graph.addNode("prelu", PReLU(), [y, w])
    var options = TrainableGraph.Options()
    options.seed = 3
    let model = try TrainableGraph(graph, batch: 2, options: options)
    try #require(model.value(model.graph.inputs[0])).fill(1)
    try model.forward(training: true, step: 1)
    let first = try #require(model.value(y)).array
    let zeros = first.count { $0 == 0 }
    #expect((1800...2200).contains(zeros))
    #expect(Set(first).count == 2)
    #expect((first.reduce(0, +) / 8000 - 1).magnitude < 0.03)
    try model.forward(training: true, step: 2)
    #expect(model.value(y)?.array != first)
    try model.forward(training: true, step: 1)
    #expect(model.value(y)?.array == first)
    try model.forward(training: false, step: 1)
    #expect(model.value(y)?.array == [Float](repeating: 1, count: 8000))
  }

  @Test func fakeQuantizationRoundsAsTheExporterAndPassesStraightThrough() throws {
    let op = FakeQuantize(isSymmetric: false, range: .learned)
    var graph = Graph(name: "fake")
    let x = graph.addInput("x", TensorType(.float32, [1, 5]))
    let low = graph.addConstant("low", Tensor([Float(-1)], [1]))
    let high = graph.addConstant("high", Tensor([Float(3)], [1]))
    graph.outputs = try graph.addNode("fake", op, [x, low, high])
    var options = TrainableGraph.Options()
    options.hasInputGradients = true
    let model = try TrainableGraph(graph, batch: 1, options: options)
    let (scale, zero) = op.scheme(low: -1, high: 3)
    let quantization = Quantization(scale: scale, zeroPoint: zero)
    let input = try #require(model.value(model.graph.inputs[0]))
    for (index, value) in [Float(-2), -0.501, 0.017, 2.9, 4].enumerated() { input[index] = value }
    try model.forward(training: true)
    let output = try #require(model.value(model.graph.outputs[0]))
    for index in 0..<5 {
      let integer = quantization.quantize(input[index], to: -128...127)
      #expect(output[index] == quantization.dequantize(integer))
    }
    try #require(model.seed(model.graph.outputs[0])).fill(2)
    try model.backward()
    #expect(model.gradient(ofInput: model.graph.inputs[0])?.array == [0, 2, 2, 2, 0])
    #expect(model.parameters.map { $0.gradient?.array } == [[2], [2]])
  }

  @Test func rangesFollowTheData() throws {
    for (range, expected) in [
      (FakeQuantize.Range.current, [Float(-4), 6]), (.movingAverage(momentum: 0.5), [-2.5, 4]),
      (.fixed, [0, 0]),
    ] {
      var graph = Graph(name: "fake")
      let x = graph.addInput("x", TensorType(.float32, [1, 2]))
      let w = graph.addConstant("w", Tensor([Float(1), 1], [2]))
      let low = graph.addConstant("low", Tensor([Float(0)], [1]))
      let high = graph.addConstant("high", Tensor([Float(0)], [1]))
      let y = try graph.addNode("prelu", PReLU(), [x, w])[0]
      let op = FakeQuantize(isSymmetric: false, range: range)
      graph.outputs = try graph.addNode("fake", op, [y, low, high])
      let model = try TrainableGraph(graph, batch: 1)
      let input = try #require(model.value(model.graph.inputs[0]))
      for (a, b) in [(Float(-1), Float(2)), (-4, 6)] {
        (input[0], input[1]) = (a, b)
        try model.forward(training: true)
      }
      let ends = model.parameters.filter { $0.role == .range }.map { $0.value[0] }
      #expect(ends == expected, "\(range)")
      let trained = model.trained.withoutTrainingOperators()
      #expect(trained.nodes.map(\.op.name) == ["PReLU"])
    }
  }

  @Test func anOperatorWithoutGradientIsNamed() throws {
    var graph = Graph(name: "ranking")
    let x = graph.addInput("x", TensorType(.float32, [1, 4]))
    let w = graph.addConstant("w", Tensor([Float](repeating: 1, count: 16), [4, 4]))
    let y = try graph.addNode("dense", FullyConnected(), [x, w])[0]
    graph.outputs = [try graph.addNode("top", TopK(2), [y])[0]]
    do {
      _ = try TrainableGraph(graph, batch: 1)
      Issue.record("it was compiled")
    } catch let fault as Diagnostic {
      #expect(fault.code == "TRN001")
      #expect(fault.summary.contains("TopK"))
      #expect(fault.location == ["node 'top'"])
    }
  }

  @Test func aNetworkForOneSampleIsTrainedOnSeveral() throws {
    // The rows of a series through a dense layer, as converters write it: samples and moments in one
    // axis.
    var graph = Graph(name: "rows")
    let x = graph.addInput("x", TensorType(.float32, [1, 3, 2]))
    let w = graph.addConstant("w", Tensor([Float]([1, -2]), [1, 2]))
    let rows = try graph.addNode("rows", Reshape([3, 2]), [x])
    let dense = try graph.addNode("dense", FullyConnected(), [rows[0], w])
    graph.outputs = try graph.addNode("back", Reshape([1, 3, 1]), dense)
    let model = try TrainableGraph(graph, batch: 2)
    let output = model.graph.outputs[0]
    #expect(model.graph[output].type.shape == [2, 3, 1])
    let input = try #require(model.value(model.graph.inputs[0]))
    for index in 0..<12 { input[index] = Float(index) }
    try model.forward(training: true)
    let wanted: [Float] = [-2, -4, -6, -8, -10, -12]
    #expect(model.value(output)?.array == wanted)
    model.seed(output)?.fill(1)
    try model.backward()
    #expect(model.parameters[0].gradient?.array == [30, 36])
    // What goes across the samples cannot be.
    var mixed = graph
    mixed.outputs = try mixed.addNode("share", Softmax(axis: 0), graph.outputs)
    let fault = #expect(throws: Diagnostic.self) { try TrainableGraph(mixed, batch: 2) }
    #expect(fault?.code == "TRN003" && fault?.cause?.contains("'share'") == true)
    _ = try TrainableGraph(mixed, batch: 1)
  }

  @Test func theNumberOfThreadsChangesNothing() throws {
    var rng = SeededRNG(seed: 9)
    var graph = Graph(name: "network")
    let x = graph.addInput("x", TensorType(.float32, [1, 12, 12, 3]))
    let w = graph.addConstant("w", rng.tensor([20, 3, 3, 3]))
    let d = graph.addConstant("d", rng.tensor([1, 3, 3, 20]))
    let f = graph.addConstant("f", rng.tensor([10, 20 * 36]))
    let a = try graph.addNode("conv", Conv2D(padding: .same, activation: .relu), [x, w])[0]
    let b = try graph.addNode("depthwise", DepthwiseConv2D(padding: .same), [a, d])[0]
    let c = try graph.addNode(
      "pool",
      Pool2D(.max, window: Size2D(2, 2), strides: Size2D(2, 2)),
      [b]
    )[0]
    let e = try graph.addNode("flat", Reshape([1, 720]), [c])[0]
    graph.outputs = try graph.addNode("dense", FullyConnected(), [e, f])
    let inputs = (0..<8 * 12 * 12 * 3).map { _ in rng.normal() }
    let results = try [1, 2, 3].map { threads in
      var options = TrainableGraph.Options()
      options.threads = threads
      let model = try TrainableGraph(graph, batch: 8, options: options)
      for index in inputs.indices { model.value(model.graph.inputs[0])?[index] = inputs[index] }
      try model.forward(training: true)
      model.seed(model.graph.outputs[0])?.fill(0.5)
      try model.backward()
      return model.parameters.map { $0.gradient?.array ?? [] }
    }
    #expect(results[0] == results[1])
    #expect(results[0] == results[2])
    #expect(results[0].allSatisfy { $0.contains { $0 != 0 } })
  }

  @Test(
    "a ReLU joined to the layer before it, and taken back by the normalization behind it, changes no bit",
    arguments: [Unary.Kind.relu, .relu6, .reluN1To1]
  )
  func joinedActivations(kind: Unary.Kind) throws {
    var rng = SeededRNG(seed: 4)
    var graph = Graph(name: "network")
    let x = graph.addInput("x", TensorType(.float32, [1, 9, 9, 3]))
    func constant(_ name: String, _ shape: [Int]) -> ValueID {
      graph.addConstant(name, rng.tensor(Shape(shape)))
    }
    func normalized(_ name: String, _ x: ValueID, _ channels: Int) throws -> ValueID {
      let ones = Tensor([Float](repeating: 1, count: channels), [channels])
      return try graph.addNode(
        name,
        BatchNorm(epsilon: 1e-3),
        [
          x, constant("\(name)/scale", [channels]), constant("\(name)/offset", [channels]),
          constant("\(name)/mean", [channels]), graph.addConstant("\(name)/variance", ones),
        ]
      )[0]
    }
    let conv = try graph.addNode(
      "conv",
      Conv2D(padding: .same),
      [x, constant("w", [20, 3, 3, 3]), constant("b", [20])]
    )[0]
    let first = try graph.addNode("act", Unary(kind), [conv])[0]
    let a = try normalized("norm", first, 20)
    let deep = try graph.addNode(
      "depthwise",
      DepthwiseConv2D(padding: .same),
      [a, constant("d", [1, 3, 3, 20])]
    )[0]
    // Read twice: joined to its layer, but nothing takes it back.
    let second = try graph.addNode("act2", Unary(kind), [deep])[0]
    let both = try graph.addNode(
      "both",
      Binary(.add),
      [try normalized("norm2", second, 20), second]
    )[0]
    graph.outputs = [both]
    let inputs = (0..<4 * 81 * 3).map { _ in rng.normal() }

    /// The gradients, and the node that the ReLUs' outputs are made by.
    func gradients(_ graph: Graph) throws -> (all: [[Float]], outputs: [Float], joined: [Bool]) {
      var options = TrainableGraph.Options()
      options.hasInputGradients = true
      options.seeds = [both]
      let model = try TrainableGraph(graph, batch: 4, options: options)
      let input = try #require(model.graph.inputs.first)
      for index in inputs.indices { model.value(input)?[index] = inputs[index] }
      try model.forward(training: true)
      let seed = try #require(model.seed(model.seeds[0]))
      for index in 0..<seed.count { seed[index] = Float(index % 7) - 2.5 }
      try model.backward()
      let joined = JoinedActivations(model.graph, seeds: model.seeds)
      return (
        model.parameters.map { $0.gradient?.array ?? [] }
          + [model.gradient(ofInput: input)?.array ?? []],
        model.value(model.seeds[0])?.array ?? [], joined.isTakenOver
      )
    }
    let joined = try gradients(graph)
    // What leaves the network stays as it is.
    graph.outputs = [both, first, second, conv, deep]
    let plain = try gradients(graph)
    #expect(joined.joined.filter { $0 }.count == 2 && !plain.joined.contains(true))
    #expect(joined.outputs == plain.outputs)
    #expect(joined.all == plain.all)
    #expect(joined.all.contains { $0.contains { $0 != 0 } })
  }
}
