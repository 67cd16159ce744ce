import AssayBase
import AssayCodec
import AssayFormat
import AssayGraph
import AssayTensor
import AssayTestSupport
import Testing

@testable import FormatPyTorch

/// Files that hold no network, and archives that nobody should write.
@Suite struct RefusalTests {
  private func codes(_ bytes: ByteView, _ options: ImportOptions = ImportOptions()) -> [String] {
    faults(bytes, options).map(\.code)
  }

  private func faults(
    _ bytes: ByteView,
    _ options: ImportOptions = ImportOptions()
  ) -> [Diagnostic] {
    do {
      _ = try PyTorchFormat().importGraph(bytes, options: options)
    } catch let fault as Diagnostic {
      return [fault]
    } catch let several as Diagnostics {
      return several.all
    } catch {
      return [Diagnostic("???", "\(error)")]
    }
    return []
  }

  /// An archive of the newer layout with these nodes over an input `x` of `[2, 3]`.
  private func archive(
    _ nodes: String,
    output: String = "y",
    values: String = "",
    extra: [(String, [UInt8])] = []
  ) throws -> ByteView {
    let meta = """
      {"dtype": 7, "sizes": [{"as_int": 2}, {"as_int": 3}], "strides": [], "storage_offset": {"as_int": 0}}
      """
    let program = """
      {"graph_module": {"graph": {"inputs": [{"as_tensor": {"name": "x"}}],
      "outputs": [{"as_tensor": {"name": "\(output)"}}], "nodes": [\(nodes)],
      "tensor_values": {"x": \(meta)\(values)}},
      "signature": {"input_specs": [{"user_input": {"arg": {"as_tensor": {"name": "x"}}}}],
      "output_specs": [{"user_output": {"arg": {"as_tensor": {"name": "\(output)"}}}}]}},
      "schema_version": {"major": 8, "minor": 1}}
      """
    var writer = ZipWriter()
    try writer.add("m/models/model.json", [ByteView(Array(program.utf8))])
    for (name, bytes) in extra { try writer.add(name, [ByteView(bytes)]) }
    return ByteView(writer.finish().flatMap(\.array))
  }

  private func node(_ target: String, _ inputs: [String], output: String = "y") -> String {
    let arguments = inputs.joined(separator: ", ")
    return """
      {"target": "\(target)", "inputs": [\(arguments)], "name": "\(output)",
      "outputs": [{"as_tensor": {"name": "\(output)"}}], "metadata": {}}
      """
  }

  private func tensor(_ key: String, _ name: String) -> String {
    "{\"name\": \"\(key)\", \"arg\": {\"as_tensor\": {\"name\": \"\(name)\"}}}"
  }

  private func argument(_ key: String, _ kind: String, _ value: String) -> String {
    "{\"name\": \"\(key)\", \"arg\": {\"\(kind)\": \(value)}}"
  }

  @Test func checkpointsAndScriptsAreAnsweredWithWhatMakesAnArchive() throws {
    for (name, code) in [("weights.pt", "PYT001"), ("script.pt", "PYT002")] {
      let bytes = try PT2Tests.open(name)
      #expect(PyTorchFormat().sniff(bytes))
      let faults = faults(bytes)
      #expect(faults.map(\.code) == [code])
      #expect(faults.first?.remedy?.contains("torch.export.save") ?? false)
    }
    // The pickle that PyTorch wrote before 1.6.
    #expect(codes(ByteView([0x80, 2, 0x8A, 10, 0x6C, 0xFC])) == ["PYT001"])
  }

  @Test func archivesAreKnownByTheirFirstBytes() throws {
    for name in PT2Tests.networks {
      #expect(PyTorchFormat().sniff(try PT2Tests.open(name + ".pt2").slice(0, 64)), "\(name)")
    }
    for foreign in ["config.json", "metadata.json", "model.weights.h5", "x.npy"] {
      var writer = ZipWriter()
      try writer.add(foreign, [ByteView([1, 2, 3])])
      #expect(!PyTorchFormat().sniff(ByteView(writer.finish().flatMap(\.array))), "\(foreign)")
    }
  }

  @Test func aSmallProgramIsRead() throws {
    let bytes = try archive(node("torch.ops.aten.relu.default", [tensor("self", "x")]))
    let graph = try PyTorchFormat().importGraph(bytes, options: ImportOptions()).graph
    #expect(graph.nodes.count == 1 && graph.outputName(graph.outputs[0]) == "y")
  }

  @Test func everyUnknownOperatorIsNamedOnce() throws {
    let nodes = [
      node("torch.ops.aten.fancy.default", [tensor("self", "x")], output: "a"),
      node("torch.ops.aten.fancy.default", [tensor("self", "x")], output: "b"),
      node("torch.ops.torchvision.nms.default", [tensor("self", "x")], output: "c"),
      node("torch.ops.aten.relu.default", [tensor("self", "a")]),
    ]
    let faults = faults(try archive(nodes.joined(separator: ",")))
    #expect(faults.map(\.code) == ["PYT021", "PYT021"])
    #expect(faults.contains { $0.summary.contains("aten.fancy") && $0.summary.contains("2 nodes") })
    #expect(faults.contains { $0.summary.contains("torchvision.nms") })
  }

