import AssayBase
import AssayEvaluator
import AssayGraph
import AssayReference
import AssayRuntime
import AssayTensor

/// Assay's own execution, as one more runtime.
///
/// Float graphs run on the fast evaluator, graphs with quantized integers on the reference, which
/// computes by the 8-bit specification. It is there to check with, not to be fast.
public struct ReferenceRuntime: InferenceRuntime {
  private let importer: @Sendable (String) throws -> Graph

  /// A runtime over an importer of model files.
  public init(importer: @escaping @Sendable (_ path: String) throws -> Graph) {
    self.importer = importer
  }

  /// `reference`.
  public var id: String { "reference" }
  /// What the importer reads.
  public var formats: [String] {
    ["tflite", "onnx", "keras", "tensorflow", "openvino", "pytorch"]
  }
  /// Always there.
  public func probe() -> Availability { .available(version: "1") }

  /// Imports the file and prepares its graph.
  ///
  /// - Throws: RTM006 for any provider but the CPU, what the importer says of the file, RTM012 for
  ///   extents that the file leaves open, EVL011 for operators that cannot be computed.
  public func load(path: String, options: SessionOptions) throws -> any Session {
    guard options.provider == .cpu else {
      throw unavailableProvider(options.provider, runtime: id, reason: "it computes on the CPU")
    }
    let clock = ContinuousClock()
    let start = clock.now
    let graph = try importer(path)
    let read = clock.now
    let session = try ReferenceSession(graph, threads: options.threads)
    session.readNanoseconds = nanoseconds(start.duration(to: read))
    session.compileNanoseconds = nanoseconds(read.duration(to: clock.now))
    return session
  }

  private func nanoseconds(_ duration: Duration) -> UInt64 {
    let (seconds, attoseconds) = duration.components
    return UInt64(max(seconds, 0)) * 1_000_000_000 + UInt64(max(attoseconds, 0)) / 1_000_000_000
  }
}

/// A graph ready to be computed.
final class ReferenceSession: Session {
  let inputs: [Port]
  let outputs: [Port]
  let placement: Placement
  var readNanoseconds: UInt64 = 0
  var compileNanoseconds: UInt64 = 0
  private(set) var failureText = ""
  private let compute: ([String: Tensor]) throws -> [(name: String, tensor: Tensor)]
  private var given: [Tensor?]
  private var results: [Tensor] = []

  init(_ graph: Graph, threads: Int) throws {
    inputs = graph.inputs.map { Port(name: graph[$0].name, type: graph[$0].type) }
    outputs = graph.outputs.map { Port(name: graph.outputName($0), type: graph[$0].type) }
    for port in inputs + outputs where port.type.byteCount == nil {
      throw Diagnostic(
        "RTM012",
        "'\(port.name)' is \(port.type): an extent is open",
        remedy: "give its shape with --shape"
      )
    }
    given = [Tensor?](repeating: nil, count: inputs.count)
    let isQuantized = graph.nodes.contains { node in
      node.outputs.contains {
        graph[$0].type.quantization != nil && graph[$0].type.dtype.isInteger
      }
    }
    let name: String
    if isQuantized {
      let reference = ReferenceEvaluator(graph)
      compute = { try reference.run($0) }
      name = "reference"
    } else {
      let evaluator = try Evaluator(graph, threads: max(threads, 1))
      compute = { try evaluator.run($0) }
      name = "evaluator"
    }
    placement = Placement(provider: name, placed: graph.nodes.count, total: graph.nodes.count)
  }

  func write(_ bytes: ByteView, toInput index: Int) throws {
    let port = try checkedInput(index, byteCount: bytes.count)
    given[index] = try Tensor(port.type, bytes: ByteView(bytes.array))
  }

  func run() throws(RunFailure) {
    do {
      var arrays: [String: Tensor] = [:]
      for (port, tensor) in zip(inputs, given) { arrays[port.name] = tensor }
      results = try compute(arrays).map(\.tensor)
    } catch {
      failureText = "\(error)"
      throw RunFailure(status: 1)
    }
  }

  func readOutput(_ index: Int) throws -> ByteView {
    guard results.indices.contains(index) else {
      throw Diagnostic("RTM011", "there is no output \(index) yet")
    }
    return results[index].bytes
  }
}
