import AssayBase
import AssayGraph
import AssayProfile
import AssayRecord
import AssayReport
import AssayTensor
import AssayTestSupport
import Testing

@Suite struct NetworkDrawingTests {
  private func network() throws -> Graph {
    var graph = Graph(name: "net")
    let x = graph.addInput("x", TensorType(.float32, [1, 4, 4, 2]))
    let filter = graph.addConstant(
      "filter",
      Tensor([Float](repeating: 0.5, count: 36), [2, 3, 3, 2])
    )
    let a = try graph.addNode("conv", Conv2D(padding: .same, activation: .relu), [x, filter])
    let b = try graph.addNode("sum", Binary(.add), [a[0], x])
    let c = try graph.addNode("conv2", Conv2D(padding: .same), [b[0], filter])
    graph.outputs = try graph.addNode("tanh", Unary(.tanh), c)
    return graph
  }

  private func record(_ operators: JSON) -> Record {
    var record = Record(
      id: "1",
      session: "s",
      finishedAt: 0,
      model: Record.Model(path: "m", sha256: "", byteCount: 0),
      artefact: "tflite",
      variant: "float32",
      runtime: "litert",
      version: "2",
      provider: "cpu",
      device: "local",
      threads: 1
    )
    record.operators = operators
    record.placement = .object(["provider": "XNNPACK"])
    return record
  }

  @Test func boxesAndEdgesAreThoseOfTheGraph() throws {
    let drawing = NetworkDrawing(try network(), title: "net")
    #expect(drawing.boxes.map(\.name) == ["x", "conv", "sum", "conv2", "tanh", "tanh"])
    #expect(
      drawing.boxes.map(\.kind) == [
        .input, .convolution, .merging, .convolution, .activation, .output,
      ]
    )
    #expect(
      drawing.edges.map { [$0.from, $0.to] } == [
        [0, 1], [1, 2], [0, 2], [2, 3], [3, 4], [4, 5],
      ]
    )
    let conv = drawing.boxes[1]
    #expect(conv.macs == 16 * 2 * 18)
    #expect(conv.parameters == 36)
    #expect(conv.constantBytes == 144)
    #expect(conv.activationBytes == 2 * 128)
    #expect(conv.detail == "3x3 · relu · 1x4x4x2")
    #expect(conv.inputs[1].statistics?.mean == 0.5)
  }

  @Test func timesFindTheirBoxesByNameAndByNumber() throws {
    var named = NetworkDrawing(try network(), title: "net")
    let part = named.add(
      record([
        .object(["kind": "CONV_2D", "node": "conv", "ns": 30]),
        .object(["kind": "TANH", "node": "0:3", "ns": 10]),
      ])
    )
    #expect(part == 1)
    #expect(named.boxes[1].nanoseconds == 30)
    #expect(named.boxes[4].nanoseconds == 10)
    #expect(named.boxes[1].placement == "litert")
  }

  @Test func aFusedConvolutionIsFoundUnderTheNameOfItsActivation() throws {
    var graph = Graph(name: "net")
    let x = graph.addInput("x", TensorType(.float32, [1, 4, 4, 2]))
    let filter = graph.addConstant(
      "filter",
      Tensor([Float](repeating: 0.5, count: 36), [2, 3, 3, 2])
    )
    let a = try graph.addNode("a/Conv", Conv2D(padding: .same), [x, filter])
    graph.outputs = try graph.addNode("a", Unary(.relu), a)
    var fused = NetworkDrawing(graph, title: "net")
    fused.add(record([.object(["kind": "Conv", "node": "a_nchwc", "ns": 30])]))
    #expect(fused.boxes[1].nanoseconds == 30 && fused.boxes[2].nanoseconds == nil)
    // Apart, each keeps its own.
    var apart = NetworkDrawing(graph, title: "net")
    apart.add(
      record([
        .object(["kind": "Conv", "node": "a/Conv", "ns": 30]),
        .object(["kind": "Relu", "node": "a", "ns": 5]),
      ])
    )
    #expect(apart.boxes[1].nanoseconds == 30 && apart.boxes[2].nanoseconds == 5)
  }

  @Test func timesOfADelegateAreLaidInOrderOfKinds() throws {
    var drawing = NetworkDrawing(try network(), title: "net")
    let part = drawing.add(
      record([
        .object(["kind": "Convolution (NHWC, F32) IGEMM", "node": "#0", "ns": 30]),
        .object(["kind": "Add (ND, F32)", "node": "#1", "ns": 5]),
        .object(["kind": "Convolution (NHWC, F32) IGEMM", "node": "#2", "ns": 20]),
        .object(["kind": "Mystery", "node": "#3", "ns": 45]),
      ])
    )
    #expect(abs(part - 0.55) < 1e-9)
    #expect(drawing.boxes[1].nanoseconds == 30)
    #expect(drawing.boxes[2].nanoseconds == 5)
    #expect(drawing.boxes[3].nanoseconds == 20)
    #expect(drawing.boxes[4].nanoseconds == nil)
    #expect(drawing.boxes[3].placement == "XNNPACK")
    #expect(drawing.timing?.contains("55 %") == true)
  }

  @Test func errorsOfACertificateAreDrawn() throws {
    var drawing = NetworkDrawing(try network(), title: "net")
    let count = drawing.add(
      certificate: .object([
        "equal": false,
        "operators": [
          .object([
            "node": "conv", "value": "conv", "snrDb": 20, "maxAbs": 0.1,
            "alone": .object(["snrDb": 12, "within": false]),
          ]),
          .object(["node": "other", "value": "sum", "snrDb": .null, "maxAbs": 0, "alone": .null]),
        ],
      ])
    )
    #expect(count == 2)
    #expect(drawing.boxes[1].isSuspect)
    #expect(drawing.boxes[1].snrDb == 12)
    #expect(drawing.boxes[2].snrDb == 200)
    #expect(drawing.certificate?.hasPrefix("NOT equal") == true)
  }
}
