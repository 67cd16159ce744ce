import AssayBase
import AssayGraph
import AssayReference
import AssayTensor
import AssayTestSupport
import Testing

/// Windows over volumes and recurrent layers against TensorFlow, Keras and ONNX Runtime
/// (Tests/Goldens/make_volume_goldens.py).
@Suite struct VolumeOperatorTests {
  static let volumes: [(name: String, op: any Operator)] = {
    let two = Size3D(2, 2, 2)
    let three = Size3D(3, 3, 3)
    let strides = Size3D(2, 1, 2)
    return [
      ("conv3d_same", Conv3D(padding: .same, activation: .relu)),
      ("conv3d_stride", Conv3D(strides: strides, padding: .same)),
      ("conv3d_dilated", Conv3D(dilations: strides)),
      ("conv3d_groups", Conv3D(padding: .same)),
      (
        "transpose_conv3d_same",
        TransposeConv3D(strides: strides, padding: .same, outputSize: Size3D(4, 3, 4))
      ),
      (
        "transpose_conv3d_valid",
        TransposeConv3D(strides: strides, padding: .valid, outputSize: Size3D(4, 5, 5))
      ),
      ("max_pool3d_same", Pool3D(.max, window: three, strides: two, padding: .same)),
      ("max_pool3d_valid", Pool3D(.max, window: Size3D(2, 3, 2), strides: Size3D(2, 1, 1))),
      ("average_pool3d_same", Pool3D(.average, window: three, strides: two, padding: .same)),
      ("average_pool3d_valid", Pool3D(.average, window: Size3D(2, 3, 1), strides: Size3D(1, 2, 1))),
    ]
  }()

  static let recurrent: [(name: String, op: any Operator)] = {
    let hard = RecurrentFunction(.hardSigmoid, alpha: 1 / 6, beta: 0.5)
    let scaled = RecurrentFunction(.scaledTanh, alpha: 0.5, beta: 1.5)
    let affine = RecurrentFunction(.affine, alpha: 0.4, beta: 0.1)
    return [
      ("lstm", Recurrent(.lstm)),
      ("lstm_reversed_states", Recurrent(.lstm, isReversed: true)),
      (
        "lstm_functions",
        Recurrent(.lstm, activation: RecurrentFunction(.relu), recurrentActivation: hard)
      ),
      ("lstm_masked", Recurrent(.lstm)),
      ("lstm_masked_zeros", Recurrent(.lstm, isReversed: true, zerosMaskedOutputs: true)),
      ("lstm_peepholes", Recurrent(.lstm)),
      ("lstm_clip", Recurrent(.lstm, gateClip: 0.25)),
      ("lstm_coupled", Recurrent(.lstm, coupling: .forgetFollowsInput)),
      (
        "lstm_activations",
        Recurrent(
          .lstm,
          activation: scaled,
          outputActivation: RecurrentFunction(.elu, alpha: 0.7)
        )
      ),
      ("lstm_projection", Recurrent(.lstm, cellClip: 0.2, projectionClip: 0.3)),
      ("gru", Recurrent(.gru, resetsAfter: true)),
      ("gru_before", Recurrent(.gru)),
      (
        "gru_reversed",
        Recurrent(
          .gru,
          isReversed: true,
          activation: RecurrentFunction(.softsign),
          resetsAfter: true
        )
      ),
      ("gru_linear_before", Recurrent(.gru, resetsAfter: true)),
      ("gru_clip", Recurrent(.gru, gateClip: 0.3)),
      ("simple", Recurrent(.simple)),
      ("simple_masked", Recurrent(.simple, activation: RecurrentFunction(.gelu))),
      ("simple_affine", Recurrent(.simple, activation: affine)),
    ]
  }()

  @Test func windowsOverVolumesGiveTensorFlowsAnswer() throws {
    try check(Self.volumes, "volume_operators")
  }

  @Test func recurrentLayersGiveTheFrameworksAnswer() throws {
    try check(Self.recurrent, "recurrent_operators")
  }

  private func check(_ cases: [(name: String, op: any Operator)], _ file: String) throws {
    let answers = try KnownAnswer.read(file)
    #expect(Set(answers.keys) == Set(cases.map(\.name)))
    for (name, op) in cases {
      let answer = try #require(answers[name])
      var graph = Graph(name: name)
      var arrays: [String: Tensor] = [:]
      let ids = answer.inputs.enumerated().map { index, tensor -> ValueID? in
        // The script writes an absent input as one without elements.
        guard tensor.count > 0 else { return nil }
        arrays["x\(index)"] = tensor
        return graph.addInput("x\(index)", tensor.type)
      }
      graph.outputs = try graph.addNode("y", op, ids)
      let results = try ReferenceEvaluator(graph).run(arrays)
      #expect(results.count == answer.outputs.count)
      for (result, expected) in zip(results, answer.outputs) {
        #expect(result.tensor.type == expected.type, "\(name)")
        let difference = largestDifference(result.tensor.floats(), expected.floats()).relative
        #expect(difference <= max(op.tolerance.relative, 1e-7), "\(name): \(difference)")
      }
    }
  }

  @Test func emptySequencesKeepTheirState() throws {
    let x = Tensor([Float](), [1, 0, 2])
    let (w, r) = (
      Tensor([Float](repeating: 1, count: 8), [4, 2]),
      Tensor([Float](repeating: 1, count: 4), [4, 1])
    )
    var graph = Graph(name: "empty")
    let ids = [x, w, r].enumerated().map { graph.addConstant("c\($0)", $1) }
    let h = graph.addInput("h", TensorType(.float32, [1, 1]))
    graph.outputs = try graph.addNode("y", Recurrent(.lstm), ids + [nil, nil, h])
    let outputs = try ReferenceEvaluator(graph).run(["h": Tensor([0.5], [1, 1])])
    #expect(outputs.map { $0.tensor.floats() } == [[], [0.5], [0]])
  }
}