  @Test func hostileArgumentsAreRefused() throws {
    let x = tensor("self", "x")
    let huge = "9223372036854775807"
    let calls: [(String, [String])] = [
      ("view", [x, argument("size", "as_ints", "[\(huge), \(huge)]")]),
      ("view", [x, argument("size", "as_ints", "[-1, -1]")]),
      ("transpose", [x, argument("dim0", "as_int", huge), argument("dim1", "as_int", "0")]),
      ("permute", [x, argument("dims", "as_ints", "[0, 0]")]),
      ("slice", [x, argument("dim", "as_int", "-9223372036854775808")]),
      ("slice", [x, argument("step", "as_int", "0")]),
      (
        "narrow",
        [
          x, argument("dim", "as_int", "0"), argument("start", "as_int", huge),
          argument("length", "as_int", huge),
        ]
      ),
      ("select", [x, argument("dim", "as_int", "0"), argument("index", "as_int", "-\(huge)")]),
      ("split", [x, argument("split_size", "as_int", "0")]),
      ("pad", [x, argument("pad", "as_ints", "[\(huge), \(huge)]")]),
      ("pad", [x, argument("pad", "as_ints", "[-5, -5]")]),
      ("repeat", [x, argument("repeats", "as_ints", "[\(huge), 4]")]),
      ("expand", [x, argument("size", "as_ints", "[\(huge), 2, 3]")]),
      ("full", [argument("size", "as_ints", "[\(huge)]"), argument("fill_value", "as_int", "1")]),
      ("arange", [argument("end", "as_float", "1e300")]),
      ("arange", [argument("end", "as_int", "5"), argument("step", "as_int", "0")]),
      ("eye", [argument("n", "as_int", huge)]),
      ("conv2d", [tensor("input", "x"), tensor("weight", "x")]),
      ("max_pool2d", [x, argument("kernel_size", "as_ints", "[]")]),
      ("softmax", [x, argument("dim", "as_int", "7")]),
      ("add", [x, tensor("other", "nothing")]),
      ("cat", [argument("tensors", "as_tensors", "[]")]),
      ("mean", [x, argument("dim", "as_ints", "[5]")]),
      (
        "roll",
        [
          x, argument("shifts", "as_ints", "[-9223372036854775808]"),
          argument("dims", "as_ints", "[9]"),
        ]
      ),
      ("pixel_shuffle", [x, argument("upscale_factor", "as_int", huge)]),
      ("embedding", [tensor("weight", "x"), tensor("indices", "x")]),
      (
        "einsum",
        [argument("equation", "as_string", "\"->\""), argument("tensors", "as_tensors", "[]")]
      ),
      ("topk", [x, argument("k", "as_int", huge)]),
      (
        "batch_norm",
        [
          tensor("input", "x"), argument("training", "as_bool", "true"),
          tensor("running_mean", "x"),
        ]
      ),
      ("lstm", [tensor("input", "x")]),
      ("index", [x, argument("indices", "as_optional_tensors", "[]")]),
    ]
    for (name, arguments) in calls {
      let bytes = try archive(node("torch.ops.aten.\(name).default", arguments))
      #expect(!codes(bytes).isEmpty, "\(name) \(arguments)")
    }
  }

  @Test func shapesThatAreNotTheDeclaredOnesAreFound() throws {
    let declared = ", \"y\": {\"dtype\": 7, \"sizes\": [{\"as_int\": 3}, {\"as_int\": 3}]}"
    let relu = node("torch.ops.aten.relu.default", [tensor("self", "x")])
    #expect(codes(try archive(relu, values: declared)) == ["PYT015"])
  }

  @Test func truncatedAndCorruptedArchivesAreRefused() throws {
    let bytes = try PT2Tests.open("inplace.pt2").array
    for count in stride(from: 0, to: bytes.count, by: 997) {
      #expect(!codes(ByteView(bytes[..<count])).isEmpty)
    }
    forAll(count: 60) { rng in
      var copy = bytes
      for _ in 0..<4 { copy[rng.int(0...copy.count - 1)] = UInt8(truncatingIfNeeded: rng.next()) }
      _ = codes(ByteView(copy))
    }
  }

  @Test func tensorsThatLeaveTheirStorageAreRefused() throws {
    let storage = ByteView([UInt8](repeating: 0, count: 48))
    func layout(_ sizes: [Int], _ strides: [Int], _ offset: Int) -> StridedTensor {
      StridedTensor(dtype: .float32, sizes: sizes, strides: strides, offset: offset)
    }
    #expect(try layout([3, 4], [4, 1], 0).tensor(in: storage).shape == [3, 4])
    #expect(try layout([4, 3], [1, 4], 0).tensor(in: storage).shape == [4, 3])
    #expect(try layout([0], [1], 0).tensor(in: storage).count == 0)
    let bad = [
      layout([3, 4], [4, 1], 1), layout([3, 4], [4, 1], Int.max), layout([3], [Int.max], 0),
      layout([Int.max, 2], [0, 0], 0), layout([1 << 35], [0], 0), layout([2], [-1], 1),
      layout([3, 4], [4], 0), layout([-1], [1], 0), layout([13], [1], 0),
    ]
    for one in bad { #expect(throws: Diagnostic.self) { try one.tensor(in: storage) } }
  }

  @Test func openExtentsAreChosen() throws {
    let bytes = try PT2Tests.open("convolutions.pt2")
    for batch in [1, 3] {
      let graph = try PyTorchFormat().importGraph(bytes, options: ImportOptions(batch: batch)).graph
      #expect(graph[graph.inputs[0]].type.shape == [batch, 3, 11, 12])
      #expect(graph[graph.outputs[1]].type.shape[0] == batch)
    }
    let wrong = ImportOptions(shapes: ["x": [1, 3, 10, 12]])
    #expect(codes(bytes, wrong).contains("PYT013"))
  }

  @Test func trainingIsRefused() throws {
    let dropout = node(
      "torch.ops.aten.dropout.default",
      [
        tensor("input", "x"), argument("p", "as_float", "0.5"),
        argument("train", "as_bool", "true"),
      ]
    )
    let faults = faults(try archive(dropout))
    #expect(faults.map(\.code) == ["PYT022"] && faults[0].remedy?.contains("eval()") ?? false)
  }
}
