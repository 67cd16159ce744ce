import AssayBase
import AssayFormat
import AssayGraph
import AssayReference
import AssayTensor
import AssayTestSupport
import Testing

@testable import FormatTFLite

/// Files whose weights lie behind the tables, as those beyond 2 GB must.
@Suite struct LargeFileTests {
  private func graph() throws -> Graph {
    var rng = SeededRNG(seed: 3)
    var graph = Graph(name: "large")
    let x = graph.addInput("x", TensorType(.float32, [1, 7]))
    let w = graph.addConstant("w", rng.tensor([5, 7]))
    let b = graph.addConstant("b", rng.tensor([5]))
    graph.outputs = try graph.addNode("y", FullyConnected(), [x, w, b])
    return graph
  }

  @Test func weightsBehindTheTablesAreFound() throws {
    let graph = try graph()
    var exporter = TFLiteExporter(graph)
    let record = try exporter.run(description: "assay")
    let whole = joined(try record.write())
    let split = joined(try record.write(limit: 16))
    #expect(split.count != whole.count)
    let format = TFLiteFormat()
    let a = try format.importGraph(whole, options: ImportOptions()).graph
    let b = try format.importGraph(split, options: ImportOptions()).graph
    #expect(a.dump() == b.dump())
    var rng = SeededRNG(seed: 4)
    let input = ["x": rng.tensor([1, 7])]
    #expect(
      try ReferenceEvaluator(b).run(input)[0].tensor.floats()
        == ReferenceEvaluator(graph).run(input)[0].tensor.floats()
    )
    // Each lies at a multiple of sixteen bytes.
    let model = try ModelRecord(reading: split)
    #expect(model.buffers.count { $0 != nil } >= 3)
  }

  @Test func offsetsThatLeaveTheFileAreRefused() throws {
    var exporter = TFLiteExporter(try graph())
    let record = try exporter.run(description: "assay")
    let split = joined(try record.write(limit: 16)).array
    let format = TFLiteFormat()
    #expect(
      performing: {
        try format.importGraph(ByteView(split.dropLast(80)), options: ImportOptions())
      },
      throws: { ($0 as? Diagnostic)?.code == "FLB001" }
    )
  }
}

/// Operators that only TensorFlow has.
@Suite struct FlexTests {
  private let format = TFLiteFormat()

  private func bits() throws -> Graph {
    var graph = Graph(name: "bits")
    let x = graph.addInput("x", TensorType(.int32, [4]))
    let mask = graph.addConstant("mask", Tensor([Int32(6), 3, -1, 8], [4]))
    graph.outputs = try graph.addNode("y", Binary(.bitwiseAnd), [x, mask])
    return graph
  }

  @Test func theyAreRefusedUnlessAllowed() throws {
    let graph = try bits()
    #expect(throws: (any Error).self) {
      try format.exportGraph(graph, options: ExportOptions())
    }
    let model = try format.exportModel(graph, options: ExportOptions(allowsCustom: true))
    #expect(model.notes.map(\.code) == ["TFL112"])
    let report = try format.importGraph(joined(model.main ?? []), options: ImportOptions())
    #expect(report.graph.nodes.map(\.op.name) == ["BitwiseAnd"])
    let input = ["x": Tensor([Int32(7), 5, 12, 9], [4])]
    let result = try ReferenceEvaluator(report.graph).run(input)[0].tensor
    #expect(result.integers() == [6, 1, 12, 8])
  }
}

/// Averages of integers whose windows reach beyond the image.
@Suite struct PaddedAverageTests {
  @Test func eachWindowIsAveragedOverWhatItHas() throws {
    let format = TFLiteFormat()
    let quantization = Quantization(scale: 0.1, zeroPoint: -7)
    let paddings: [(Padding, Int, Int)] = [
      (.explicit(top: 1, bottom: 1, left: 1, right: 1), 3, 2),
      (.explicit(top: 1, bottom: 0, left: 2, right: 1), 3, 1),
      (.explicit(top: 0, bottom: 1, left: 0, right: 1), 2, 2),
      (.explicit(top: 2, bottom: 2, left: 2, right: 2), 5, 3),
    ]
    for (index, (padding, window, stride)) in paddings.enumerated() {
      var graph = Graph(name: "average")
      let type = TensorType(.int8, [1, 7, 8, 3], quantization: quantization)
      let x = graph.addInput("x", type)
      let op = Pool2D(
        .average,
        window: Size2D(window, window),
        strides: Size2D(stride, stride),
        padding: padding
      )
      let y = try graph.addNode("y", op, [x])[0]
      graph[y].type.quantization = quantization
      graph.outputs = [y]
      let bytes = joined(try format.exportGraph(graph, options: ExportOptions()))
      let again = try format.importGraph(bytes, options: ImportOptions()).graph
      #expect(again.validate() == [])
      var rng = SeededRNG(seed: UInt64(index))
      let values = (0..<type.shape.count).map { _ in Int8(rng.int(-128...127)) }
      let input = ["x": Tensor(values, type.shape, dtype: .int8, quantization: quantization)]
      let a = try ReferenceEvaluator(graph).run(input)[0].tensor
      let b = try ReferenceEvaluator(again).run(input)[0].tensor
      #expect(a.shape == b.shape)
      #expect(a.integers() == b.integers(), "padding \(padding.text)")
    }
  }
}
