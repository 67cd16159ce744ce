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

/// Files that others write, and files that nobody should.
@Suite struct ImportTests {
  /// A file of these nodes over an input `x` and an output `y`.
  private func model(
    _ nodes: [ONNXNode],
    input: [Int64] = [1, 3, 8, 8],
    opset: Int64 = 17,
    initializers: [(String, Tensor)] = []
  ) -> ONNXModel {
    var model = ONNXModel()
    model.irVersion = 8
    model.opsets = [("", opset)]
    model.producerName = "test"
    model.graph.name = "g"
    model.graph.nodes = nodes
    model.graph.inputs = [
      ONNXValueInfo(name: "x", elementType: 1, shape: input.map { .fixed($0) })
    ]
    model.graph.outputs = [ONNXValueInfo(name: "y", elementType: 1, shape: nil)]
    model.graph.initializers = initializers.map { ONNXTensor(name: $0.0, $0.1) }
    return model
  }

  private func read(
    _ model: ONNXModel,
    _ options: ImportOptions = ImportOptions()
  ) throws -> Graph {
    try ONNXFormat().importGraph(joined(model.encoded()), options: options).graph
  }

  private func node(
    _ opType: String,
    _ inputs: [String],
    _ output: String,
    _ attributes: [ONNXAttribute] = []
  ) -> ONNXNode {
    ONNXNode(
      name: output,
      opType: opType,
      inputs: inputs,
      outputs: [output],
      attributes: attributes
    )
  }

  private func codes(_ body: () throws -> Void) -> [String] {
    do {
      try body()
      return []
    } catch let fault as Diagnostic {
      return [fault.code]
    } catch { return (error as? Diagnostics)?.all.map(\.code) ?? ["?"] }
  }

  @Test func namesEveryOperatorThatIsNotKnown() {
    let network = model([
      node("ImageDecoder", ["x"], "a"), node("Relu", ["a"], "b"), node("Bernoulli", ["x"], "c"),
      node("Add", ["b", "c"], "y"),
    ])
    #expect(codes { _ = try read(network) } == ["ONX021", "ONX021"])
  }

