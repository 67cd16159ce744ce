import AssayBase
import AssayGraph
import AssayReference
import AssayTensor
import AssayTestSupport
import Testing

/// Every operator against what TensorFlow computes (Tests/Goldens/make_operator_goldens.py).
@Suite struct FloatOperatorTests {
  static let cases: [(name: String, op: any Operator)] = {
    let two = Size2D(2, 2)
    let three = Size2D(3, 3)
    var cases: [(String, any Operator)] = [
      ("conv2d_same", Conv2D(padding: .same, activation: .relu)),
      ("conv2d_stride", Conv2D(strides: Size2D(2, 1), padding: .same)),
      ("conv2d_dilated", Conv2D(dilations: two)),
      (
        "conv2d_explicit",
        Conv2D(strides: two, padding: .explicit(top: 1, bottom: 2, left: 0, right: 1))
      ),
      ("conv2d_groups", Conv2D()),
      ("depthwise_same", DepthwiseConv2D(strides: two, padding: .same, activation: .relu6)),
      ("depthwise_dilated", DepthwiseConv2D(dilations: two, padding: .same)),
      (
        "transpose_conv_same",
        TransposeConv2D(strides: two, padding: .same, outputSize: Size2D(6, 8))
      ),
      (
        "transpose_conv_valid",
        TransposeConv2D(strides: two, padding: .valid, outputSize: Size2D(7, 9))
      ),
      ("dense", FullyConnected(activation: .relu)),
      ("matmul", MatMul()),
      ("matmul_transposed", MatMul(transposesA: true, transposesB: true)),
      ("max_pool_same", Pool2D(.max, window: three, strides: two, padding: .same)),
      ("average_pool_same", Pool2D(.average, window: three, strides: two, padding: .same)),
      ("average_pool_valid", Pool2D(.average, window: two, strides: .one)),
      ("mean", Reduce(.mean, axes: [1, 2], keepsAxes: false)),
      ("sum", Reduce(.sum, axes: [0, -1], keepsAxes: true)),
      ("reduce_max", Reduce(.max, axes: [2], keepsAxes: false)),
      ("reduce_min", Reduce(.min, axes: [1, 3], keepsAxes: false)),
      ("reduce_product", Reduce(.product, axes: [3], keepsAxes: false)),
      ("softmax", Softmax(beta: 2)),
      ("softmax_axis", Softmax(axis: 1)),
      ("resize_bilinear", Resize2D(.bilinear, size: Size2D(7, 8))),
      ("resize_bilinear_half", Resize2D(.bilinear, size: Size2D(4, 7), usesHalfPixels: true)),
      ("resize_bilinear_corners", Resize2D(.bilinear, size: Size2D(9, 4), alignsCorners: true)),
      ("resize_nearest", Resize2D(.nearest, size: Size2D(7, 8))),
      ("resize_nearest_half", Resize2D(.nearest, size: Size2D(7, 8), usesHalfPixels: true)),
      ("pad_constant", Pad(before: [0, 1, 0, 1], after: [0, 2, 3, 0], value: 1.5)),
      ("pad_reflect", Pad(before: [0, 2, 0, 1], after: [0, 1, 3, 0], mode: .reflect)),
      ("pad_symmetric", Pad(before: [0, 2, 0, 1], after: [1, 1, 3, 0], mode: .symmetric)),
      ("pad_edge", Pad(before: [0, 2, 0, 1], after: [0, 1, 3, 0], mode: .edge)),
      ("transpose", Transpose([0, 3, 1, 2])),
      ("slice", Slice(begin: [0, 1, 4, 1], sizes: [2, 3, 2, 1], steps: [1, 2, -2, 1])),
      ("split", Split(axis: 1, sizes: [2, 1, 3])),
      ("reshape", Reshape([2, -1, 5])),
      ("concat", Concat(axis: 1)),
      ("gather", Gather(axis: 2)),
      ("batch_norm", BatchNorm(epsilon: 1e-3)),
      ("LeakyReLU", LeakyReLU(alpha: 0.3)),
      ("PReLU", PReLU()),
      ("Select", Select()),
      ("Cast", Cast(.int32)),
      ("dequantize_float16", Dequantize()),
      ("FloorDiv_int32", Binary(.floorDivide)),
      ("FloorMod_int32", Binary(.floorModulo)),
    ]
    cases += moreCases
    cases += Unary.Kind.allCases.filter { !$0.isTest }.map { ($0.rawValue, Unary($0)) }
    cases += Binary.Kind.allCases.map { ($0.rawValue, Binary($0)) }
    return cases
  }()

