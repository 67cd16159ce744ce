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
    cases += Unary.Kind.allCases.map { ($0.rawValue, Unary($0)) }
    cases += Binary.Kind.allCases.map { ($0.rawValue, Binary($0)) }
    return cases
  }()

  @Test func everyOperatorGivesTensorFlowsAnswer() throws {
    let answers = try KnownAnswer.read("float_operators")
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
    let checked = Set((Self.cases + others).map(\.op.name))
    for row in OperatorTable.rows {
      #expect(ReferenceEvaluator.canEvaluate(row.example), "\(row.name)")
      // Checked in QuantizedOperatorTests.
      if row.name != "Quantize" { #expect(checked.contains(row.name), "\(row.name)") }
    }
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
