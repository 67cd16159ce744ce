import AssayBase
import AssayCodec
import AssayFormat
import AssayGraph
import AssayReference
import AssayTensor
import AssayTestSupport
import Testing

@testable import FormatKeras

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The folder into which networks are written for the real Keras (Tests/Goldens/
/// check_keras_exports.py); unset in an ordinary run.
private let exportFolder = unsafe getenv("ASSAY_KERAS_EXPORTS").map { unsafe String(cString: $0) }

@Suite struct KerasExportTests {
  private func written(_ graph: Graph, _ fileName: String) throws -> ByteView {
    let options = ExportOptions(fileName: fileName)
    let pieces = try KerasFormat().exportGraph(graph, options: options)
    return ByteView(pieces.flatMap(\.array))
  }

  /// The codes of a refusal; empty when the network is written.
  private func refusal(_ graph: Graph, _ fileName: String) -> [String] {
    do {
      _ = try written(graph, fileName)
      return []
    } catch let fault as Diagnostic {
      return [fault.code]
    } catch { return (error as? Diagnostics)?.all.map(\.code) ?? ["?"] }
  }

  /// Every case is written, or refused with one of Keras's codes; what comes back is the same.
  @Test(arguments: try OperatorCase.all(), ["n.keras", "n.h5"])
  func networksComeBack(_ problem: OperatorCase, _ fileName: String) throws {
    let isArchive = fileName == "n.keras"
    let codes = refusal(problem.graph, fileName)
    if !codes.isEmpty {
      let known = Set(isArchive ? Self.refusedByKeras : Self.refusedByKeras + ["KER106"])
      #expect(known.isSuperset(of: codes), "\(codes)")
      return
    }
    let report: ImportReport
    do {
      report = try KerasFormat().importGraph(
        try written(problem.graph, fileName),
        options: ImportOptions(batch: problem.graph.inputs.first.map(batch(problem.graph)) ?? 1)
      )
    } catch {
      // Functions of keras.ops that are written but not read; the real Keras is asked about them.
      #expect(isArchive && Self.isUnread(error), "\(error)")
      return
    }
    let graph = report.graph
    let expected = try ReferenceEvaluator(problem.graph).run(problem.inputs)
    let inputs = Dictionary(
      uniqueKeysWithValues: zip(problem.graph.inputs, graph.inputs).compactMap { old, new in
        problem.inputs[problem.graph[old].name].map { (graph[new].name, $0) }
      }
    )
    let got = try ReferenceEvaluator(graph).run(inputs)
    #expect(got.count == expected.count)
    for (a, b) in zip(got, expected) {
      #expect(a.tensor.shape == b.tensor.shape)
      let error = largestDifference(a.tensor.floats(), b.tensor.floats()).relative
      #expect(error <= 2e-6, "\(a.name)\n\(graph.dump())")
    }
  }

  private func batch(_ graph: Graph) -> (ValueID) -> Int {
    { max(graph[$0].type.shape[0], 1) }
  }

  /// What Keras has no layer or function for.
  private static let refusedByKeras = [
    "KER102", "KER104", "KER105", "KER110", "KER111", "KER112", "KER113", "KER114", "KER115",
    "KER116",
    "KER117", "KER118", "KER119",
  ]

  private static func isUnread(_ error: any Error) -> Bool {
    let codes = (error as? Diagnostics)?.all.map(\.code) ?? [(error as? Diagnostic)?.code ?? "?"]
    return codes.allSatisfy { $0 == "KER006" }
  }

  @Test func layersHaveTheNodesNames() throws {
    var make = OperatorCaseMaker("named")
    let x = make.input([1, 6, 6, 3], name: "image:0")
    let conv = try make.graph.addNode(
      "block/conv",
      Conv2D(activation: .relu),
      [x, make.constant("w", [4, 3, 3, 3]), make.constant("b", [4])]
    )[0]
    let flat = try make.graph.addNode("flat", Reshape([1, 64]), [conv])[0]
    let y = try make.graph.addNode(
      "scores",
      FullyConnected(),
      [flat, make.constant("d", [5, 64])]
    )
    let graph = make.finished(y).graph
    for fileName in ["n.keras", "n.h5"] {
      let back = try KerasFormat().importGraph(
        try written(graph, fileName),
        options: ImportOptions()
      ).graph
      #expect(back.nodes.map(\.name) == ["block_conv", "flat", "scores"])
      #expect(back.inputs.map { back[$0].name } == ["image_0"])
      #expect(back.nodes.map(\.op.name) == ["Conv2D", "Reshape", "FullyConnected"])
    }
  }

  /// The batch stays open, so that the network can be trained and fed in batches.
  @Test func theBatchIsOpen() throws {
    let problem = try OperatorCase.weighted("open", [1, 6], FullyConnected(), [[5, 6]])
    let bytes = try written(problem.graph, "n.keras")
    let back = try KerasFormat().importGraph(bytes, options: ImportOptions(batch: 7)).graph
    #expect(back[back.outputs[0]].type.shape == [7, 5])
  }

  @Test func theSameNetworkGivesTheSameBytes() throws {
    let problem = try OperatorCase.weighted("same", [1, 6], FullyConnected(), [[5, 6], [5]])
    for fileName in ["n.keras", "n.h5"] {
      let first = try written(problem.graph, fileName)
      #expect(first.hasSameBytes(as: try written(problem.graph, fileName)))
    }
  }

  @Test func halvesBecomeFloats() throws {
    var make = OperatorCaseMaker("half")
    let x = make.input([1, 64])
    let weights = try #require(make.floats([8, 64]).converted(to: .float16))
    let stored = make.graph.addConstant("w", weights)
    let widened = try make.graph.addNode("w32", Dequantize(), [stored])[0]
    let problem = try make.finished { try $0.addNode("y", FullyConnected(), [x, widened]) }
    let bytes = try written(problem.graph, "n.h5")
    let back = try KerasFormat().importGraph(bytes, options: ImportOptions()).graph
    let constant = back.values.compactMap(\.constant).first { $0.shape == [8, 64] }
    #expect(constant?.floats() == weights.floats())
  }

  @Test func namesEveryNodeThatCannotBeWritten() throws {
    var graph = Graph(name: "odd")
    let x = graph.addInput("x", TensorType(.float32, [1, 4]))
    let a = try graph.addNode("a", Opaque("strange", outputTypes: [graph[x].type]), [x])[0]
    let b = try graph.addNode("b", Opaque("odd", outputTypes: [graph[x].type]), [x])[0]
    graph.outputs = try graph.addNode("c", Binary(.add), [a, b])
    #expect(refusal(graph, "n.keras") == ["KER102", "KER102"])
    // Functions are told to go into the other kind of file.
    let tile = try OperatorCase.one("tile", [1, 2], Tile([1, 2]))
    #expect(refusal(tile.graph, "n.h5") == ["KER106"])
    #expect(refusal(tile.graph, "n.keras") == [])
  }

  @Test func refusesQuantizedNetworks() throws {
    var graph = Graph(name: "int8")
    let type = TensorType(.int8, [1, 4], quantization: Quantization(scale: 0.1, zeroPoint: 0))
    let x = graph.addInput("x", type)
    graph.outputs = try graph.addNode("y", Dequantize(), [x])
    #expect(refusal(graph, "n.keras") == ["KER101"])
  }

  @Test(.enabled(if: exportFolder != nil, "ASSAY_KERAS_EXPORTS names no folder"))
  func writesCasesForTheRealKeras() throws {
    let folder = try #require(exportFolder)
    for problem in try OperatorCase.all() {
      for suffix in ["keras", "h5"] {
        guard refusal(problem.graph, "n.\(suffix)").isEmpty else { continue }
        let name = "\(folder)/\(problem.name).\(suffix)"
        try AtomicFile.write([try written(problem.graph, "n.\(suffix)")], to: name)
        let expected = try ReferenceEvaluator(problem.graph).run(problem.inputs)
        let inputs = problem.graph.inputs.enumerated().compactMap { index, id in
          problem.inputs[problem.graph[id].name].map { (name: "in/\(index)", tensor: $0) }
        }
        let outputs = expected.enumerated().map { (name: "out/\($0)", tensor: $1.tensor) }
        try AtomicFile.write(NPZ.write(inputs + outputs), to: name + ".npz")
      }
    }
  }
}
