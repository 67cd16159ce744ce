import AssayBase
import AssayCodec
import AssayFormat
import AssayGraph
import AssayReference
import AssayTensor
import AssayTestSupport
import FormatTFLite
import Testing

/// Files of one operator each with what LiteRT computes for them
/// (Tests/Goldens/make_tflite_operators.py).
@Suite struct OperatorGoldenTests {
  private let format = TFLiteFormat()

  private static let archive: ZipArchive? = try? ZipArchive(
    MappedFile(path: TestData.package + "/Tests/Fixtures/tflite/operators.zip").view
  )
  static let names: [String] = {
    let folders = archive?.entries.compactMap {
      $0.name.split(separator: "/").first.map(String.init)
    }
    return Set(folders ?? []).sorted()
  }()

  private func content(_ name: String, _ file: String) throws -> ByteView? {
    guard let archive = Self.archive, let entry = archive.entry("\(name)/\(file)") else {
      return nil
    }
    return try archive.read(entry)
  }

  /// The results of a file, in its order of outputs.
  private func run(_ name: String, _ graph: Graph) throws -> [Tensor] {
    var inputs: [String: Tensor] = [:]
    for (index, id) in graph.inputs.enumerated() {
      let array = try NPY.read(try #require(try content(name, "in\(index).npy")))
      let type = graph[id].type
      inputs[graph[id].name] = array.reshaped(type.shape).with(quantization: type.quantization)
    }
    return try ReferenceEvaluator(graph).run(inputs).map(\.tensor)
  }

  private func check(_ name: String, _ results: [Tensor]) throws {
    for (index, result) in results.enumerated() {
      let expected = try NPY.read(try #require(try content(name, "out\(index).npy")))
      #expect(result.shape == expected.shape, "\(name) output \(index)")
      if result.dtype.isFloat {
        let worst = largestDifference(result.floats(), expected.floats())
        #expect(worst.relative < 1e-5, "\(name) output \(index): \(worst)")
      } else {
        // A step is allowed where a function of real numbers is rounded to integers.
        let steps = result.quantization != nil && name.contains("softmax") ? 1 : 0
        let difference = zip(result.integers(), expected.integers()).map { abs($0 - $1) }.max()
        #expect((difference ?? 0) <= steps, "\(name) output \(index)")
      }
    }
  }

  @Test func thereAreFiles() { #expect(Self.names.count >= 70) }

  @Test(arguments: names) func isComputedAsLiteRTDoes(name: String) throws {
    let bytes = try #require(try content(name, "model.tflite"))
    let report = try format.importGraph(bytes, options: ImportOptions())
    let graph = report.graph
    #expect(graph.validate() == [], "\(name)")
    #expect(!graph.nodes.contains { $0.op is Opaque }, "\(name) \(report.diagnostics)")
    try check(name, try run(name, graph))

    // What is written again, with operators decomposed where the format has none, is equal.
    let written = joined(try format.exportGraph(graph, options: ExportOptions()))
    let again = try format.importGraph(written, options: ImportOptions()).graph
    #expect(again.validate() == [], "\(name)")
    try check(name, try run(name, again))
  }
}
