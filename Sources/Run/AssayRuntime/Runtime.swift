import AssayBase
import AssayHost
import AssayTensor

/// A runtime's hardware path.
public enum Provider: String, Sendable, CaseIterable {
  case cpu, gpu, tpu, npu
}

/// How a session is made.
public struct SessionOptions: Sendable {
  /// The hardware path.
  public var provider: Provider
  /// Threads of the runtime's own pool.
  public var threads: Int
  /// Whether the runtime's per-operator profiler is on.
  public var isProfiling: Bool
  /// What a provider can be told by words of its own, such as `clock` of an Edge TPU.
  public var settings: [String: String]

  /// Makes options.
  public init(
    provider: Provider = .cpu,
    threads: Int = 1,
    isProfiling: Bool = false,
    settings: [String: String] = [:]
  ) {
    self.provider = provider
    self.threads = threads
    self.isProfiling = isProfiling
    self.settings = settings
  }
}

/// An input or output of a session, under the model's own name.
public struct Port: Sendable, Equatable {
  /// The model's name for it.
  public var name: String
  /// Element type, shape and quantization as the runtime has it.
  public var type: TensorType

  /// Makes a port.
  public init(name: String, type: TensorType) {
    self.name = name
    self.type = type
  }
}

/// What really executed a model.
public struct Placement: Sendable, Equatable {
  /// What the runtime calls the path that it took, such as `XNNPACK` or `CPUExecutionProvider`.
  public var provider: String
  /// Operators (of the runtime's own plan) on that path; `nil` when the runtime does not tell.
  public var placed: Int?
  /// All operators of the runtime's own plan.
  public var total: Int?
  /// Facts worth keeping, such as the precision that the runtime chose.
  public var notes: [String]

  /// The note of a runtime that tells that the path took a part of the model, but not how much.
  public static let partly = "a part runs elsewhere"

  /// The note of a path that took all that the file was compiled for it to take.
  public static let asCompiled = "all that was compiled for it"

  /// Makes a placement.
  public init(provider: String, placed: Int? = nil, total: Int? = nil, notes: [String] = []) {
    self.provider = provider
    self.placed = placed
    self.total = total
    self.notes = notes
  }
}

/// The time of one operator of a profiled run.
public struct OperatorTime: Sendable, Equatable {
  /// The runtime's name for the operator's kind.
  public var kind: String
  /// The runtime's name for the node.
  public var node: String
  /// Mean time of one run (over the quiet ones of the profiled runs), nanoseconds.
  public var nanoseconds: Double

  /// Makes a time.
  public init(kind: String, node: String, nanoseconds: Double) {
    self.kind = kind
    self.node = node
    self.nanoseconds = nanoseconds
  }
}

/// Why one run failed; thrown from the timed loop, so it holds no more than a status.
public struct RunFailure: Error, Sendable, Equatable {
  /// The runtime's status.
  public var status: Int32
  /// Makes a failure.
  public init(status: Int32) { self.status = status }
}

/// A model loaded into a runtime, ready to run.
///
/// One session belongs to one thread.
public protocol Session: AnyObject {
  /// What is fed, in the model's order.
  var inputs: [Port] { get }
  /// What comes out, in the model's order.
  var outputs: [Port] { get }
  /// What really executes the model.
  var placement: Placement { get }
  /// Nanoseconds that reading the file and compiling took when the session was made.
  var readNanoseconds: UInt64 { get }
  /// Nanoseconds of compiling (planning, packing weights, allocating).
  var compileNanoseconds: UInt64 { get }

  /// Copies the elements of one input in; `bytes` has exactly the port's number of bytes.
  func write(_ bytes: ByteView, toInput index: Int) throws
  /// Runs once; allocates nothing of ours, prints nothing, awaits nothing.
  func run() throws(RunFailure)
  /// Runs once, with a diagnostic on failure.
  func runOnce() throws
  /// Runs once and tells how long the run alone took, nanoseconds; a diagnostic on failure.
  func timedRun() throws -> UInt64
  /// Runs several times, one after the other, and tells how long each run alone took, nanoseconds.
  func timedRuns(_ count: Int) throws -> [UInt64]
  /// Copies the elements of one output out.
  func readOutput(_ index: Int) throws -> ByteView
  /// The runtime's words for the last failure.
  var failureText: String { get }
  /// Bytes that the runtime says it holds, by its own name for them, such as `arenaInUse`; empty where
  /// it tells nothing.
  var memory: [String: Int] { get }
  /// What is to be known of the accelerator that runs the model, as a record keeps it (`kind`, `path`,
  /// `link`, `clock`, …); `nil` without one, or when nothing is known.
  var accelerator: JSON? { get }
  /// Operator times of `count` profiled runs; empty when the runtime or the options give none.
  func profile(runs count: Int) throws -> [OperatorTime]
}

extension Session {
  /// Tells nothing.
  public var memory: [String: Int] { [:] }

  /// Tells nothing.
  public var accelerator: JSON? { nil }

  /// No profiler.
  public func profile(runs count: Int) throws -> [OperatorTime] { [] }

  /// Runs once, with a diagnostic on failure.
  public func runOnce() throws {
    do {
      try run()
    } catch {
      throw Diagnostic(
        "RTM010",
        "the runtime failed with status \(error.status)",
        cause: failureText
      )
    }
  }

  /// Runs once between two reads of the clock.
  public func timedRun() throws -> UInt64 {
    let start = Host.monotonicNanoseconds()
    try runOnce()
    return Host.monotonicNanoseconds() &- start
  }

  /// Runs between reads of the clock.
  public func timedRuns(_ count: Int) throws -> [UInt64] {
    try (0..<max(count, 0)).map { _ in try timedRun() }
  }
}

/// Software that executes networks, given a file as a user's device would get it.
public protocol InferenceRuntime: Sendable {
  /// A short name: `litert`, `onnxruntime`, `openvino`, `reference`, `null`.
  var id: String { get }
  /// The formats (by id) that it reads; the first is the one that it gets unless told.
  var formats: [String] { get }
  /// Whether it can be used here.
  func probe() -> Availability
  /// Loads a model file.
  ///
  /// - Throws: `Diagnostic` RTM… with the runtime's own words as the cause.
  func load(path: String, options: SessionOptions) throws -> any Session
}
