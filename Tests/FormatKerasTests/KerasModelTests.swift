import AssayBase
import AssayCodec
import AssayFormat
import AssayGraph
import AssayReference
import AssayTensor
import AssayTestSupport
import FormatKeras
import Testing

/// What the graph of a model looks like, and the real networks of the shared data.
@Suite struct KerasModelTests {
  static func graph(_ archive: String, _ file: String, batch: Int = 1) throws -> Graph {
    let path = TestData.fixture("keras/\(archive).zip")
    let files = try ZipArchive(MappedFile(path: path).view)
    let bytes = try files.read(#require(files.entry(file)))
    return try KerasFormat().importGraph(bytes, options: ImportOptions(batch: batch)).graph
  }

  @Test(arguments: ["conv2d_sequential.keras", "conv2d_sequential.k2.h5"])
  func namesNodesAfterLayers(file: String) throws {
    let graph = try Self.graph("conv2d_sequential", file)
    #expect(
      graph.nodes.map { "\($0.name) \($0.op.name)" } == [
        "stem Conv2D", "stem_bn BatchNorm", "stem_relu ReLU", "max_pooling2d MaxPool2D",
        "conv2d Conv2D", "flatten Reshape", "probabilities/matmul FullyConnected",
        "probabilities Softmax",
      ]
    )
    #expect(graph.outputs.map { graph.outputName($0) } == ["probabilities"])
    #expect(graph.inputs.map { graph[$0].type } == [TensorType(.float32, [1, 16, 16, 3])])
    #expect(graph.parameterCount == 3062)
  }

  @Test(arguments: ["nested.keras", "nested.h5", "nested.k2.h5"])
  func namesNestedLayersByTheirModels(file: String) throws {
    let graph = try Self.graph("nested", file)
    #expect(
      graph.nodes.map(\.name) == [
        "block/conv", "block/bn", "block/relu", "inner/inner_conv", "inner/inner_add",
        "block_1/conv", "block_1/bn", "block_1/relu", "pool", "fc",
      ]
    )
    // The block is called twice but has its weights once.
    #expect(graph.parameterCount == 199)
    #expect(graph.nodes[0].inputs[1] == graph.nodes[5].inputs[1])
  }

  @Test(arguments: ["multi.keras", "multi.h5", "multi.k2.h5"])
  func keepsTheOrderOfInputsAndOutputs(file: String) throws {
    let graph = try Self.graph("multi", file, batch: 3)
    #expect(graph.inputs.map { graph[$0].name } == ["image", "side"])
    #expect(graph.outputs.map { graph.outputName($0) } == ["klass", "value", "pooled"])
    #expect(graph.outputs.map { graph[$0].type.shape } == [[3, 4], [3, 1], [3, 6]])
  }

  @Test func copiesNoWeightsThatKeepTheirLayout() throws {
    let file = try MappedFile(path: TestData.package + "/Examples/digits/model.h5")
    let graph = try KerasFormat().importGraph(file.view, options: ImportOptions()).graph
    let norm = try #require(graph.nodes.first { $0.op is BatchNorm })
    let gamma = try #require(norm.inputs[1].flatMap { graph[$0].constant })
    let isMapped = unsafe gamma.bytes.withUnsafeBytes { part in
      unsafe file.view.withUnsafeBytes { all in
        guard let a = part.baseAddress, let b = all.baseAddress else { return false }
        return unsafe a >= b && a < b + all.count
      }
    }
    #expect(isMapped)
  }

  static let absent: Comment = "ASSAY_TEST_DATA or ../shared/data is absent"

  /// Networks that others trained and saved, by Keras 2.2 and 2.4.
  @Test(
    .enabled(if: TestData.shared != nil, absent),
    arguments: [
      "mlperf_tiny/ad01.h5", "mlperf_tiny/resnet8_cifar10.h5", "mlperf_tiny/vww_96.h5",
      "tensor_edge_converter/model.h5",
    ]
  )
  func computesWhatKerasComputes(model: String) throws {
    let path = try #require(TestData.sharedFile("models/" + model))
    let goldens = try NPZ.read(MappedFile(path: TestData.fixture("keras-shared.npz")).view)
    let expected = try #require(goldens.first { $0.name == model }).tensor.floats()
    let graph = try KerasFormat().importGraph(
      MappedFile(path: path).view,
      options: ImportOptions()
    ).graph
    #expect(graph.validate().isEmpty)
    let input = graph[try #require(graph.inputs.first)]
    // The input that make_shared_keras_goldens.py fed.
    let elements = (0..<input.type.shape.count).map { Float(($0 * 7919 + 13) % 1009) / 1009 }
    let feed = [input.name: Tensor(elements, input.type.shape)]
    let outputs = try ReferenceEvaluator(graph).run(feed)
    let result = try #require(outputs.first).tensor.floats()
    try #require(result.count == expected.count)
    let error = zip(result, expected).map { abs($0 - $1) }.max() ?? .infinity
    #expect(error <= 1e-5 * (expected.map { abs($0) }.max() ?? 0))
  }
}
