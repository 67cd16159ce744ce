import AssayBase
import AssayCodec
import AssayFormat
import AssayGraph
import AssayReference
import AssayTensor
import AssayTestSupport
import FormatTFLite
import Testing

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The file's bytes as one view.
func joined(_ pieces: [ByteView]) -> ByteView { ByteView(pieces.flatMap(\.array)) }

/// Inputs of a graph from a seed.
func inputs(of graph: Graph, seed: UInt64) -> [String: Tensor] {
  var rng = SeededRNG(seed: seed)
  var result: [String: Tensor] = [:]
  for id in graph.inputs {
    let (name, type) = (graph[id].name, graph[id].type)
    switch type.dtype {
    case .bool:
      result[name] = Tensor(
        (0..<type.shape.count).map { _ in UInt8(rng.uniform() < 0.5 ? 0 : 1) },
        type.shape,
        dtype: .bool
      )
    case .uint8:
      result[name] = Tensor(
        (0..<type.shape.count).map { _ in UInt8.random(in: 0...255, using: &rng) },
        type.shape,
        dtype: .uint8,
        quantization: type.quantization
      )
    default:
      // Functions such as logarithms are defined for positive numbers only.
      let isPositive = graph.nodes.contains {
        ["Log", "Sqrt", "Rsqrt", "Pow", "FloorMod", "FloorDiv"].contains($0.op.name)
      }
      let values = (0..<type.shape.count).map { _ in
        isPositive ? rng.uniform(0.25, 4) : rng.normal()
      }
      result[name] = Tensor(values, type.shape)
    }
  }
  return result
}

@Suite struct RoundTripTests {
  private let format = TFLiteFormat()

  private func cycle(_ graph: Graph) throws -> Graph {
    let bytes = joined(try format.exportGraph(graph, options: ExportOptions()))
    let report = try format.importGraph(bytes, options: ImportOptions())
    #expect(report.diagnostics.isEmpty)
    #expect(report.producer == "assay")
    return report.graph
  }

  @Test(arguments: Problem.all) func graphSurvives(problem: Problem) throws {
    #expect(problem.graph.validate() == [])
    let graph = try cycle(problem.graph)
    #expect(graph.validate() == [])
    #expect(
      graph.inputs.map { graph[$0].name } == problem.graph.inputs.map { problem.graph[$0].name }
    )
    #expect(
      graph.outputs.map { graph.outputName($0) }
        == problem.graph.outputs.map { problem.graph.outputName($0) }
    )
    if problem.isVerbatim {
      #expect(graph.dump() == problem.graph.dump())
      #expect(differences(graph, problem.graph) == [])
    }
    // What was read is written and read again without a change.
    let again = try cycle(graph)
    #expect(again.dump() == graph.dump())
  }

  @Test(arguments: Problem.all) func numbersSurvive(problem: Problem) throws {
    let feed = inputs(of: problem.graph, seed: 7)
    let expected = try ReferenceEvaluator(problem.graph).run(feed)
    let actual = try ReferenceEvaluator(cycle(problem.graph)).run(feed)
    try #require(actual.map(\.name) == expected.map(\.name))
    for (a, b) in zip(actual, expected) {
      #expect(a.tensor.type == b.tensor.type)
      let (x, y) = (a.tensor.floats(), b.tensor.floats())
      #expect(!x.contains { !$0.isFinite })
      let scale = y.reduce(0) { max($0, abs($1)) }
      let error = zip(x, y).reduce(0) { max($0, abs($1.0 - $1.1)) }
      #expect(error <= 2e-6 * scale, "\(problem.name), output \(a.name)")
    }
  }

  /// Differences of nodes, types and constants between graphs whose values may be numbered in
  /// another order.
  private func differences(_ a: Graph, _ b: Graph) -> [String] {
    var found: [String] = []
    if a.nodes.count != b.nodes.count { return ["\(a.nodes.count) and \(b.nodes.count) nodes"] }
    func compare(_ x: ValueID?, _ y: ValueID?) {
      guard let x, let y else {
        if x != y { found.append("an absent input") }
        return
      }
      if a[x].name != b[y].name { found.append("\(a[x].name) for \(b[y].name)") }
      if a[x].type != b[y].type { found.append("the type of \(b[y].name): \(a[x].type)") }
      let (p, q) = (a[x].constant, b[y].constant)
      if p?.type != q?.type || p?.bytes.array != q?.bytes.array {
        found.append("the constant \(b[y].name)")
      }
    }
    for (x, y) in zip(a.nodes, b.nodes) {
      if x.op.name != y.op.name { found.append("\(x.op.name) for \(y.op.name)") }
      if x.inputs.count != y.inputs.count { found.append("the inputs of \(y.name)") }
      for (i, j) in zip(x.inputs, y.inputs) { compare(i, j) }
      for (i, j) in zip(x.outputs, y.outputs) { compare(i, j) }
    }
    for (i, j) in zip(a.inputs + a.outputs, b.inputs + b.outputs) { compare(i, j) }
    return found
  }

  /// Writes each file with inputs and the reference's outputs, for
  /// Tests/Goldens/check_tflite_exports.py.
  @Test(.enabled(if: unsafe getenv("ASSAY_TFLITE_EXPORTS") != nil))
  func exportForOtherRuntimes() throws {
    let folder = unsafe String(cString: try #require(unsafe getenv("ASSAY_TFLITE_EXPORTS")))
    for problem in Problem.all {
      let pieces = try format.exportGraph(problem.graph, options: ExportOptions())
      try AtomicFile.write(pieces, to: "\(folder)/\(problem.name).tflite")
      let feed = inputs(of: problem.graph, seed: 7)
      var arrays = feed.map { (name: "in/\($0.key)", tensor: $0.value) }
      for (name, tensor) in try ReferenceEvaluator(problem.graph).run(feed) {
        arrays.append(("out/\(name)", tensor))
      }
      try AtomicFile.write(try NPZ.write(arrays), to: "\(folder)/\(problem.name).npz")
    }
  }

  /// Reads and writes again every file of a folder, for check_tflite_exports.py --same-as.
  @Test(.enabled(if: unsafe getenv("ASSAY_TFLITE_REEXPORTS") != nil))
  func exportWhatOthersWrote() throws {
    let folders = unsafe String(cString: try #require(unsafe getenv("ASSAY_TFLITE_REEXPORTS")))
      .split(separator: ":").map(String.init)
    try #require(folders.count == 2, "FROM:TO")
    for name in files(in: folders[0]) where name.hasSuffix(".tflite") {
      let bytes = try MappedFile(path: folders[0] + "/" + name).view
      guard let graph = try? format.importGraph(bytes, options: ImportOptions()).graph,
        let pieces = try? format.exportGraph(graph, options: ExportOptions())
      else { continue }
      try AtomicFile.write(pieces, to: folders[1] + "/" + name)
    }
  }

  private func files(in folder: String) -> [String] {
    guard let handle = unsafe opendir(folder) else { return [] }
    defer { unsafe closedir(handle) }
    var names: [String] = []
    while let entry = unsafe readdir(handle) {
      unsafe names.append(
        withUnsafeBytes(of: entry.pointee.d_name) { bytes in
          unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
      )
    }
    return names.sorted()
  }
}
