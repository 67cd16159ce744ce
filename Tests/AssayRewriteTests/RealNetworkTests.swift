import AssayBase
import AssayFormat
import AssayGraph
import AssayReference
import AssayRewrite
import AssayTensor
import AssayTestSupport
import FormatKeras
import FormatTFLite
import Testing

/// Trained networks, beside the files that their authors converted from them with TensorFlow.
@Suite(.enabled(if: TestData.shared != nil, "set ASSAY_TEST_DATA to the folder of real models"))
struct RealNetworkTests {
  static let pairs = [
    ("models/mlperf_tiny/vww_96.h5", "models/mlperf_tiny/vww_96_float.tflite"),
    ("models/mlperf_tiny/resnet8_cifar10.h5", "models/mlperf_tiny/resnet8_cifar10_float.tflite"),
    ("models/mlperf_tiny/ad01.h5", "models/mlperf_tiny/ad01_float.tflite"),
    ("models/tensor_edge_converter/model.h5", "models/tensor_edge_converter/model.tflite"),
  ]

  private func graph(_ file: String, _ format: any ModelFormat) throws -> Graph {
    let path = try #require(TestData.sharedFile(file))
    let bytes = try MappedFile(path: path).view
    return try format.importGraph(bytes, options: ImportOptions(path: path)).graph
  }

  @Test(arguments: pairs)
  func takesNoMoreOperatorsThanTensorFlowsConverter(keras: String, tflite: String) throws {
    let original = try graph(keras, KerasFormat())
    let canonical = try canonicalized(original)
    let converted = try graph(tflite, TFLiteFormat())
    #expect(canonical.nodes.count <= converted.nodes.count, "\(canonical.dump())")
    #expect(!canonical.nodes.contains { $0.op is BatchNorm })

    var rng = SeededRNG(seed: 7)
    let input = rng.tensor(original[original.inputs[0]].type.shape)
    let expected = try ReferenceEvaluator(original).run(["": input])
    for (a, b) in zip(try ReferenceEvaluator(canonical).run(["": input]), expected) {
      #expect(a.name == b.name)
      #expect(largestDifference(a.tensor.floats(), b.tensor.floats()).relative < 1e-5)
    }
    // The authors' file computes the same, up to their converter's own rounding; that of the anomaly
    // detector has other weights than the .h5 beside it (Keras itself is as far from it).
    if keras.contains("ad01") { return }
    for (a, b) in zip(try ReferenceEvaluator(converted).run(["": input]), expected) {
      #expect(largestDifference(a.tensor.floats(), b.tensor.floats()).relative < 1e-4)
    }
  }
}
