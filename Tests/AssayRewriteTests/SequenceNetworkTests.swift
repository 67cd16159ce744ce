import AssayBase
import AssayCodec
import AssayFormat
import AssayGraph
import AssayReference
import AssayRewrite
import AssayTensor
import AssayTestSupport
import FormatTFLite
import Testing

/// The trained temporal-convolution autoencoder: 413 operators with open shapes, of which two are
/// TensorFlow's, become a network that every runtime can run.
@Suite(.enabled(if: TestData.shared != nil, "set ASSAY_TEST_DATA to the folder of real models"))
struct SequenceNetworkTests {
  @Test func theAutoencoderIsAPlainNetwork() throws {
    let path = try #require(
      TestData.sharedFile("models/tcn_autoencoder/tcnae40_flex_float.tflite")
    )
    let options = ImportOptions(shapes: ["input_1": [1, 420, 1]])
    let graph = try TFLiteFormat()
      .importGraph(try MappedFile(path: path).view, options: options).graph
    let canonical = try canonicalized(graph)
    #expect(canonical.nodes.count <= 45)
    #expect(canonical.nodes.count { ($0.op as? Conv2D)?.dilations.width ?? 1 > 1 } == 16)
    #expect(!canonical.nodes.contains { $0.op is Opaque || $0.op is SpaceToBatch })

    // What TensorFlow's interpreter with its Flex delegate gives (Tests/Goldens/make_tcn_golden.py).
    let golden = TestData.package + "/Tests/Fixtures/tflite/tcn_autoencoder.npz"
    let arrays = try NPZ.read(try MappedFile(path: golden).view)
    let input = try #require(arrays.first { $0.name == "input_1" }).tensor
    let expected = try #require(arrays.first { $0.name == "dense" }).tensor
    let result = try ReferenceEvaluator(canonical).run(["input_1": input])[0].tensor
    #expect(result.shape == expected.shape)
    #expect(largestDifference(result.floats(), expected.floats()).relative < 1e-5)
  }
}