  @Test func everyOperatorGivesTensorFlowsAnswer() throws {
    var answers = try KnownAnswer.read("float_operators")
    try answers.merge(KnownAnswer.read("more_operators")) { first, _ in first }
    #expect(Set(answers.keys) == Set(Self.cases.map(\.name)))
    for (name, op) in Self.cases {
      let answer = try #require(answers[name])
      let results = try evaluate(op, answer.inputs)
      #expect(results.count == answer.outputs.count)
      for (result, expected) in zip(results, answer.outputs) {
        #expect(result.type == expected.type, "\(name)")
        let difference = largestDifference(result.floats(), expected.floats()).relative
        #expect(difference <= max(op.tolerance.relative, 1e-7), "\(name): \(difference)")
      }
    }
  }

  @Test func everyOperatorOfTheGraphIsComputedAndChecked() {
    let others = VolumeOperatorTests.volumes + VolumeOperatorTests.recurrent
    // Quantize is checked in QuantizedOperatorTests; JSON, which has the answers, has no NaN; blocks
    // and segments are checked with the files of OperatorGoldenTests; LayerNorm in LayerNormTests.
    let elsewhere = [
      "Quantize", "LayerNorm", "IsNaN", "IsInf", "SpaceToBatch", "BatchToSpace", "SegmentSum",
      "SegmentProduct", "SegmentMax", "SegmentMin",
    ]
    let checked = Set((Self.cases + others).map(\.op.name)).union(elsewhere)
    for row in OperatorTable.rows {
      #expect(ReferenceEvaluator.canEvaluate(row.example), "\(row.name)")
      #expect(checked.contains(row.name), "\(row.name)")
    }
  }

  /// The answers of make_more_operator_goldens.py.
  private static let moreCases: [(String, any Operator)] = [
    ("reduce_any", Reduce(.any, axes: [1], keepsAxes: false)),
    ("reduce_all", Reduce(.all, axes: [0, 2], keepsAxes: true)),
    ("argmax", ArgReduce(.max, axis: 1)),
    ("argmin", ArgReduce(.min, axis: -1, dtype: .int32)),
    ("argmax_last", ArgReduce(.max, axis: 1, keepsAxis: true, selectsLast: true)),
    ("topk", TopK(2, dtype: .int32)),
    ("topk_least", TopK(3, axis: 1, takesLargest: false)),
    ("gather_nd", GatherND()),
    ("gather_nd_batch", GatherND(batchAxes: 1)),
    ("gather_elements", GatherElements(axis: 1)),
    ("scatter_nd", ScatterND()),
    ("scatter_nd_add", ScatterND(.add)),
    ("scatter_nd_max", ScatterND(.maximum)),
    ("scatter_nd_min", ScatterND(.minimum)),
    ("scatter_elements", ScatterElements(axis: 1)),
    ("scatter_elements_multiply", ScatterElements(axis: 1, .multiply)),
    ("cumsum", CumulativeSum(axis: 1)),
    ("cumsum_reverse", CumulativeSum(axis: -1, isExclusive: true, isReversed: true)),
    ("one_hot", OneHot(depth: 4)),
    ("one_hot_axis", OneHot(depth: 4, axis: 1)),
    ("tile", Tile([1, 2, 3])),
    ("broadcast_to", BroadcastTo([2, 2, 4, 3])),
    ("depth_to_space", DepthToSpace(blockSize: 2)),
    ("space_to_depth", SpaceToDepth(blockSize: 2)),
    ("reverse", Reverse(axes: [0, 2])),
    ("reverse_sequence", ReverseSequence(batchAxis: 0, timeAxis: 1)),
    ("lrn", LocalResponseNorm(size: 3, alpha: 0.3, beta: 0.6, bias: 1.5)),
    ("band_part", BandPart(lowest: -1, highest: 2)),
    ("band_part_lower", BandPart(lowest: nil, highest: 0)),
    ("log_softmax", LogSoftmax(axis: 1)),
    ("nms", NonMaxSuppression(count: 8, overlapThreshold: 0.3, scoreThreshold: 0.1)),
    (
      "nms_soft",
      NonMaxSuppression(count: 8, overlapThreshold: 1, scoreThreshold: 0.1, softSigma: 0.4)
    ),
    ("grid_linear_zeros", GridSample()),
    ("grid_nearest_border", GridSample(.nearest, border: .edge, alignsCorners: true)),
    ("grid_cubic_reflection", GridSample(.cubic, border: .reflection)),
    ("grid_linear_reflection", GridSample(border: .reflection, alignsCorners: true)),
    ("roi_align_avg", RoIAlign(size: Size2D(2, 3), scale: 0.9, samples: 2)),
    (
      "roi_align_max",
      RoIAlign(.max, size: Size2D(2, 3), scale: 0.9, samples: 2, usesHalfPixels: false)
    ),
  ]

