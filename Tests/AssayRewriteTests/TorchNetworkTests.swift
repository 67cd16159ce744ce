import AssayBase
import AssayCodec
import AssayEvaluator
import AssayFormat
import AssayGraph
import AssayRewrite
import AssayTensor
import AssayTestSupport
import FormatONNX
import FormatPyTorch
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

private let torchNetworks = unsafe getenv("ASSAY_TORCH_NETWORKS").map { unsafe String(cString: $0) }

/// Whole networks that PyTorch exported.
///
/// `NAME.pt2`, `NAME.onnx` and `NAME.npz` lie in a folder, as `Tests/Goldens/make_torch_networks.py`
/// makes them. They are too large to be part of the package.
@Suite(.enabled(if: torchNetworks != nil, "set ASSAY_TORCH_NETWORKS to their folder"))
struct TorchNetworkTests {
  static let files = [
    "resnet18", "resnet50", "mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large",
    "efficientnet_b0", "yolov8n-seg", "convnext_tiny", "swin_t", "vit_b_16", "shufflenet_v2",
    "regnet_y_400mf", "deeplabv3", "squeezenet", "densenet121",
  ].flatMap { ["\($0).pt2", "\($0).onnx"] }

  @Test(arguments: files)
  func isEqualAndKeepsNoTransposeInside(file: String) throws {
    let path = try #require(torchNetworks) + "/" + file
    guard let bytes = try? MappedFile(path: path).view else { return }
    let stem = String(file.prefix { $0 != "." })
    let arrays = try NPZ.read(MappedFile(path: "\(try #require(torchNetworks))/\(stem).npz").view)
    let x = try #require(arrays.first { $0.name == "x" }).tensor
    let format: any ModelFormat = file.hasSuffix(".pt2") ? PyTorchFormat() : ONNXFormat()
    let options = ImportOptions(batch: x.shape[0], path: path)
    let imported = try format.importGraph(bytes, options: options).graph
    let graph = try canonicalized(imported)
    let transposes = graph.nodes.filter { $0.op is Transpose }
    let inside = transposes.filter { node in
      !node.inputs.contains { $0.map(graph.inputs.contains) ?? false }
        && !node.outputs.contains(where: graph.outputs.contains)
    }
    let results = try Evaluator(graph).run([graph[graph.inputs[0]].name: x])
    var worst: Float = 0
    for (index, result) in results.enumerated() {
      let want = try #require(arrays.first { $0.name == "y\(index)" }).tensor
      worst = max(worst, largestDifference(result.tensor.floats(), want.floats()).relative)
    }
    let layers = graph.nodes.filter { $0.op is LayerNorm }.count
    print(
      "\(file): \(imported.nodes.count) -> \(graph.nodes.count) nodes, \(transposes.count) transposes, "
        + "\(inside.count) inside, \(layers) LayerNorm, difference \(worst)"
    )
    if let dump = unsafe getenv("ASSAY_DUMP").map({ unsafe String(cString: $0) }) {
      try AtomicFile.write(graph.dump(), to: "\(dump)/\(file).txt")
    }
    #expect(results.count == arrays.count - 1)
    #expect(worst < 1e-4)
  }
}
