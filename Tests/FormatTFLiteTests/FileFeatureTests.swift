import AssayBase
import AssayCodec
import AssayFormat
import AssayGraph
import AssayReference
import AssayTensor
import AssayTestSupport
import FormatTFLite
import Testing

/// What a file holds besides operators.
@Suite struct FileFeatureTests {
  private let format = TFLiteFormat()

  private func dense() throws -> Graph {
    var graph = Graph(name: "dense")
    let x = graph.addInput("x", TensorType(.float32, [1, 4]))
    let w = graph.addConstant(
      "w",
      Tensor((0..<12).map { Float($0) / 7 - 0.5 }, [3, 4])
    )
    graph.outputs = try graph.addNode("y", FullyConnected(), [x, w])
    return graph
  }

  private func run(_ graph: Graph) throws -> [Float] {
    let x = Tensor([Float(0.5), -1, 2, 0.25], [1, 4])
    return try ReferenceEvaluator(graph).run(["x": x])[0].tensor.floats()
  }

  @Test func everyBuiltinIsReadOrRefusedForAReason() {
    #expect(TFLiteBuiltins.rows.count == 210)
    for row in TFLiteBuiltins.rows { #expect(row.refusal != "it is not known", "\(row.name)") }
    #expect(TFLiteBuiltins.rows.count { $0.refusal == nil } >= 180)
  }

  @Test func descriptionsAndFilesAreKept() throws {
    var graph = try dense()
    graph.attachments = [
      Graph.Attachment("TFLITE_METADATA", ByteView([1, 2, 3, 4]), isFile: false),
      Graph.Attachment("labels.txt", ByteView("cat\ndog\n".utf8), isFile: true),
    ]
    let bytes = joined(try format.exportGraph(graph, options: ExportOptions()))
    let report = try format.importGraph(bytes, options: ImportOptions())
    #expect(report.graph.attachments.map(\.name) == ["TFLITE_METADATA", "labels.txt"])
    #expect(report.graph.attachments.map(\.isFile) == [false, true])
    #expect(report.graph.attachments[0].bytes.array == [1, 2, 3, 4])
    #expect(report.graph.attachments[1].bytes.utf8 == "cat\ndog\n")
    #expect(report.facts.contains { $0.name == "file labels.txt" })
    #expect(try run(report.graph) == run(graph))
    // Written again it is the same file.
    let again = joined(try format.exportGraph(report.graph, options: ExportOptions()))
    #expect(again.array == bytes.array)
  }

  @Test func signaturesAreChosenByName() throws {
    let bytes = joined(try format.exportGraph(try dense(), options: ExportOptions()))
    let chosen = try format.importGraph(bytes, options: ImportOptions(signature: "serving_default"))
    #expect(chosen.graph.inputs.count == 1)
    #expect(chosen.facts.contains { $0.value == "x -> y" })
    #expect(
      performing: { try format.importGraph(bytes, options: ImportOptions(signature: "train")) },
      throws: { ($0 as? Diagnostic)?.code == "TFL023" }
    )
  }

  @Test func outputsAreChosenByName() throws {
    var graph = try dense()
    let y = graph.outputs[0]
    graph.outputs = try graph.addNode("z", Unary(.relu), [y])
    let bytes = joined(try format.exportGraph(graph, options: ExportOptions()))
    let cut = try format.importGraph(bytes, options: ImportOptions(outputs: ["y"]))
    #expect(cut.graph.nodes.map(\.op.name) == ["FullyConnected"])
    let rest = try format.importGraph(bytes, options: ImportOptions(inputs: ["y"]))
    #expect(rest.graph.nodes.map(\.op.name) == ["ReLU"])
    #expect(
      performing: { try format.importGraph(bytes, options: ImportOptions(outputs: ["none"])) },
      throws: { ($0 as? Diagnostic)?.code == "TFL025" }
    )
  }

  @Test func recurrentLayersAreWrittenOut() throws {
    for cell in Recurrent.Cell.allCases {
      for isReversed in [false, true] {
        var rng = SeededRNG(seed: 9)
        var graph = Graph(name: "recurrent")
        let x = graph.addInput("x", TensorType(.float32, [2, 4, 3]))
        let rows = 5 * cell.gates
        let w = graph.addConstant("w", rng.tensor([rows, 3], scale: 0.4))
        let r = graph.addConstant("r", rng.tensor([rows, 5], scale: 0.4))
        let b = graph.addConstant("b", rng.tensor([rows]))
        let rb = graph.addConstant("rb", rng.tensor([rows]))
        let h = graph.addConstant("h", rng.tensor([2, 5]))
        let op = Recurrent(cell, isReversed: isReversed, resetsAfter: cell == .gru)
        graph.outputs = try graph.addNode("y", op, [x, w, r, b, rb, h])
        let bytes = joined(try format.exportGraph(graph, options: ExportOptions()))
        let again = try format.importGraph(bytes, options: ImportOptions()).graph
        #expect(!again.nodes.contains { $0.op is Recurrent })
        let input = ["x": rng.tensor([2, 4, 3])]
        let a = try ReferenceEvaluator(graph).run(input)
        let c = try ReferenceEvaluator(again).run(input)
        for (one, other) in zip(a, c) {
          #expect(largestDifference(other.tensor.floats(), one.tensor.floats()).relative < 1e-5)
        }
      }
    }
  }

  @Test func simplerOperatorsStandForOthers() throws {
    var rng = SeededRNG(seed: 4)
    let kinds: [Unary.Kind] = [
      .tan, .asin, .acos, .atan, .sinh, .cosh, .asinh, .atanh, .erf,
    ]
    for kind in kinds {
      var graph = Graph(name: kind.rawValue)
      let x = graph.addInput("x", TensorType(.float32, [64]))
      graph.outputs = try graph.addNode("y", Unary(kind), [x])
      let bytes = joined(try format.exportGraph(graph, options: ExportOptions()))
      let again = try format.importGraph(bytes, options: ImportOptions()).graph
      #expect(!again.nodes.contains { $0.op.name == kind.rawValue })
      var values = (0..<63).map { _ in rng.uniform(-0.95, 0.95) }
      values.append(0)
      let input = ["x": Tensor(values, [64])]
      let a = try ReferenceEvaluator(graph).run(input)[0].tensor.floats()
      let b = try ReferenceEvaluator(again).run(input)[0].tensor.floats()
      #expect(largestDifference(b, a).relative < 2e-6, "\(kind)")
    }
  }

  @Test func gatheringAlongAnAxisIsWrittenOut() throws {
    var rng = SeededRNG(seed: 4)
    var graph = Graph(name: "gather")
    let x = graph.addInput("x", TensorType(.float32, [3, 4]))
    let indices = graph.addConstant("i", Tensor([Int32(2), 0, -1, 1, 1, 2], [3, 2]))
    graph.outputs = try graph.addNode("y", GatherElements(axis: 1), [x, indices])
    let bytes = joined(try format.exportGraph(graph, options: ExportOptions()))
    let again = try format.importGraph(bytes, options: ImportOptions()).graph
    let input = ["x": rng.tensor([3, 4])]
    #expect(
      try ReferenceEvaluator(graph).run(input)[0].tensor.floats()
        == ReferenceEvaluator(again).run(input)[0].tensor.floats()
    )
  }
}