  @Test func whatIsNotFiniteIsTold() throws {
    let x = Tensor([Float.nan, .infinity, -.infinity, 1], [4])
    #expect(try evaluate(Unary(.isNaN), [x])[0].integers() == [1, 0, 0, 0])
    #expect(try evaluate(Unary(.isInfinite), [x])[0].integers() == [0, 1, 1, 0])
  }

  @Test func hostileIndicesAreFaultsNotTraps() throws {
    func code(_ op: any Operator, _ inputs: [Tensor]) throws -> String? {
      (#expect(throws: Diagnostic.self) { try evaluate(op, inputs) })?.code
    }
    let x = Tensor([Float](repeating: 1, count: 6), [2, 3])
    let far = Tensor([Int64.max, Int64.min], [2, 1], dtype: .int64)
    #expect(try code(GatherND(), [x, far]) == "EVL015")
    #expect(try code(GatherElements(axis: 0), [x, far]) == "EVL015")
    #expect(try code(ScatterND(), [x, far, x]) == "EVL015")
    let column = Tensor([Float(1), 2], [2, 1])
    #expect(try code(ScatterElements(axis: 1), [x, far, column]) == "EVL015")
    let lengths = Tensor([Int32.max, 0], [2])
    #expect(try code(ReverseSequence(batchAxis: 0, timeAxis: 1), [x, lengths]) == "EVL015")
    #expect(try code(Tile([1 << 30, 1 << 30]), [x]) == "EVL012")
    #expect(
      try evaluate(OneHot(depth: 2), [far, Tensor([Float(1)], []), Tensor([Float(0)], [])])[0]
        .floats() == [0, 0, 0, 0]
    )
    let shift = Tensor([Int64.max, 1, 2, 3, 4, 64], [2, 3], dtype: .int64)
    #expect(try evaluate(Binary(.shiftLeft), [shift, shift])[0].count == 6)
    #expect(try code(ArgReduce(.max, axis: 0), [Tensor([Float](), [0, 2])]) == "GRF002")
  }

  @Test func opaqueOperatorsAreNamed() throws {
    let opaque = Opaque("edgetpu-custom-op", outputTypes: [TensorType(.float32, [1])])
    let fault = #expect(throws: Diagnostic.self) { try evaluate(opaque, [Tensor([1.0], [1])]) }
    #expect(fault?.code == "EVL011")
    #expect(fault?.summary.contains("edgetpu-custom-op") == true)
  }

  @Test func aNodeNamesItselfWhenItFails() throws {
    let x = Tensor([1.0, 2, 3], [3])
    let fault = #expect(throws: Diagnostic.self) {
      try evaluate(Gather(axis: 0), [x, Tensor([3] as [Int32], [1])])
    }
    #expect(fault?.code == "EVL015")
    #expect(fault?.location == ["node 'y' (Gather)"])
  }

  @Test func hostileNodesAreFaultsNotTraps() throws {
    func code(_ op: any Operator, _ inputs: [Tensor]) throws -> String? {
      (#expect(throws: Diagnostic.self) { try evaluate(op, inputs) })?.code
    }
    let text = try Tensor(TensorType(.string, [2]), bytes: ByteView([0, 0, 0, 0]))
    #expect(try code(Binary(.add), [text, text]) == "EVL014")
    let wide = Pad(before: [1 << 29], after: [1 << 29])
    #expect(try code(wide, [Tensor([1.0], [1])]) == "EVL012")
    let empty = Tensor([Float](), [1, 0, 0, 1])
    #expect(try code(Resize2D(.bilinear, size: .one), [empty]) == "EVL016")
    let pooled = try evaluate(Reduce(.mean, axes: [1, 2], keepsAxes: false), [empty])[0]
    #expect(pooled.floats()[0].isNaN)
  }

  @Test func tapsSeeInputsAndEveryNode() throws {
    var graph = Graph(name: "two")
    let x = graph.addInput("x", TensorType(.float32, [2]))
    let y = try graph.addNode("y", Unary(.negative), [x])
    graph.outputs = try graph.addNode("z", Unary(.relu), y)
    var seen: [String: [Float]] = [:]
    let outputs = try ReferenceEvaluator(graph).run(["": Tensor([1.0, -2], [2])]) {
      seen[graph[$0].name] = $1.floats()
    }
    #expect(seen == ["x": [1, -2], "y": [-1, 2], "z": [0, 2]])
    #expect(outputs.map(\.name) == ["z"])
  }

  @Test func integersAreComputedWithoutWrapping() throws {
    let x = Tensor([Int32.max, Int32.min], [2])
    let doubled = try evaluate(Binary(.add), [x, x])[0].elements(as: Int32.self)
    #expect(doubled == [Int32.max, Int32.min])
    let zero = Tensor([0, 0] as [Int32], [2])
    _ = try evaluate(Binary(.floorModulo), [x, zero])
  }
}
