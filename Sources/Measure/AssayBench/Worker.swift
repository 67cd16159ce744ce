import AssayBase
import AssayCodec
import AssayHost
import AssayMachine
import AssayRecord
import AssayRuntime
import AssayTensor

/// The worker's side of a measurement: one process, one session, commands as JSON lines.
///
/// A request is `{"do": NAME, …}`, its answer `{"ok": true, …}` or `{"error": DIAGNOSTIC}`. Between
/// requests the worker is parked on a blocking read. It ends at `quit` and when its input ends.
///
/// | do | asks | answers |
/// |---|---|---|
/// | hello | | its memory before anything is loaded |
/// | bind | processors | |
/// | load | runtime, path, provider, threads, streams, settings | version, read and compile time, placement, ports, accelerator |
/// | accelerator | | what the accelerator tells of itself now |
/// | feed | an .npz with an array for each input | |
/// | first | | time of one inference, such as the first |
/// | read | where to write the outputs | |
/// | warmup | limits | samples |
/// | block | limits, scenario | samples, when they began and ended, processors that others kept busy |
/// | count | limits | what processor and kernel counted meanwhile |
/// | pipeline | a picture, its preprocessing, runs | time of each step of each run |
/// | memory | | its memory, and what the runtime tells of its own |
/// | audit | seed, rounds | outputs compared, those that differ, times of one and of different samples |
/// | evaluate | an .npz with stacked inputs, where to write outputs | count |
/// | profile | runs | operator times and placement of a session of its own, and time of one of its runs |
public final class Worker {
  private let runtimes: [any InferenceRuntime]
  private let channel: LineChannel
  let loop = TimedLoop()
  private var session: (any Session)?
  private(set) var source: (runtime: any InferenceRuntime, path: String, options: SessionOptions)?
  private(set) var fed: [String: Tensor] = [:]
  /// Opened before a runtime starts its threads, so that they are counted too.
  private let counters = Counters()
  /// Further sessions of the same model, for scenarios with several streams.
  var furtherSessions: [any Session] = []

  /// Makes a worker over a pair of descriptors.
  public init(runtimes: [any InferenceRuntime], input: Int32, output: Int32) {
    self.runtimes = runtimes
    channel = LineChannel(input: input, output: output)
  }

  /// Serves requests on a thread of its own until the input ends.
  public static func serve(
    runtimes: [any InferenceRuntime],
    input: Int32,
    output: Int32
  ) throws {
    Host.ignoreBrokenPipes()
    // A terminal sends ctrl-C to the worker as well; the one who started it decides.
    Host.ignoreInterrupts()
    // In the middle of a block nobody sees that the input ended; the system tells.
    _ = Host.dieWithParent(Host.parentProcessID)
    try Host.onOwnThread {
      let worker = Worker(runtimes: runtimes, input: input, output: output)
      worker.serve()
    }
  }

  private func serve() {
    while case .line(let line) = channel.read() {
      let answer: JSON
      do {
        let request = try JSON(parsing: line)
        if request["do"]?.string == "quit" { return }
        if request["do"]?.string == "bind" { return try serveBound(request) }
        answer = try perform(request)
      } catch {
        answer = .object(["error": Worker.diagnostic(error).json])
      }
      guard channel.write(answer.text()) else { return }
    }
  }

  /// Serves the requests that follow on a thread that is bound to some processors, and with it the
  /// threads that it starts.
  private func serveBound(_ request: JSON) throws {
    let wanted = request["processors"]?.ints ?? []
    try Host.onOwnThread(ThreadOptions(processors: wanted)) {
      var answer = JSON.object(["ok": true])
      if Set(Host.allowedProcessors()) != Set(wanted) {
        let fault = Diagnostic(
          "BEN114",
          "the worker cannot be bound to processors \(ProcessorList.text(wanted))",
          remedy: "it may use \(ProcessorList.text(Host.allowedProcessors()))"
        )
        answer = .object(["error": fault.json])
      }
      if channel.write(answer.text()) { serve() }
    }
  }

