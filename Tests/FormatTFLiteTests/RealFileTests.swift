import AssayBase
import AssayFormat
import AssayGraph
import AssayTensor
import AssayTestSupport
import FormatTFLite
import Testing

/// Files that TensorFlow's converters of several years and the Edge TPU compiler wrote.
@Suite(.enabled(if: TestData.shared != nil, "set ASSAY_TEST_DATA to the folder of real models"))
struct RealFileTests {
  private let format = TFLiteFormat()

  private func read(_ path: String) throws -> ImportReport {
    let file = try #require(TestData.sharedFile("models/" + path))
    let bytes = try MappedFile(path: file).view
    #expect(format.sniff(try bytes.slice(0, 64)))
    return try format.importGraph(bytes, options: ImportOptions(path: file))
  }

  /// A file, its number of nodes, and the operators that it has and we cannot compute.
  private static let files: [(path: String, nodes: Int, opaque: [String])] = [
    ("mlperf_tiny/ad01_float", 10, []),
    ("mlperf_tiny/ad01_int8", 10, []),
    ("mlperf_tiny/kws_float", 13, []),
    ("mlperf_tiny/kws_int8", 13, []),
    ("mlperf_tiny/resnet8_cifar10_float", 16, []),
    ("mlperf_tiny/resnet8_cifar10_int8", 16, []),
    ("mlperf_tiny/vww_96_float", 31, []),
    ("mlperf_tiny/vww_96_int8", 31, []),
    ("tensor_edge_converter/model", 10, []),
    ("tensor_edge_converter/model_8bit", 10, []),
    ("tensor_edge_converter/model_fp16", 19, []),
    ("tensor_edge_converter/model_full_integer", 12, []),
    ("tensor_edge_converter/model_integer", 12, []),
    ("tensor_edge_converter/model_full_integer_edgetpu", 1, ["edgetpu-custom-op"]),
    ("coral/deeplabv3_mnv2_dm05_pascal_quant", 72, []),
    ("coral/deeplabv3_mnv2_dm05_pascal_quant_edgetpu", 9, ["edgetpu-custom-op"]),
    ("coral/keras_lstm_mnist_ptq", 8, []),
    ("coral/keras_lstm_mnist_ptq_edgetpu", 1, ["edgetpu-custom-op"]),
    ("coral/mobilenet_v1_0.25_128_quant", 31, []),
    ("coral/mobilenet_v1_0.25_128_quant_edgetpu", 1, ["edgetpu-custom-op"]),
    ("coral/mobilenet_v1_0.5_160_quant", 31, []),
    ("coral/mobilenet_v1_0.5_160_quant_edgetpu", 1, ["edgetpu-custom-op"]),
    ("coral/mobilenet_v2_1.0_224_quant", 66, []),
    ("coral/movenet_single_pose_lightning_ptq", 167, []),
    (
      "coral/movenet_single_pose_lightning_ptq_edgetpu", 70,
      ["edgetpu-custom-op"]
    ),
    ("coral/split_concat", 3, []),
    ("coral/split_concat_edgetpu", 1, ["edgetpu-custom-op"]),
    ("mobilenet/mobilenet_v2_1.0_224_ptq_int8", 68, []),
    ("tflite_micro/hello_world_float", 3, []),
    ("tflite_micro/micro_speech_quantized", 5, []),
    ("tflite_micro/person_detect", 31, []),
    ("tflite_micro/trained_lstm", 5, []),
  ]

