import AssayBase
import AssayCodec
import AssayFormat
import AssayGraph
import AssayReference
import AssayTensor
import AssayTestSupport
import Testing

@testable import FormatONNX

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The folder into which networks are written for the real checkers (Tests/Goldens/
/// check_onnx_exports.py); unset in an ordinary run.
private let exportFolder = unsafe getenv("ASSAY_ONNX_EXPORTS").map { unsafe String(cString: $0) }

@Suite struct ExportTests {
  /// Counts of the file's nodes by operator.
  private func census(_ graph: Graph) throws -> [String: Int] {
    let model = try GraphExporter.model(of: graph, options: ExportOptions())
    return model.graph.nodes.reduce(into: [:]) { $0[$1.opType, default: 0] += 1 }
  }

  @Test func turnsAnImageOnlyWhenItComes() throws {
    let networks = try Problem.networks()
    for (name, transposes) in [("net_residual", 1), ("net_branches", 2), ("net_dense", 0)] {
      let graph = try #require(networks.first { $0.name == name }).graph
      #expect(try census(graph)["Transpose", default: 0] == transposes, "\(name)")
    }
    // An image of one channel lies the same way in both layouts; only its flattening turns it.
    let gray = try census(try #require(networks.first { $0.name == "net_gray" }).graph)
    #expect(gray["Transpose"] == 1)
  }

  /// The network that phones run: 52 convolutions, ten additions, one turn.
  @Test func turnsMobileNetV2Once() throws {
    let counts = try census(try mobileNetV2(width: 8))
    #expect(
      counts == [
        "Transpose": 1, "Conv": 52, "Clip": 35, "Add": 10, "GlobalAveragePool": 1, "Reshape": 1,
        "Gemm": 1, "Softmax": 1,
      ]
    )
  }

  /// MobileNetV2 (Sandler et al., 2018, table 2) with channels divided by `width`, without weights'
  /// values.
  private func mobileNetV2(width: Int) throws -> Graph {
    var graph = Graph(name: "mobilenet_v2")
    var x = graph.addInput("image", TensorType(.float32, [1, 224, 224, 3]))
    var channels = 3
    func constant(_ name: String, _ shape: Shape) -> ValueID {
      graph.addConstant(name, Tensor([Float](repeating: 0, count: shape.count), shape))
    }
    func conv(
      _ name: String,
      _ outputs: Int,
      _ size: Int,
      _ stride: Int,
      _ activation: Activation
    )
      throws
    {
      let filter = constant("\(name)/w", [outputs, size, size, channels])
      let op = Conv2D(strides: Size2D(stride, stride), padding: .same, activation: activation)
      x = try graph.addNode(name, op, [x, filter, constant("\(name)/b", [outputs])])[0]
      channels = outputs
    }
    try conv("stem", 32 / width, 3, 2, .relu6)
    let blocks = [
      (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
      (6, 320, 1, 1),
    ]
    for (index, (expansion, outputs, count, stride)) in blocks.enumerated() {
      for copy in 0..<count {
        let name = "block\(index)_\(copy)"
        let (source, inputs) = (x, channels)
        if expansion > 1 { try conv("\(name)/expand", channels * expansion, 1, 1, .relu6) }
        let step = copy == 0 ? stride : 1
        let op = DepthwiseConv2D(
          strides: Size2D(step, step),
          padding: .same,
          activation: .relu6
        )
        let filter = constant("\(name)/w", [1, 3, 3, channels])
        x = try graph.addNode(
          "\(name)/depthwise",
          op,
          [x, filter, constant("\(name)/b", [channels])]
        )[0]
        try conv("\(name)/project", outputs / width, 1, 1, .none)
        if step == 1, inputs == channels {
          x = try graph.addNode("\(name)/sum", Binary(.add), [x, source])[0]
        }
      }
    }
    try conv("last", 1280 / width, 1, 1, .relu6)
    x = try graph.addNode("mean", Reduce(.mean, axes: [1, 2], keepsAxes: false), [x])[0]
    let weights = constant("logits/w", [1000, channels])
    x = try graph.addNode("logits", FullyConnected(), [x, weights])[0]
    graph.outputs = try graph.addNode("probabilities", Softmax(), [x])
    return graph
  }

  @Test func bordersOfZerosGoIntoConvolutions() throws {
    let problems = try Problem.padded()
    let counts = try problems.map { try census($0.graph)["Pad", default: 0] }
    #expect(counts == [0, 1, 1, 0, 1, 1])
    for problem in problems {
      let graph = try roundTrip(problem.graph).graph
      let before = try ReferenceEvaluator(problem.graph).run(problem.inputs)
      let after = try ReferenceEvaluator(graph).run(problem.inputs)
      #expect(relativeError(after[0].tensor, before[0].tensor) <= 2e-6, "\(problem.name)")
    }
  }

  @Test func keepsNamesOrderAndLayoutOfTheBoundary() throws {
    for problem in try Problem.networks() + Problem.integers() {
      let graph = problem.graph
      let model = try GraphExporter.model(of: graph, options: ExportOptions(description: "why"))
      #expect(model.docString == "why")
      #expect(model.graph.inputs.map(\.name) == graph.inputs.map { graph[$0].name })
      #expect(model.graph.outputs.map(\.name) == graph.outputs.map { graph.outputName($0) })
      for (info, id) in zip(model.graph.inputs + model.graph.outputs, graph.inputs + graph.outputs)
      {
        #expect(info.elementType == graph[id].type.dtype.onnx)
        #expect(info.shape == graph[id].type.shape.dims.map { .fixed(Int64($0)) })
      }
    }
  }

  @Test func passesWeightsThrough() throws {
    var graph = Graph(name: "dense")
    let x = graph.addInput("x", TensorType(.float32, [1, 64]))
    let weights = Tensor([Float](repeating: 0.5, count: 64 * 64), [64, 64])
    let w = graph.addConstant("w", weights)
    graph.outputs = try graph.addNode("y", FullyConnected(), [x, w])
    let address = unsafe weights.bytes.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
    let pieces = try ONNXFormat().exportGraph(graph, options: ExportOptions())
    let addresses = pieces.map { piece in
      unsafe piece.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
    }
    #expect(addresses.contains(address))
  }

  @Test func namesEveryNodeThatCannotBeWritten() throws {
    var graph = Graph(name: "odd")
    let x = graph.addInput("x", TensorType(.float32, [1, 4]))
    let a = try graph.addNode("a", Opaque("strange", outputTypes: [graph[x].type]), [x])[0]
    let pad = Pad(before: [0, 1], after: [0, 1], mode: .symmetric)
    graph.outputs = try graph.addNode("b", pad, [a])
    let faults = #expect(throws: Diagnostics.self) {
      try ONNXFormat().exportGraph(graph, options: ExportOptions())
    }
    #expect(faults?.all.map(\.code) == ["ONX101", "ONX112"])
  }

  @Test func activationIsLeftToTheRangeOnlyWhereTheRangeClamps() {
    func type(_ scale: Float, _ zero: Int32) -> TensorType {
      TensorType(.int8, [1], quantization: Quantization(scale: scale, zeroPoint: zero))
    }
    #expect(type(0.1, -128).absorbs(.relu))
    #expect(!type(0.1, -127).absorbs(.relu))
    #expect(type(6.0 / 255, -128).absorbs(.relu6))
    #expect(!type(6.5 / 255, -128).absorbs(.relu6))
    #expect(type(2.0 / 255, 0).absorbs(.reluN1To1) == false)
    #expect(!TensorType(.float32, [1]).absorbs(.relu))
  }

  @Test(.enabled(if: exportFolder != nil, "ASSAY_ONNX_EXPORTS names no folder"))
  func writesProblemsForTheRealCheckers() throws {
    let problems =
      try Problem.floats() + Problem.padded() + Problem.networks() + Problem.integers()
      + Problem.networks().map { try $0.hybrid() }
    for problem in problems {
      let expected = try ReferenceEvaluator(problem.graph).run(problem.inputs)
      let arrays =
        problem.inputs.map { (name: "in/\($0.key)", tensor: $0.value) }
        + expected.map { (name: "out/\($0.name)", tensor: $0.tensor) }
        + [(name: "tolerance", tensor: Tensor([problem.tolerance], []))]
      for set in [nil, 13, 17, 23] {
        let path = "\(exportFolder ?? "")/\(problem.name)" + (set.map { ".set\($0)" } ?? "")
        do {
          let options = ExportOptions(opset: set)
          let bytes = try ONNXFormat().exportGraph(problem.graph, options: options)
          try AtomicFile.write(bytes, to: path + ".onnx")
          try AtomicFile.write(NPZ.write(arrays), to: path + ".npz")
        } catch let fault as Diagnostics
          where set != nil && fault.all.allSatisfy({ $0.code == "ONX104" })
        {
          continue
        } catch let fault as Diagnostic where set != nil && fault.code == "ONX104" {
          continue
        } catch {
          Issue.record("\(problem.name) \(set ?? 0): \(error)")
        }
      }
    }
  }
}
