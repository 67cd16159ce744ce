import AssayBase
import AssayCodec
import AssayHost
import AssayRuntime
import AssayTensor

/// A runtime in a worker process of its own, so that a model which makes it crash, hang or run out of
/// memory is a diagnostic and not the end of this process.
///
/// Runtimes written in C++ trust the files that they are given; a broken or hostile one may end the
/// process. `timedRun` tells the time that the worker measured, without the way there and back.
public struct IsolatedRuntime: InferenceRuntime {
  private let runtime: any InferenceRuntime
  private let executable: String
  private let arguments: [String]
  private let patience: Double

  /// The runtime `runtime`, run by workers that are processes of `executable`.
  ///
  /// - Parameters:
  ///   - arguments: those with which the executable serves a `Worker`.
  ///   - patience: seconds after which a silent worker counts as hung.
  public init(
    _ runtime: any InferenceRuntime,
    executable: String,
    arguments: [String] = ["worker"],
    patience: Double = 300
  ) {
    self.runtime = runtime
    self.executable = executable
    self.arguments = arguments
    self.patience = patience
  }

  /// The runtime's own.
  public var id: String { runtime.id }
  /// The runtime's own.
  public var formats: [String] { runtime.formats }
  /// The runtime's own.
  public func probe() -> Availability { runtime.probe() }

  /// Starts a worker and loads the model there.
  ///
  /// - Throws: what the runtime throws, or `Diagnostic` BEN110 (crashed), BEN111 (hung), BEN112 (out of
  ///   memory).
  public func load(path: String, options: SessionOptions) throws -> any Session {
    let worker = try ProcessWorker(executable: executable, arguments: arguments)
    do {
      return try IsolatedSession(worker, runtime.id, path, options, patience)
    } catch {
      worker.end()
      throw error
    }
  }
}

/// A session in a worker process.
final class IsolatedSession: Session {
  private let worker: any WorkerLink
  private let patience: Double
  private let folder: String
  private var given: [Int: Tensor] = [:]
  private var isFed = false
  private var results: [ByteView]?
  private var lastFailure: Diagnostic?

  let inputs: [Port]
  private(set) var outputs: [Port]
  let placement: Placement
  let readNanoseconds: UInt64
  let compileNanoseconds: UInt64

  init(
    _ worker: any WorkerLink,
    _ runtime: String,
    _ path: String,
    _ options: SessionOptions,
    _ patience: Double
  ) throws {
    self.worker = worker
    self.patience = patience
    var request = JSON.object([
      "do": "load", "runtime": .string(runtime), "path": .string(path),
      "provider": .string(options.provider.rawValue), "threads": JSON(options.threads),
    ])
    request["settings"] = options.settings.isEmpty ? nil : options.settingsJSON
    let answer = try worker.ask(request, seconds: patience)
    inputs = try (answer["inputs"]?.array ?? []).map { try Port(json: $0) }
    outputs = try (answer["outputs"]?.array ?? []).map { try Port(json: $0) }
    placement = Placement(json: answer["placement"])
    readNanoseconds = UInt64(clamping: answer["read"]?.int ?? 0)
    compileNanoseconds = UInt64(clamping: answer["compile"]?.int ?? 0)
    folder = try Host.makeTemporaryFolder()
  }

  deinit {
    worker.end()
    try? Host.remove(folder)
  }

  func write(_ bytes: ByteView, toInput index: Int) throws {
    let port = try checkedInput(index, byteCount: bytes.count)
    given[index] = try Tensor(port.type, bytes: bytes).with(quantization: nil)
    isFed = false
  }

  /// Hands over what was written; inputs that were not written are zero.
  private func feed() throws {
    guard !isFed else { return }
    var request = JSON.object(["do": "feed"])
    if !given.isEmpty {
      let path = Host.join(folder, "inputs.npz")
      let arrays = try inputs.enumerated().map { index, port in
        let zeros = [UInt8](repeating: 0, count: port.type.byteCount ?? 0)
        let tensor = try given[index] ?? Tensor(port.type, bytes: ByteView(zeros))
        return (name: port.name, tensor: tensor)
      }
      try AtomicFile.write(try NPZ.write(arrays), to: path)
      request["inputs"] = .string(path)
    }
    _ = try worker.ask(request, seconds: patience)
    isFed = true
  }

  func timedRun() throws -> UInt64 {
    do {
      try feed()
      results = nil
      let answer = try worker.ask(.object(["do": "first"]), seconds: patience)
      return UInt64(clamping: answer["ns"]?.int ?? 0)
    } catch let error as Diagnostic {
      lastFailure = error
      throw error
    }
  }

  func runOnce() throws { _ = try timedRun() }

  func timedRuns(_ count: Int) throws -> [UInt64] {
    guard count > 0 else { return [] }
    do {
      try feed()
      results = nil
      let limits = BlockLimits(
        minimumCount: count,
        minimumNanoseconds: 0,
        maximumCount: count,
        maximumNanoseconds: UInt64(patience * 1e9)
      )
      let answer = try worker.ask(limits.request("block"), seconds: patience * 2)
      return (answer["samples"]?.ints ?? []).map { UInt64(clamping: $0) }
    } catch let error as Diagnostic {
      lastFailure = error
      throw error
    }
  }

  func run() throws(RunFailure) {
    do { try runOnce() } catch { throw RunFailure(status: -1) }
  }

  var failureText: String { lastFailure.map { $0.cause ?? $0.summary } ?? "" }

  func readOutput(_ index: Int) throws -> ByteView {
    guard outputs.indices.contains(index) else {
      throw Diagnostic("RTM011", "there is no output \(index)")
    }
    if results == nil {
      let path = Host.join(folder, "outputs.npz")
      _ = try worker.ask(.object(["do": "read", "outputs": .string(path)]), seconds: patience)
      let arrays = try NPZ.read(try MappedFile(path: path).view)
      guard arrays.count == outputs.count else {
        throw Diagnostic("BEN001", "a worker wrote \(arrays.count) of \(outputs.count) outputs")
      }
      // Extents that the model leaves open show only now, and may differ from run to run.
      for (place, array) in arrays.enumerated() {
        outputs[place].type.shape = array.tensor.shape
      }
      results = arrays.map(\.tensor.bytes)
    }
    return results?[index] ?? ByteView([])
  }
}