  private static func diagnostic(_ error: any Error) -> Diagnostic {
    switch error {
    case let finding as Diagnostic: finding
    case let several as Diagnostics: several.all.first ?? Diagnostic("BEN001", "unknown failure")
    case let failure as RunFailure: Diagnostic("BEN113", "status \(failure.status)")
    default: Diagnostic("BEN001", "\(error)")
    }
  }

  private func perform(_ request: JSON) throws -> JSON {
    var answer = JSON.object(["ok": true])
    switch request["do"]?.string {
    case "hello":
      answer = memory()
      answer["pid"] = JSON(Int(Host.processID))
    case "load": answer = try load(request)
    case "feed": try feed(request)
    case "first":
      answer["ns"] = JSON(Int(try loaded().timedRun()))
    case "read": try read(request)
    case "warmup":
      answer["samples"] = .array(try warmUp(BlockLimits(json: request)).map { .integer($0) })
    case "block":
      let load = ForeignLoad()
      let block = try block(BlockLimits(json: request), request)
      answer["othersBusy"] = load.processors().map { JSON($0) }
      answer["samples"] = .array(block.samples.map { .integer($0) })
      answer["begin"] = .integer(Int64(clamping: block.window.begin))
      answer["end"] = .integer(Int64(clamping: block.window.end))
      answer["serviceNs"] = block.serviceTime.map { .number($0) }
      answer["unserved"] = block.unserved > 0 ? JSON(block.unserved) : nil
    case "memory":
      answer = memory()
      answer["runtime"] = .members(
        session?.memory.sorted { $0.key < $1.key }
          .reduce(into: JSON.Members()) { $0[$1.key] = JSON($1.value) } ?? JSON.Members()
      )
    case "accelerator": answer["accelerator"] = session?.accelerator
    case "count": answer["counters"] = try count(request).json
    case "pipeline": answer["pipeline"] = try pipeline(request)
    case "audit": answer = try audit(request)
    case "evaluate": answer["count"] = JSON(try evaluate(request))
    case "profile": answer = try profile(request)
    case let other:
      throw Diagnostic("BEN002", "a worker cannot do '\(other ?? "")'")
    }
    return answer
  }

  func loaded() throws -> any Session {
    guard let session else { throw Diagnostic("BEN002", "nothing is loaded") }
    return session
  }

  private func load(_ request: JSON) throws -> JSON {
    let id = request["runtime"]?.string ?? ""
    guard let runtime = runtimes.first(where: { $0.id == id }) else {
      throw Diagnostic("BEN002", "this worker has no runtime '\(id)'")
    }
    let options = SessionOptions(
      provider: request["provider"]?.string.flatMap(Provider.init) ?? .cpu,
      threads: request["threads"]?.int ?? 1,
      settings: SessionOptions.settings(json: request["settings"])
    )
    let path = request["path"]?.string ?? ""
    let session = try runtime.load(path: path, options: options)
    self.session = session
    source = (runtime, path, options)
    furtherSessions = try (1..<min(max(request["streams"]?.int ?? 1, 1), 256)).map { _ in
      try runtime.load(path: path, options: options)
    }
    var version = "unknown"
    if case .available(let text) = runtime.probe() { version = text }
    var answer = JSON.object([
      "ok": true, "version": .string(version), "read": JSON(Int(session.readNanoseconds)),
      "compile": JSON(Int(session.compileNanoseconds)), "placement": session.placement.json,
      "inputs": .array(session.inputs.map(\.json)), "outputs": .array(session.outputs.map(\.json)),
    ])
    answer["accelerator"] = session.accelerator
    return answer
  }

  private func memory() -> JSON {
    var answer = ProcessMemory().json
    answer["ok"] = true
    answer["peak"] = JSON(Host.peakMemory() ?? 0)
    return answer
  }

  /// A block under the counters.
  private func count(_ request: JSON) throws -> Record.Counters {
    let limits = BlockLimits(json: request)
    try timed(limits.withCount(2))
    return try Record.Counters.count(counters) {
      try timed(limits)
      return loop.samples.count
    }
  }

