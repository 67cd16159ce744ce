import AssayBase
import AssayEvaluator
import AssayGraph
import AssayKernels
import AssayReference
import AssayTensor
import AssayTestSupport
import Testing

/// A graph of one operator with its arguments; `constants` tells which inputs are Constants.
struct Problem {
  var graph = Graph(name: "problem")
  var inputs: [String: Tensor] = [:]

  init(_ op: any Operator, _ arguments: [Tensor?], constants: Set<Int> = []) throws {
    let ids = arguments.enumerated().map { index, tensor -> ValueID? in
      guard let tensor else { return nil }
      if constants.contains(index) { return graph.addConstant("c\(index)", tensor) }
      inputs["x\(index)"] = tensor
      return graph.addInput("x\(index)", tensor.type)
    }
    graph.outputs = try graph.addNode("y", op, ids)
  }

  /// Throws unless every kernel set gives what the reference gives.
  func check(
    _ tolerance: Float? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let expected = try ReferenceEvaluator(graph).run(inputs)
    // A clamped result is compared with its bound, not with the sums that led to it.
    let isClamped = graph.nodes[0].op.attributes.contains {
      $0.name == "activation" && $0.value != "none"
    }
    let bound = tolerance ?? graph.nodes[0].op.tolerance.relative * (isClamped ? 5 : 1.5)
    for kernels in Kernels.all {
      let evaluator = try Evaluator(graph, threads: 2, kernels: kernels)
      let results = try evaluator.run(inputs)
      try #require(results.count == expected.count)
      for (result, want) in zip(results, expected) {
        try #require(result.name == want.name && result.tensor.type == want.tensor.type)
        let difference = largestDifference(result.tensor.floats(), want.tensor.floats()).relative
        try #require(
          difference <= bound,
          "\(kernels.name): \(difference)\n\(graph.dump())",
          sourceLocation: sourceLocation
        )
      }
    }
  }
}

/// Every operator against the reference, over seeded shapes and attributes.
@Suite struct OperatorTests {
  static func padding(_ rng: inout SeededRNG) -> Padding {
    rng.pick([
      .same, .valid,
      .explicit(top: rng.int(0...2), bottom: rng.int(0...2), left: rng.int(0...2), right: 1),
    ])
  }

  static func size(_ rng: inout SeededRNG, _ range: ClosedRange<Int>) -> Size2D {
    Size2D(rng.int(range), rng.int(range))
  }

  static let activations: [Activation] = [.none, .relu, .relu6, .reluN1To1]