  @Test(arguments: files.indices) func isRead(index: Int) throws {
    let (path, nodes, opaque) = Self.files[index]
    let report = try read(path + ".tflite")
    let graph = report.graph
    let kept = Set(graph.nodes.compactMap { $0.op is Opaque ? $0.op.name : nil })
    #expect(kept == Set(opaque), "\(path)")
    #expect(graph.nodes.count == nodes, "\(path)")
    #expect(graph.validate() == [], "\(path)")
    // Each is named in a warning.
    for name in opaque {
      #expect(report.diagnostics.contains { $0.summary.contains(name) && $0.severity == .warning })
    }
    guard opaque.isEmpty else {
      #expect(throws: (any Error).self) {
        try format.exportGraph(graph, options: ExportOptions())
      }
      return
    }
    func cycle(_ graph: Graph) throws -> Graph {
      let written = joined(try format.exportGraph(graph, options: ExportOptions()))
      return try format.importGraph(written, options: ImportOptions()).graph
    }
    let again = try cycle(graph)
    // Recurrent layers are written out step by step.
    if graph.nodes.contains(where: { $0.op is Recurrent }) { return }
    #expect(again.nodes.map(\.op.name) == graph.nodes.map(\.op.name), "\(path)")
    #expect(try cycle(again).dump() == again.dump(), "\(path)")
  }

  @Test func aModelWithoutBuffersIsReported() throws {
    let report = try read("coral/invalid_model_invoking_error.tflite")
    #expect(report.diagnostics.map(\.code) == ["TFL020"])
    #expect(report.diagnostics[0].summary.contains("fake-op-double"))
  }

  @Test func openExtentsAreAskedFor() throws {
    let file = try #require(
      TestData.sharedFile("models/tcn_autoencoder/tcnae40_flex_float.tflite")
    )
    let bytes = try MappedFile(path: file).view
    #expect(
      performing: { try format.importGraph(bytes, options: ImportOptions()) },
      throws: { ($0 as? Diagnostics)?.all.first?.code == "TFL004" }
    )
    let fault = #expect(throws: Diagnostics.self) {
      try format.importGraph(bytes, options: ImportOptions())
    }
    // One finding, with the words that mend it; what follows from extents of 1 is only its cause.
    #expect(fault?.all.map(\.remedy) == ["give them: --shape input_1=1xNx1"])
    #expect(fault?.all.first?.cause?.contains("AVERAGE_POOL_2D") == true)
    // Two channels for weights of one would be taken for two groups.
    #expect(
      performing: {
        try format.importGraph(bytes, options: ImportOptions(shapes: ["input_1": [1, 420, 2]]))
      },
      throws: { ($0 as? Diagnostics)?.all.first?.summary.contains("does not fit") == true }
    )
    let shapes = ["input_1": [1, 420, 1] as Shape]
    let report = try format.importGraph(bytes, options: ImportOptions(shapes: shapes))
    #expect(report.graph.validate() == [])
    #expect(report.diagnostics.map(\.code) == [])
    #expect(report.graph.nodes.count { $0.op.name == "Conv2D" } == 23)
  }

  @Test func edgeTPUExecutablesAreDescribed() throws {
    // Facts of the published table of compiled models.
    let report = try read("coral/mobilenet_v1_0.25_128_quant_edgetpu.tflite")
    let facts = Dictionary(report.facts.map { ($0.name, $0.value) }) { first, _ in first }
    #expect(
      facts["Edge TPU parameters"]
        == "566912 bytes cached on the chip, 0 bytes streamed at each run"
    )
    #expect(facts["Edge TPU instructions"] == "182656 bytes")
    #expect(facts["Edge TPU"]?.contains("needs runtime version 12") == true)
    let streamed = try read("coral/keras_lstm_mnist_ptq_edgetpu.tflite").facts
    #expect(
      streamed.contains {
        $0.value == "43968 bytes cached on the chip, 576 bytes streamed at each run"
      }
    )
  }

  @Test func descriptionsAreTold() throws {
    let report = try read("coral/mobilenet_v2_1.0_224_quant.tflite")
    #expect(report.facts.contains { $0.name == "name" || $0.name == "description" })
    #expect(report.graph.attachments.contains { $0.name == "TFLITE_METADATA" })
  }

  @Test func customOperatorsAreWrittenBackWhenAllowed() throws {
    let report = try read("coral/split_concat_edgetpu.tflite")
    #expect(
      performing: { try format.exportGraph(report.graph, options: ExportOptions()) },
      throws: { ($0 as? Diagnostic)?.code == "TFL110" }
    )
    let options = ExportOptions(allowsCustom: true)
    let bytes = joined(try format.exportGraph(report.graph, options: options))
    let again = try format.importGraph(bytes, options: ImportOptions())
    #expect(
      again.facts.filter { $0.name.hasPrefix("Edge") }
        == report.facts.filter {
          $0.name.hasPrefix("Edge")
        }
    )
    #expect(again.graph.dump() == report.graph.dump())
  }

  @Test func signaturesNameInputsAndOutputs() throws {
    let graph = try read("tflite_micro/hello_world_float.tflite").graph
    #expect(graph.inputs.map { graph[$0].name } == ["dense_input"])
    #expect(graph.outputs.map { graph.outputName($0) } == ["dense_2"])
  }
}