  private func pipeline(_ request: JSON) throws -> JSON {
    func ports(_ name: String) throws -> [Port] {
      try (request[name]?.array ?? []).map { try Port(json: $0) }
    }
    return try Record.Phases.Pipeline(
      loaded(),
      inputs: ports("inputs"),
      outputs: ports("outputs"),
      image: request["image"]?.string ?? "",
      preprocessing: request["preprocess"]?.string ?? "",
      runs: min(max(request["runs"]?.int ?? 20, 1), 100_000)
    ).json
  }

  private func feed(_ request: JSON) throws {
    let session = try loaded()
    var given: [String: Tensor] = [:]
    if let path = request["inputs"]?.string {
      for (name, tensor) in try NPZ.read(try MappedFile(path: path).view) { given[name] = tensor }
    } else {
      for port in session.inputs {
        given[port.name] = try Tensor(
          port.type,
          bytes: ByteView([UInt8](repeating: 0, count: port.type.byteCount ?? 0))
        )
      }
    }
    fed = given
    for session in [session] + furtherSessions { try write(given, to: session) }
  }

  private func write(_ given: [String: Tensor], to session: any Session) throws {
    let bound = try bind(given, to: session.inputs.map { ($0.name, $0.type) })
    for (index, tensor) in bound.enumerated() {
      try session.write(tensor.bytes, toInput: index)
    }
  }

  /// Writes the outputs of the last inference.
  private func read(_ request: JSON) throws {
    let session = try loaded()
    guard let path = request["outputs"]?.string else {
      throw Diagnostic("BEN002", "read needs a place for outputs")
    }
    let arrays = try session.outputs.indices.map { index in
      let tensor = try session.output(index)
      return (name: session.outputs[index].name, tensor: tensor)
    }
    try AtomicFile.write(try NPZ.write(arrays), to: path)
  }

  private func warmUp(_ limits: BlockLimits) throws -> [Int64] {
    let session = try loaded()
    var samples: [Int64] = []
    try explaining(session) { () throws(RunFailure) in
      samples = try loop.warmUp(session, further: furtherSessions, limits)
    }
    return samples
  }

  /// One block, after a few inferences that bring back what other workers pushed out of the caches.
  private func block(_ limits: BlockLimits, _ request: JSON) throws -> QueryBlock {
    let again = BlockLimits(
      minimumCount: 2,
      minimumNanoseconds: UInt64(request["rewarmNs"]?.int ?? 0),
      maximumNanoseconds: UInt64(max(request["rewarmNs"]?.int ?? 0, 1))
    )
    try timed(again)
    if let scenario = QueryPlan(json: request["scenario"]) {
      return try block(limits, scenario)
    }
    try timed(limits)
    return QueryBlock(samples: loop.samples, window: loop.window)
  }

  private func timed(_ limits: BlockLimits) throws {
    let session = try loaded()
    try explaining(session) { () throws(RunFailure) in try loop.run(session, limits) }
  }

  /// A failure in a timed section with the runtime's words.
  func explaining(_ session: any Session, _ body: () throws(RunFailure) -> Void) throws {
    do {
      try body()
    } catch {
      throw Diagnostic(
        "BEN113",
        "an inference failed with status \(error.status)",
        cause: session.failureText
      )
    }
  }

  /// Runs every sample of stacked inputs and writes the stacked outputs.
  private func evaluate(_ request: JSON) throws -> Int {
    let session = try loaded()
    guard let inputs = request["inputs"]?.string, let outputs = request["outputs"]?.string else {
      throw Diagnostic("BEN002", "evaluate needs inputs and outputs")
    }
    let stacked = try NPZ.read(try MappedFile(path: inputs).view)
    let arrays = Dictionary(stacked.map { ($0.name, $0.tensor) }) { first, _ in first }
    let count = try Worker.sampleCount(arrays, session.inputs)
    var collected = session.outputs.map { _ in [UInt8]() }
    for sample in 0..<count {
      for (index, port) in session.inputs.enumerated() {
        let size = port.type.byteCount ?? 0
        guard let array = arrays[port.name] ?? (arrays.count == 1 ? arrays.first?.value : nil)
        else { throw Diagnostic("EVL001", "input '\(port.name)' is missing") }
        try session.write(try array.bytes.slice(sample * size, size), toInput: index)
      }
      try session.runOnce()
      for index in session.outputs.indices {
        collected[index] += try session.readOutput(index).array
      }
    }
    let results = try session.outputs.enumerated().map { index, port in
      var dims = port.type.shape.dims
      if dims.first == 1 { dims.removeFirst() }
      let type = TensorType(port.type.dtype, Shape([count] + dims))
      return (name: port.name, tensor: try Tensor(type, bytes: ByteView(collected[index])))
    }
    try AtomicFile.write(try NPZ.write(results), to: outputs)
    return count
  }