  @Test func everyOperatorCanBeExecuted() {
    for row in OperatorTable.rows { #expect(Evaluator.canEvaluate(row.example), "\(row.name)") }
    #expect(!Evaluator.canEvaluate(Opaque("custom", outputTypes: [])))
  }

  @Test func convolutions() {
    forAll(count: 80) { rng in
      let groups = rng.pick([1, 1, 2, 4])
      let (channels, outputs) = (rng.int(1...20), rng.int(1...40) * groups)
      let filter = Shape([outputs, rng.int(1...4), rng.int(1...4), channels])
      let op = Conv2D(
        strides: Self.size(&rng, 1...3),
        dilations: Self.size(&rng, 1...2),
        padding: Self.padding(&rng),
        activation: rng.pick(Self.activations)
      )
      let image = Shape([rng.int(1...2), rng.int(7...11), rng.int(7...11), channels * groups])
      let bias = rng.bool() ? rng.tensor([outputs]) : nil
      try Problem(
        op,
        [rng.tensor(image), rng.tensor(filter), bias],
        constants: rng.pick([[1, 2], [1, 2], [1], []])
      ).check()
    }
  }

  @Test func depthwiseConvolutions() {
    forAll(count: 60) { rng in
      let channels = rng.int(1...40)
      let multiplier = rng.pick([1, 1, 1, 2, 3])
      let op = DepthwiseConv2D(
        strides: Self.size(&rng, 1...2),
        dilations: Self.size(&rng, 1...2),
        padding: Self.padding(&rng),
        activation: rng.pick(Self.activations)
      )
      let filter = Shape([1, rng.int(1...4), rng.int(1...4), channels * multiplier])
      let image = Shape([rng.int(1...2), rng.int(7...9), rng.int(7...9), channels])
      let bias = rng.bool() ? rng.tensor([channels * multiplier]) : nil
      try Problem(
        op,
        [rng.tensor(image), rng.tensor(filter), bias],
        constants: rng.pick([[1, 2], []])
      ).check()
    }
  }

  @Test func transposedConvolutions() {
    forAll(count: 60) { rng in
      let padding = Self.padding(&rng)
      let strides = Self.size(&rng, 1...3)
      let window = Self.size(&rng, 1...4)
      let output = Self.size(&rng, 5...12)
      let (outputs, channels) = (rng.int(1...9), rng.int(1...9))
      guard
        let height = padding.outputExtent(
          output.height,
          window: window.height,
          stride: strides.height,
          dilation: 1,
          isHeight: true
        ),
        let width = padding.outputExtent(
          output.width,
          window: window.width,
          stride: strides.width,
          dilation: 1,
          isHeight: false
        )
      else { return }
      let op = TransposeConv2D(
        strides: strides,
        padding: padding,
        outputSize: output,
        activation: rng.pick(Self.activations)
      )
      try Problem(
        op,
        [
          rng.tensor([rng.int(1...2), height, width, channels]),
          rng.tensor([outputs, window.height, window.width, channels]),
          rng.bool() ? rng.tensor([outputs]) : nil,
        ],
        constants: rng.pick([[1, 2], []])
      ).check()
    }
  }

  @Test func denseLayersAndProducts() {
    forAll(count: 60) { rng in
      let (inputs, outputs) = (rng.int(1...80), rng.int(1...80))
      let lead = rng.pick([[], [1], [5], [2, 9], [2, 1, 3]] as [[Int]])
      try Problem(
        FullyConnected(activation: rng.pick(Self.activations)),
        [
          rng.tensor(Shape(lead + [inputs])), rng.tensor([outputs, inputs]),
          rng.bool() ? rng.tensor([outputs]) : nil,
        ],
        constants: rng.pick([[1, 2], []])
      ).check()
      let op = MatMul(transposesA: rng.bool(), transposesB: rng.bool())
      let m = rng.int(1...9)
      let leads = rng.pick([([], []), ([2], [2]), ([2, 3], [3]), ([1], [4])] as [([Int], [Int])])
      try Problem(
        op,
        [
          rng.tensor(Shape(leads.0 + (op.transposesA ? [inputs, m] : [m, inputs]))),
          rng.tensor(Shape(leads.1 + (op.transposesB ? [outputs, inputs] : [inputs, outputs]))),
        ],
        constants: rng.pick([[1], []])
      ).check()
    }
  }

  @Test func pooling() {
    forAll(count: 60) { rng in
      let op = Pool2D(
        rng.bool() ? .max : .average,
        window: Self.size(&rng, 1...3),
        strides: Self.size(&rng, 1...3),
        padding: rng.pick([.same, .valid]),
        activation: rng.pick(Self.activations)
      )
      try Problem(op, [rng.tensor([2, rng.int(3...9), rng.int(3...9), rng.int(1...20)])]).check()
    }
  }

  @Test(arguments: Unary.Kind.allCases)
  func unaryFunctions(kind: Unary.Kind) {
    forAll(count: 5) { rng in
      let values = (0..<50).map { _ in 3 * rng.normal() }
      let isPositive = kind == .log || kind == .sqrt || kind == .rsqrt
      var x = Tensor(isPositive ? values.map { abs($0) + 0.01 } : values, [5, 10])
      if kind == .bitwiseNot { x = x.converted(to: rng.pick([.int32, .uint8])) ?? x }
      try Problem(Unary(kind), [x]).check()
    }
  }

  @Test(arguments: Binary.Kind.allCases)
  func binaryFunctions(kind: Binary.Kind) {
    forAll(count: 25) { rng in
      let shapes: [(Shape, Shape)] = [
        ([2, 3, 4, 5], [2, 3, 4, 5]), ([2, 3, 4, 5], [5]), ([2, 3, 4, 5], [2, 1, 1, 5]),
        ([1], [3, 4]), ([3, 4], []), ([3, 1], [1, 4]), ([4, 1, 3], [2, 1]),
        ([2, 3, 1], [2, 3, 4]),
        ([1, 1, 6], [4, 5, 6]),
      ]
      let (a, b) = rng.pick(shapes)
      let integral = kind == .equal || kind == .notEqual
      func tensor(_ shape: Shape) -> Tensor {
        if kind.isBitwise {
          return Tensor((0..<shape.count).map { _ in Int32(rng.int(-9...9)) }, shape)
        }
        return Tensor(
          (0..<shape.count).map { _ in
            if integral { return Float(rng.int(-2...2)) }
            let value = 3 * rng.normal()
            return kind == .power ? abs(value) + 0.1 : value == 0 ? 1 : value
          },
          shape
        )
      }
      let hasActivation: Set<Binary.Kind> = [.add, .subtract, .multiply, .divide]
      let activation = hasActivation.contains(kind) ? rng.pick(Self.activations) : .none
      try Problem(
        Binary(kind, activation: activation),
        [tensor(a), tensor(b)],
        constants: rng.pick([[1], [0], []])
      ).check()
    }
  }

  @Test func rectifiersChoicesAndCasts() {
    forAll(count: 20) { rng in
      try Problem(LeakyReLU(alpha: rng.uniform()), [rng.tensor([3, 17])]).check()
      let slopes: Shape = rng.pick([[5], [4, 5], [3, 1, 1]])
      try Problem(PReLU(), [rng.tensor([2, 3, 4, 5]), rng.tensor(slopes)], constants: [1]).check()
      let choices = Tensor((0..<4).map { _ in UInt8(rng.int(0...1)) }, [4, 1], dtype: .bool)
      try Problem(Select(), [choices, rng.tensor([3, 4, 5]), rng.tensor([5])]).check()
      for dtype in [DType.int32, .int8, .uint8, .bool, .float16] {
        try Problem(Cast(dtype), [rng.tensor([3, 17], scale: 20)]).check()
      }
    }
  }

  @Test func movementsOfData() {
    forAll(count: 60) { rng in
      let shape = Shape((0..<4).map { _ in rng.int(3...6) })
      let x = rng.tensor(shape)
      try Problem(Transpose([0, 1, 2, 3].shuffled(using: &rng)), [x]).check()
      try Problem(Reshape([-1, shape[3], 1]), [x]).check()
      let steps = (0..<4).map { _ in rng.pick([1, 1, 2, -1]) }
      let begin = steps.indices.map { steps[$0] < 0 ? shape[$0] - 1 : rng.int(0...1) }
      try Problem(
        Slice(begin: begin, sizes: [2, 1, 1, 2], steps: steps.map { $0 == 2 ? 1 : $0 }),
        [x]
      )
      .check()
      try Problem(Slice(begin: [0, 0, 0, 0], sizes: [2, 2, 2, 2], steps: [1, 2, 1, 2]), [x]).check()
      let axis = rng.int(-4...3)
      let extent = shape[axis]
      try Problem(Split(axis: axis, sizes: [1, extent - 1]), [x]).check()
      let indices = Tensor((0..<6).map { _ in Int32(rng.int(0...extent - 1)) }, [2, 3])
      try Problem(Gather(axis: axis), [x, indices], constants: rng.pick([[0], [1], []])).check()
      var other = shape
      other.dims[axis < 0 ? axis + 4 : axis] = 2
      try Problem(Concat(axis: axis), [x, rng.tensor(other), x], constants: rng.pick([[1], []]))
        .check()
      try Problem(
        Pad(
          before: (0..<4).map { _ in rng.int(0...2) },
          after: (0..<4).map { _ in rng.int(0...2) },
          mode: rng.pick([.constant, .constant, .reflect, .symmetric, .edge]),
          value: rng.pick([0, 1.5])
        ),
        [x]
      ).check()
    }
  }

  @Test func reductionsAndNormalizations() {
    forAll(count: 60) { rng in
      let x = rng.tensor(Shape((0..<4).map { _ in rng.int(1...6) }))
      let axes = rng.pick(
        [[1, 2], [3], [-1], [0], [0, 3], [1, 3], [0, 1, 2, 3], [2]] as [[Int]]
      )
      let kind: Reduce.Kind = rng.pick([.mean, .sum, .max, .min, .product])
      try Problem(Reduce(kind, axes: axes, keepsAxes: rng.bool()), [x]).check()
      try Problem(Softmax(axis: rng.int(-4...3), beta: rng.uniform(0.5, 2)), [x]).check()
      let channels = Shape([x.shape[3]])
      let variance = Tensor((0..<channels.count).map { _ in rng.uniform(0.1, 2) }, channels)
      try Problem(
        BatchNorm(epsilon: 1e-3),
        [
          x, rng.bool() ? rng.tensor(channels) : nil, rng.bool() ? rng.tensor(channels) : nil,
          rng.tensor(channels), variance,
        ],
        constants: rng.pick([[1, 2, 3, 4], []])
      ).check()
    }
  }

  @Test func resizing() {
    forAll(count: 60) { rng in
      let alignsCorners = rng.bool()
      try Problem(
        Resize2D(
          rng.bool() ? .nearest : .bilinear,
          size: Self.size(&rng, 1...9),
          alignsCorners: alignsCorners,
          usesHalfPixels: !alignsCorners && rng.bool()
        ),
        [rng.tensor([2, rng.int(1...6), rng.int(1...6), 3])]
      ).check()
    }
  }
}