  @Test func refusesWhatItCannotMean() {
    let cases: [(String, ONNXModel)] = [
      ("ONX003", model([node("Relu", ["x"], "y")], opset: 6)),
      ("ONX003", model([node("Relu", ["x"], "y")], opset: 99)),
      ("ONX004", model([node("Relu", ["x"], "y"), node("Abs", ["x"], "y")])),
      ("ONX005", model([node("Relu", ["nowhere"], "y")])),
      ("ONX005", model([node("Relu", ["x"], "z")])),
      ("ONX008", model([node("Relu", ["x"], "y")], input: [1, -3])),
      ("ONX022", model([node("Relu", [], "y")])),
      ("ONX022", model([node("MaxPool", ["x"], "y", [.ints("kernel_shape", [0, 2])])])),
      ("ONX030", model([node("Reshape", ["x", "x"], "y")])),
      ("GRF002", model([node("MaxPool", ["x"], "y", [.ints("kernel_shape", [99, 2])])])),
    ]
    for (code, network) in cases {
      #expect(codes { _ = try read(network) } == [code], "\(network.graph.nodes)")
    }
    #expect(
      codes { _ = try ONNXFormat().importGraph(ByteView([]), options: .init()) } == ["ONX001"]
    )
  }

  /// Integer products hold floats where the file quantizes them as it runs: nobody else may see the
  /// integers; a file that reads them elsewhere gets them computed.
  @Test func integersOfDynamicQuantizationStayInside() throws {
    var quantize = node("DynamicQuantizeLinear", ["x"], "q")
    quantize.outputs += ["scale", "zero"]
    for other in [node("Flatten", ["q"], "y"), node("Neg", ["scale"], "y")] {
      let graph = try read(model([quantize, other]))
      #expect(graph.nodes.contains { ($0.op as? Unary)?.kind == .round } == (other.inputs == ["q"]))
    }
    var leaving = model([quantize])
    leaving.graph.outputs[0].name = "q"
    let graph = try read(leaving)
    #expect(graph[graph.outputs[0]].type.dtype == .uint8)
  }

  @Test func everyCutOfAFileIsRefused() throws {
    let graph = try #require(try Problem.networks().first).graph
    let bytes = joined(try ONNXFormat().exportGraph(graph, options: ExportOptions()))
    for length in stride(from: 0, to: bytes.count, by: 7) {
      let cut = try bytes.slice(0, length)
      #expect(throws: (any Error).self) {
        try ONNXFormat().importGraph(cut, options: ImportOptions())
      }
    }
  }

  @Test func openExtentsComeFromTheOptions() throws {
    var network = model([node("Relu", ["x"], "y")])
    network.graph.inputs[0].shape = [.named("N"), .fixed(3)]
    let batched = try read(network, ImportOptions(batch: 4))
    #expect(batched[batched.inputs[0]].type.shape == [4, 3])
    network.graph.inputs[0].shape = [.fixed(1), .open]
    #expect(codes { _ = try read(network) } == ["ONX008"])
    let given = try read(network, ImportOptions(shapes: ["x": [1, 9]]))
    #expect(given[given.outputs[0]].type.shape == [1, 9])
  }

  /// Weights beside the model are mapped; those elsewhere are refused.
  @Test func externalDataStaysInTheFolder() throws {
    var template = Array((TestData.package + "/.build/assay-onnx-XXXXXX").utf8CString)
    guard let made = unsafe mkdtemp(&template) else {
      Issue.record("no temporary folder")
      return
    }
    let folder = unsafe String(cString: made)
    defer {
      unsafe _ = remove(folder + "/weights.bin")
      unsafe _ = rmdir(folder)
    }
    let values = Tensor([1, 2, 3] as [Float], [3])
    try AtomicFile.write([ByteView([0, 0, 0, 0]), values.bytes], to: folder + "/weights.bin")
    func network(_ location: String, _ length: Int) -> ByteView {
      var tensor = ProtobufWriter()
      tensor.packed(1, [3])
      tensor.integer(2, 1)
      tensor.string(8, "w")
      for (key, value) in [("location", location), ("offset", "4"), ("length", "\(length)")] {
        tensor.message(13) {
          $0.string(1, key)
          $0.string(2, value)
        }
      }
      tensor.integer(14, 1)
      var whole = ProtobufWriter()
      whole.integer(1, 8)
      whole.message(8) { $0.integer(2, 17) }
      whole.message(7) { graph in
        graph.message(1) {
          $0.string(1, "w")
          $0.string(2, "y")
          $0.string(4, "Relu")
        }
        graph.message(5, tensor)
        graph.message(12) { $0.string(1, "y") }
      }
      return joined(whole.finish())
    }
    let options = ImportOptions(path: folder + "/model.onnx")
    let report = try ONNXFormat().importGraph(network("weights.bin", 12), options: options)
    let constant = report.graph.values.compactMap(\.constant).first
    #expect(constant?.elements(as: Float.self) == [1, 2, 3])
    for location in ["../weights.bin", "/etc/passwd", "a/../../b", ""] {
      #expect(
        codes { _ = try ONNXFormat().importGraph(network(location, 12), options: options) }
          == ["FMT010"]
      )
    }
    #expect(
      codes { _ = try ONNXFormat().importGraph(network("weights.bin", 16), options: options) }
        == ["ONX012"]
    )
  }

  /// What PyTorch writes for `x.view(x.size(0), -1)`.
  @Test func shapeArithmeticIsFolded() throws {
    let network = model(
      [
        node("Shape", ["x"], "shape"),
        node("Gather", ["shape", "first"], "n", [.int("axis", 0)]),
        node("Unsqueeze", ["n", "axes"], "n1"),
        node("Concat", ["n1", "rest"], "target", [.int("axis", 0)]),
        node("Reshape", ["x", "target"], "y"),
      ],
      input: [2, 3, 4, 5],
      initializers: [
        ("first", Tensor([Int64(0)], [], dtype: .int64)),
        ("axes", Tensor([Int64(0)], [1], dtype: .int64)),
        ("rest", Tensor([Int64(-1)], [1], dtype: .int64)),
      ]
    )
    let graph = try read(network)
    #expect(graph.nodes.count == 1)
    #expect(graph[graph.outputs[0]].type.shape == [2, 60])
  }

  /// A chain of window operators is turned where it begins and ends, not in between.
  @Test func imagesStayTurned() throws {
    let weights = Tensor([Float](repeating: 0.5, count: 27), [3, 3, 1, 3])
    let network = model(
      [
        node("Conv", ["x", "w"], "a", [.ints("pads", [0, 1, 0, 1])]),
        node("Relu", ["a"], "b"),
        node("Add", ["a", "b"], "c"),
        node("MaxPool", ["c"], "d", [.ints("kernel_shape", [2, 2]), .ints("strides", [2, 2])]),
        node("Concat", ["d", "d"], "y", [.int("axis", 1)]),
      ],
      initializers: [("w", weights)]
    )
    let graph = try read(network)
    #expect(graph.nodes.filter { $0.op is Transpose }.count == 2)
    #expect(graph[graph.outputs[0]].type.shape == [1, 6, 4, 4])
  }
}