  /// The number of samples in stacked arrays that have exactly the ports' element types.
  private static func sampleCount(_ arrays: [String: Tensor], _ ports: [Port]) throws -> Int {
    var counts: Set<Int> = []
    for port in ports {
      guard let array = arrays[port.name] ?? (arrays.count == 1 ? arrays.first?.value : nil)
      else { throw Diagnostic("EVL001", "input '\(port.name)' is missing") }
      let size = port.type.byteCount ?? 0
      guard array.dtype == port.type.dtype, size > 0, array.bytes.count % size == 0 else {
        throw Diagnostic(
          "EVL004",
          "stacked input '\(port.name)' is \(array.type), the model takes \(port.type)"
        )
      }
      counts.insert(array.bytes.count / size)
    }
    guard counts.count == 1, let count = counts.first else {
      throw Diagnostic("EVL003", "stacked inputs have different numbers of samples")
    }
    return count
  }

  private func profile(_ request: JSON) throws -> JSON {
    guard var source else { throw Diagnostic("BEN002", "nothing is loaded") }
    source.options.isProfiling = true
    let session = try source.runtime.load(path: source.path, options: source.options)
    try write(fed, to: session)
    // The first runs pack and allocate: they are not what steady operation costs.
    for _ in 0..<3 { try session.runOnce() }
    let wall = try session.timedRuns(5).map { Int64(clamping: $0) }
    let times = try session.profile(runs: max(request["runs"]?.int ?? 20, 1))
    let operators = JSON.array(
      times.map {
        .object([
          "kind": .string($0.kind), "node": .string($0.node), "ns": JSON($0.nanoseconds),
        ])
      }
    )
    return .object([
      "ok": true, "operators": operators, "placement": session.placement.json,
      "profiledNs": .integer(Steadiness.median(wall)),
    ])
  }
}

extension SessionOptions {
  /// The settings as a request holds them.
  var settingsJSON: JSON {
    .members(
      settings.sorted { $0.key < $1.key }
        .reduce(into: JSON.Members()) { $0[$1.key] = .string($1.value) }
    )
  }

  /// Settings of a request.
  static func settings(json: JSON?) -> [String: String] {
    Dictionary((json?.pairs ?? []).compactMap { key, value in value.string.map { (key, $0) } }) {
      $1
    }
  }
}

extension Placement {
  /// The placement as a record keeps it.
  public var json: JSON {
    .object([
      "provider": .string(provider), "placed": placed.map { JSON($0) } ?? .null,
      "total": total.map { JSON($0) } ?? .null, "notes": .array(notes.map { .string($0) }),
    ])
  }
}

extension BlockLimits {
  init(json: JSON) {
    self.init(
      minimumCount: max(json["minCount"]?.int ?? 1, 1),
      minimumNanoseconds: UInt64(max(json["minNs"]?.int ?? 0, 0)),
      maximumCount: max(json["maxCount"]?.int ?? 1 << 17, 1),
      maximumNanoseconds: UInt64(max(json["maxNs"]?.int ?? 1_000_000_000, 1))
    )
  }

  /// A request with these limits.
  func request(_ verb: String) -> JSON {
    .object([
      "do": .string(verb), "minCount": JSON(minimumCount), "minNs": JSON(Int(minimumNanoseconds)),
      "maxCount": JSON(maximumCount), "maxNs": JSON(Int(maximumNanoseconds)),
    ])
  }

  func withCount(_ count: Int) -> BlockLimits {
    var copy = self
    copy.minimumCount = count
    copy.maximumCount = count
    return copy
  }
}
