import AssayBase
import AssayTensor

/// A runtime that does nothing: what a measurement of it costs is the harness's own cost.
public struct NullRuntime: InferenceRuntime {
  /// Makes the runtime.
  public init() {}

  /// `null`.
  public var id: String { "null" }
  /// Reads no format: every path is accepted and none is opened.
  public var formats: [String] { [] }
  /// Always there.
  public func probe() -> Availability { .available(version: "1") }
  /// Gives a session with one float input and one float output.
  public func load(path: String, options: SessionOptions) throws -> any Session { NullSession() }
}

/// A session whose run does nothing.
public final class NullSession: Session {
  /// One float.
  public let inputs = [Port(name: "input", type: TensorType(.float32, [1]))]
  /// The same float.
  public let outputs = [Port(name: "output", type: TensorType(.float32, [1]))]
  /// Nothing executes.
  public var placement: Placement { Placement(provider: "none", placed: 0, total: 0) }
  /// Nothing is read.
  public var readNanoseconds: UInt64 { 0 }
  /// Nothing is compiled.
  public var compileNanoseconds: UInt64 { 0 }
  /// Nothing fails.
  public var failureText: String { "" }
  private var value = ByteView([0, 0, 0, 0])

  /// Makes a session.
  public init() {}

  /// Keeps the bytes, which come out again.
  public func write(_ bytes: ByteView, toInput index: Int) throws { value = bytes }
  /// Does nothing.
  public func run() throws(RunFailure) {}
  /// What was written last.
  public func readOutput(_ index: Int) throws -> ByteView { value }
}
