import AssayBase
import AssayFormat
import AssayGraph
import AssayReference
import AssayTensor
import AssayTestSupport
import FormatTFLite
import Testing

/// Whole 8-bit networks that others trained and converted, against what LiteRT computes for them
/// (Tests/Goldens/make_network_goldens.py).
@Suite(.enabled(if: TestData.shared != nil, "set ASSAY_TEST_DATA to the folder of real models"))
struct NetworkTests {
  static let files = [
    "models/mlperf_tiny/vww_96_int8.tflite",
    "models/mlperf_tiny/resnet8_cifar10_int8.tflite",
    "models/mlperf_tiny/kws_int8.tflite",
    "models/mlperf_tiny/ad01_int8.tflite",
    "models/tflite_micro/micro_speech_quantized.tflite",
    "models/tensor_edge_converter/model_full_integer.tflite",
    "models/coral/mobilenet_v1_0.25_128_quant.tflite",
  ]

  @Test(arguments: files) func isWithinAFewStepsOfLiteRT(file: String) throws {
    let path = try #require(TestData.sharedFile(file))
    let graph = try TFLiteFormat().importGraph(
      try MappedFile(path: path).view,
      options: ImportOptions(path: path)
    ).graph
    var first = 0
    var inputs: [String: Tensor] = [:]
    for id in graph.inputs {
      let type = graph[id].type
      let low = try #require(type.dtype.integerRange).lowerBound
      let values = (first..<first + type.shape.count).map { (37 * $0 + 17 * ($0 / 11)) % 251 + low }
      first += type.shape.count
      let bytes = values.map { UInt8(truncatingIfNeeded: $0) }
      inputs[graph[id].name] = try Tensor(type, bytes: ByteView(bytes))
    }
    let golden = TestData.package + "/Tests/Fixtures/Reference/networks.json"
    let text = try #require(try MappedFile(path: golden).view.utf8)
    let expected = try #require(try JSON(parsing: text)[file]?.array).map { try #require($0.ints) }
    let outputs = try ReferenceEvaluator(graph).run(inputs)
    #expect(outputs.count == expected.count)
    for (output, integers) in zip(outputs, expected) {
      let differences = zip(output.tensor.integers(), integers).map { abs($0 - $1) }
      #expect(differences.count == integers.count)
      #expect(differences.allSatisfy { $0 <= 2 }, "\(differences)")
    }
  }
}
