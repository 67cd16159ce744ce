import AssayBase
import AssayFormat
import AssayGraph
import AssayReference
import AssayTensor
import Testing

@testable import FormatONNX

/// What a network computes after it was written and read is what it computed before.
@Suite struct RoundTripTests {
  @Test(arguments: try Problem.floats())
  func computesTheSame(_ problem: Problem) throws {
    let imported = try roundTrip(problem.graph)
    #expect(imported.graph.validate().isEmpty)
    #expect(imported.diagnostics.isEmpty)
    #expect(imported.producer == "assay")
    let graph = imported.graph
    #expect(
      graph.inputs.map { graph[$0].name } == problem.graph.inputs.map { problem.graph[$0].name }
    )
    let before = try ReferenceEvaluator(problem.graph).run(problem.inputs)
    let after = try ReferenceEvaluator(graph).run(problem.inputs)
    #expect(after.map(\.name) == before.map(\.name))
    for (a, b) in zip(after, before) {
      #expect(a.tensor.type == b.tensor.type)
      #expect(relativeError(a.tensor, b.tensor) <= 2e-6, "\(a.name)\n\(graph.dump())")
    }
  }

  /// Quantized operators come back as single nodes over int8, and compute the same integers.
  @Test(arguments: try Problem.integers())
  func quantizedNetworksComeBack(_ problem: Problem) throws {
    let graph = try roundTrip(problem.graph).graph
    #expect(graph.validate().isEmpty)
    for node in graph.nodes {
      let isBoundary = node.op is Quantize || node.op is Dequantize
      let types = (node.inputs.compactMap { $0 } + node.outputs).map { graph[$0].type.dtype }
      #expect(types.contains(.float32) == isBoundary, "\(node.name)\n\(graph.dump())")
      #expect(!types.contains(.uint8), "\(node.name)")
    }
    let before = try ReferenceEvaluator(problem.graph).run(problem.inputs)
    let after = try ReferenceEvaluator(graph).run(problem.inputs)
    for (a, b) in zip(after, before) {
      #expect(a.name == b.name)
      #expect(a.tensor.type == b.tensor.type)
      #expect(a.tensor.bytes.hasSameBytes(as: b.tensor.bytes), "\(graph.dump())")
    }
  }

  @Test(arguments: try Problem.networks())
  func hybridNetworksComeBack(_ problem: Problem) throws {
    let hybrid = try problem.hybrid()
    let graph = try roundTrip(hybrid.graph).graph
    #expect(graph.validate().isEmpty)
    let integers = graph.values.filter { $0.constant?.dtype == .int8 }.map(\.type.shape.count)
    let before = hybrid.graph.values.filter { $0.constant?.dtype == .int8 }.map(\.type.shape.count)
    #expect(integers.sorted() == before.sorted(), "\(graph.dump())")
    let wanted = try ReferenceEvaluator(hybrid.graph).run(hybrid.inputs)
    for (a, b) in zip(try ReferenceEvaluator(graph).run(hybrid.inputs), wanted) {
      #expect(a.tensor.type == b.tensor.type)
      #expect(relativeError(a.tensor, b.tensor) < 0.03, "\(graph.dump())")
    }
  }

  @Test(arguments: try Problem.floats().filter(\.isStable))
  func secondTripChangesNothing(_ problem: Problem) throws {
    let once = try roundTrip(problem.graph).graph
    let twice = try roundTrip(once).graph
    #expect(once.dump() == twice.dump())
  }
}

/// Writes a graph and reads it again.
func roundTrip(_ graph: Graph) throws -> ImportReport {
  let pieces = try ONNXFormat().exportGraph(graph, options: ExportOptions())
  return try ONNXFormat().importGraph(joined(pieces), options: ImportOptions())
}

func joined(_ pieces: [ByteView]) -> ByteView { ByteView(pieces.flatMap(\.array)) }

/// max |a - b| / max |b|.
func relativeError(_ a: Tensor, _ b: Tensor) -> Float {
  let (x, y) = (a.floats(), b.floats())
  guard x.count == y.count else { return .infinity }
  let error = zip(x, y).reduce(Float(0)) { max($0, abs($1.0 - $1.1)) }
  let scale = y.reduce(Float(0)) { max($0, abs($1)) }
  return error == 0 ? 0 : error / max(scale, 1e-30)
}
