import AssayBase
import AssayCodec
import AssayFormat
import AssayGraph
import AssayHost
import AssayReference
import AssayRuntime
import AssayTensor
import AssayTestSupport
import RuntimeOpenVINO
import Testing

@testable import FormatOpenVINO

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

private let runtime = OpenVINORuntime()

/// The folder into which networks are written for the real readers (Tests/Goldens/
/// check_openvino_exports.py); unset in an ordinary run.
private let exportFolder = unsafe getenv("ASSAY_OPENVINO_EXPORTS").map {
  unsafe String(cString: $0)
}

/// Operators in the forms that OpenVINO has not, and the code of the refusal.
private let refused: [String: String] = ["binary_atan2": "OVI101"]
/// Those that version 10 has not either.
private let refusedIn10 = [
  "grid_sample": "OVI105", "grid_sample_nearest": "OVI105", "boundary_through": "OVI104",
]

@Suite struct ExportTests {
  /// Every case is written in both versions, or refused with the code that is listed.
  @Test(arguments: try OperatorCase.all()) func everyOperatorIsWrittenOrRefused(
    _ problem: OperatorCase
  ) throws {
    for version in IRNetwork.versions {
      let code = refused[problem.name] ?? (version == 10 ? refusedIn10[problem.name] : nil)
      let options = ExportOptions(irVersion: version)
      if let code {
        let fault = #expect(throws: Diagnostic.self) {
          try OpenVINOFormat().exportModel(problem.graph, options: options)
        }
        #expect(fault?.code == code)
        continue
      }
      let network = try IRExporter.network(of: problem.graph, options: options)
      check(network)
      let graph = problem.graph
      let inputs = network.layers.filter { $0.type == "Parameter" }
      #expect(inputs.map(\.name) == graph.inputs.map { graph[$0].name })
      #expect(inputs.map { $0.outputs[0].shape } == graph.inputs.map { graph[$0].type.shape })
      let results = network.layers.filter { $0.type == "Result" }.map { $0.inputs[0] }
      #expect(
        results.map { network.layers[$0.layer].name } == graph.outputs.map(graph.outputName)
      )
      #expect(
        results.map { network.layers[$0.layer].tensorNames }
          == graph.outputs.map { [[graph.outputName($0)]] }
      )
      #expect(
        results.map { network.layers[$0.layer].outputs[$0.output].shape }
          == graph.outputs.map { graph[$0].type.shape }
      )
    }
  }

  /// What every network must be: layers after those they read, names of their own, no dead layers.
  private func check(_ network: IRNetwork) {
    #expect(Set(network.layers.map(\.name)).count == network.layers.count)
    var isRead = network.layers.map { ["Result", "Parameter"].contains($0.type) }
    for (index, layer) in network.layers.enumerated() {
      for input in layer.inputs {
        #expect(input.layer < index)
        #expect(network.layers[input.layer].outputs.indices.contains(input.output))
        isRead[input.layer] = true
      }
    }
    #expect(!isRead.contains(false))
  }

  @Test(
    .enabled(if: runtime.probe().isAvailable, "OpenVINO is not installed: run `make setup`"),
    arguments: try OperatorCase.all()
  )
  func openVINOComputesTheSame(_ problem: OperatorCase) throws {
    guard refused[problem.name] == nil else { return }
    for version in IRNetwork.versions where version == 11 || refusedIn10[problem.name] == nil {
      let error = try difference(problem.graph, problem.inputs, ExportOptions(irVersion: version))
      #expect(error <= 2e-5, "version \(version)")
    }
  }

  /// The largest relative difference between OpenVINO and the reference.
  private func difference(
    _ graph: Graph,
    _ inputs: [String: Tensor],
    _ options: ExportOptions
  ) throws -> Float {
    let folder = try Host.makeTemporaryFolder("openvino")
    defer { try? Host.remove(folder) }
    try write(graph, options, folder, "model")
    let session = try runtime.load(path: "\(folder)/model.xml", options: SessionOptions())
    let expected = try ReferenceEvaluator(graph).run(inputs)
    let names = graph.inputs.map { graph[$0].name }
    #expect(session.inputs.map(\.name) == plainPortNames(names))
    #expect(session.outputs.map(\.name) == plainPortNames(expected.map(\.name)))
    for (index, name) in names.enumerated() {
      let tensor = try #require(inputs[name])
      try session.write(tensor.bytes, toInput: index)
    }
    try session.runOnce()
    return try expected.enumerated().map { index, wanted in
      let got = try session.output(index).with(quantization: wanted.tensor.quantization)
      #expect(got.shape == wanted.tensor.shape)
      // The CPU plug-in computes 64-bit integers in 32, and lets some leave so.
      let isNarrowed = got.dtype == .int32 && wanted.tensor.dtype == .int64
      #expect(got.dtype == wanted.tensor.dtype || isNarrowed)
      return largestDifference(got.floats(), wanted.tensor.floats()).relative
    }.max() ?? .infinity
  }

  /// Writes the files of a network.
  private func write(
    _ graph: Graph,
    _ options: ExportOptions,
    _ folder: String,
    _ name: String
  ) throws {
    var options = options
    options.fileName = "\(name).xml"
    let model = try OpenVINOFormat().exportModel(graph, options: options)
    try AtomicFile.write(try #require(model.main), to: "\(folder)/\(name).xml")
    for file in model.companions {
      try AtomicFile.write(file.parts, to: "\(folder)/\(file.name)")
    }
  }

  // MARK: Precision

  /// A dense layer whose weights are stored as float16.
  private func halfNetwork() throws -> OperatorCase {
    var make = OperatorCaseMaker("half")
    let x = make.input([1, 64])
    let weights = try #require(make.floats([8, 64]).converted(to: .float16))
    let stored = make.graph.addConstant("w", weights)
    let widened = try make.graph.addNode("w32", Dequantize(), [stored])[0]
    return try make.finished { try $0.addNode("y", FullyConnected(), [x, widened]) }
  }

  @Test func halvesAreWidenedInVersion11() throws {
    let network = try IRExporter.network(of: halfNetwork().graph, options: ExportOptions())
    let convert = try #require(network.layers.first { $0.type == "Convert" })
    #expect(convert.isDecompression)
    #expect(network.layers[convert.inputs[0].layer].constant?.dtype == .float16)
    #expect(network.layers.first { $0.type == "Parameter" }?.outputs[0].dtype == .float32)
    let xml = try #require(network.encoded().xml.utf8)
    #expect(xml.contains("<attribute name=\"decompression\" version=\"0\"/>"))
  }

  @Test func everythingIsHalfInVersion10() throws {
    let options = ExportOptions(irVersion: 10)
    let network = try IRExporter.network(of: halfNetwork().graph, options: options)
    #expect(!network.layers.contains { $0.type == "Convert" })
    #expect(!network.layers.flatMap(\.outputs).contains { $0.dtype == .float32 })
    #expect(network.layers[0].attributes.contains { $0 == ("element_type", "f16") })
  }

  @Test(.enabled(if: runtime.probe().isAvailable, "OpenVINO is not installed: run `make setup`"))
  func halvesComputeTheSame() throws {
    let problem = try halfNetwork()
    for version in IRNetwork.versions {
      let options = ExportOptions(irVersion: version)
      #expect(try difference(problem.graph, problem.inputs, options) < 2e-3)
    }
  }

  // MARK: Quantization

  /// Quantized, with weights per channel, a bias of int32, and an activation in the range.
  private func quantizedNetwork(isFed: Bool) throws -> OperatorCase {
    var make = OperatorCaseMaker("quantized_\(isFed)")
    let steps = Quantization(scale: 2.0 / 255, zeroPoint: -1)
    let shape: Shape = [1, 5, 6, 4]
    var image: ValueID
    if isFed {
      let codes = (0..<shape.count).map { Int8(truncatingIfNeeded: 37 &* $0 &+ 11) }
      let tensor = Tensor(codes, shape, dtype: .int8, quantization: steps)
      image = make.input(tensor, name: "codes")
    } else {
      let x = make.input(shape)
      image = try make.graph.addNode("q", Quantize(.int8, steps), [x])[0]
    }
    let weights = Quantization(scales: [0.01, 0.02, 0.005], axis: 0)
    let filter = make.graph.addConstant(
      "w",
      Tensor(
        (0..<3 * 3 * 3 * 4).map { Int8(truncatingIfNeeded: 29 &* $0 &- 60) },
        [3, 3, 3, 4],
        dtype: .int8,
        quantization: weights
      )
    )
    let bias = make.graph.addConstant(
      "b",
      Tensor([Int32(400), -900, 20], [3])
    )
    let conv = try make.graph.addNode(
      "conv",
      Conv2D(padding: .same, activation: .relu),
      [image, filter, bias]
    )[0]
    make.graph[conv].type.quantization = Quantization(scale: 0.03, zeroPoint: -128)
    let pooled = try make.graph.addNode(
      "pool",
      Pool2D(.max, window: Size2D(2, 2), strides: Size2D(2, 2)),
      [conv]
    )[0]
    make.graph[pooled].type.quantization = make.graph[conv].type.quantization
    guard !isFed else { return make.finished([pooled]) }
    return try make.finished { try $0.addNode("y", Dequantize(), [pooled]) }
  }

  @Test func quantizedValuesAreRoundedOnceEach() throws {
    let network = try IRExporter.network(
      of: quantizedNetwork(isFed: false).graph,
      options: ExportOptions()
    )
    let counts = network.layers.reduce(into: [:]) { $0[$1.type, default: 0] += 1 }
    // The image and the convolution; the pool moves elements only, the range does what ReLU did.
    #expect(counts["FakeQuantize"] == 2)
    #expect(counts["ReLU"] == nil)
    #expect(network.layers.contains { $0.constant?.dtype == .int8 })
  }

  @Test(
    .enabled(if: runtime.probe().isAvailable, "OpenVINO is not installed: run `make setup`"),
    arguments: [false, true]
  )
  func quantizedNetworksComputeTheSame(isFed: Bool) throws {
    let problem = try quantizedNetwork(isFed: isFed)
    // OpenVINO gives the integers that leave a network of version 10 as floats.
    for version in isFed ? 11...11 : IRNetwork.versions {
      let options = ExportOptions(irVersion: version)
      // One step of the output's 255 at most.
      let bound: Float = 1.0 / 100
      let error = try difference(problem.graph, problem.inputs, options)
      #expect(error <= bound, "version \(version)")
    }
  }

  // MARK: Refusals

  @Test func namesEveryNodeThatCannotBeWritten() throws {
    var graph = Graph(name: "odd")
    let x = graph.addInput("x", TensorType(.float32, [1, 4]))
    let a = try graph.addNode("a", Opaque("strange", outputTypes: [graph[x].type]), [x])[0]
    graph.outputs = try graph.addNode("b", Binary(.atan2), [a, x])
    let faults = #expect(throws: Diagnostics.self) {
      try OpenVINOFormat().exportModel(graph, options: ExportOptions())
    }
    #expect(faults?.all.map(\.code) == ["OVI101", "OVI101"])
    #expect(faults?.all.map(\.location) == [["node 'a' (strange)"], ["node 'b' (Atan2)"]])
  }

  @Test func refusesWhatTheVersionHasNot() throws {
    var graph = Graph(name: "open")
    let x = graph.addInput("x", TensorType(.float32, [-1, 4]))
    graph.outputs = try graph.addNode("y", Unary(.relu), [x])
    let codes = [9, 10, 11, 12].map { version in
      do {
        _ = try OpenVINOFormat().exportModel(graph, options: ExportOptions(irVersion: version))
        return ""
      } catch { return (error as? Diagnostic)?.code ?? "?" }
    }
    #expect(codes == ["OVI100", "OVI104", "", "OVI100"])
  }

  @Test func refusesTwoOutputsOfOneName() throws {
    var graph = Graph(name: "twice")
    let x = graph.addInput("x", TensorType(.float32, [1, 4]))
    let y = try graph.addNode("y", Unary(.relu), [x])[0]
    graph.outputNames[y] = "x"
    graph.outputs = [y]
    let fault = #expect(throws: Diagnostic.self) {
      try OpenVINOFormat().exportModel(graph, options: ExportOptions())
    }
    #expect(fault?.code == "OVI103")
  }

  @Test func recognizesItsFiles() throws {
    let model = try OpenVINOFormat().exportModel(
      halfNetwork().graph,
      options: ExportOptions(description: "made <by> \"us\" & others")
    )
    let xml = try #require(model.main?.first)
    #expect(OpenVINOFormat().sniff(xml))
    #expect(!OpenVINOFormat().sniff(ByteView(Array("<?xml version=\"1.0\"?><svg/>".utf8))))
    #expect(!OpenVINOFormat().sniff(ByteView([])))
    let root = try XMLReader.root(xml)
    #expect(
      root.child("rt_info")?.child("conversion")?["value"] == "made <by> \"us\" & others"
    )
  }

  @Test(.enabled(if: exportFolder != nil, "ASSAY_OPENVINO_EXPORTS names no folder"))
  func writesCasesForTheRealReaders() throws {
    let folder = try #require(exportFolder)
    for problem in try OperatorCase.all() + [quantizedNetwork(isFed: false)] {
      guard refused[problem.name] == nil else { continue }
      for version in IRNetwork.versions where version == 11 || refusedIn10[problem.name] == nil {
        let name = "\(problem.name).v\(version)"
        try write(problem.graph, ExportOptions(irVersion: version), folder, name)
        let expected = try ReferenceEvaluator(problem.graph).run(problem.inputs)
        let arrays =
          problem.inputs.map { (name: "in/\($0.key)", tensor: $0.value) }
          + expected.map { (name: "out/\($0.name)", tensor: $0.tensor) }
        try AtomicFile.write(NPZ.write(arrays), to: "\(folder)/\(name).npz")
      }
    }
  }
}
