import AssayBase
import AssayCodec
import AssayFormat
import AssayGraph
import AssayReference
import AssayTensor
import AssayTestSupport
import FormatPyTorch
import Testing

/// Archives that PyTorch wrote, against what PyTorch computes with them.
@Suite struct PT2Tests {
  static func open(_ name: String) throws -> ByteView {
    try MappedFile(path: TestData.fixture("pytorch/\(name)")).view
  }

  static let networks = [
    "convolutions", "convolutions_core", "pools", "activations", "arithmetic", "shapes", "indices",
    "reductions", "dense", "dense_core", "inplace", "layout", "layout_older", "layout_pickled",
    "recurrent", "volumes",
  ]

  @Test(arguments: networks)
  func outputsAreThoseOfPyTorch(name: String) throws {
    let arrays = try NPZ.read(
      Self.open((name.hasPrefix("layout") ? "layout" : name) + ".npz")
    )
    let x = try #require(arrays.first { $0.name == "x" }).tensor
    let options = ImportOptions(batch: x.shape[0])
    let report = try PyTorchFormat().importGraph(Self.open(name + ".pt2"), options: options)
    let graph = report.graph
    #expect(graph.validate().isEmpty)
    #expect(report.producer == "torch 2.15.0+cu132")
    let inputs = Dictionary(uniqueKeysWithValues: [(graph[graph.inputs[0]].name, x)])
    let results = try ReferenceEvaluator(graph).run(inputs)
    #expect(results.count == arrays.count - 1)
    for (index, result) in results.enumerated() {
      let want = try #require(arrays.first { $0.name == "out\(index)" }).tensor
      #expect(result.tensor.shape == want.shape, "out\(index) '\(result.name)'")
      let values = result.tensor.dtype == .float32 ? result.tensor : converted(result.tensor)
      let difference = largestDifference(values.floats(), want.floats()).relative
      #expect(difference < 2e-6, "out\(index) '\(result.name)'")
    }
  }

  private func converted(_ tensor: Tensor) -> Tensor {
    Tensor(tensor.integers().map { Float($0) }, tensor.shape)
  }
}
