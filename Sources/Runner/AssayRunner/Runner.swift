import CRunner

/// The runner: one process on a device, one session, requests as JSON lines on its standard input.
///
/// The requests and answers are those of the host's worker (`AssayBench.Worker`), but that arrays come
/// and go as raw bytes, all inputs or outputs of an inference one after the other in the order of the
/// ports: in a file (`raw`), or in the line itself as base64 (`inline`), and that `load` names the runtime's library. `seconds` of a request is how long it
/// may take: longer, and the system ends the runner.
@main struct Runner {
  private(set) var library: (any RuntimeLibrary)?
  private var session: (any RuntimeSession)?
  private(set) var further: [any RuntimeSession] = []
  private(set) var source: Source?
  private(set) var fed: [UInt8] = []
  let loop = TimedLoop()

  /// What was loaded, and how.
  struct Source {
    var runtime: String
    var library: String
    var path: String
    /// The file of its weights, where they lie apart.
    var weights: String?
    var provider: String
    var threads: Int
    var folder: String
    var settings: EdgeTPU.Settings
  }

  static func main() {
    let answers = crunner_begin()
    guard answers >= 0 else { return }
    var runner = Runner()
    var reader = LineReader()
    while let line = reader.next() {
      var text = ValueReader(line)
      let request = text.read() ?? .null
      let verb = request["do"]?.string ?? ""
      if verb == "quit" { return }
      crunner_limit(UInt32(min(max(request["seconds"]?.int ?? 0, 0), 1_000_000)))
      var answer: Value
      do {
        answer = try runner.perform(verb, request)
      } catch {
        answer = .object([("error", error.value)])
      }
      crunner_limit(0)
      var bytes: [UInt8] = []
      answer.write(to: &bytes)
      bytes.append(10)
      guard Host.write(bytes, to: answers) else { return }
    }
  }

  private mutating func perform(_ verb: String, _ request: Value) throws(Failure) -> Value {
    switch verb {
    case "hello":
      return .object(
        ProcessMemory.value() + [
          ("pid", .integer(Int64(crunner_process()))), ("runner", .string("assay-runner/1")),
        ]
      )
    case "clock":
      return .object([
        ("ok", .bool(true)), ("ns", .integer(Int64(clamping: Host.monotonicNanoseconds()))),
      ])
    case "forget": return try forget(request)
    case "bind": return try bind(request)
    case "load": return try load(request)
    case "feed": return try feed(request)
    case "first":
      let start = Host.monotonicNanoseconds()
      try once(try loaded())
      let time = Host.monotonicNanoseconds() &- start
      return .object([("ok", .bool(true)), ("ns", .integer(Int64(time)))])
    case "read": return try read(request)
    case "warmup":
      let limits = Runner.limits(request)
      let samples = try explaining { session, loop, further throws(RunFailure) in
        try loop.warmUp(
          session,
          further: further.map { (one: any RuntimeSession) -> any Session in one },
          limits
        )
      }
      return .object([("ok", .bool(true)), ("samples", Runner.list(samples))])
    case "block": return try block(request)
    case "memory": return .object(ProcessMemory.value() + [("runtime", .object([]))])
    case "audit": return try audit(request)
    case "accelerator":
      var members: [(String, Value)] = [("ok", .bool(true))]
      if let facts = session?.accelerator { members.append(("accelerator", facts)) }
      return .object(members)
    case "evaluate": return try evaluate(request)
    case "profile": return try profile(request)
    default: throw Failure("BEN002", "the runner on the device cannot do '" + verb + "'")
    }
  }

  func loaded() throws(Failure) -> any RuntimeSession {
    guard let session else { throw Failure("BEN002", "nothing is loaded") }
    return session
  }

  func once(_ session: any RuntimeSession) throws(Failure) {
    do {
      try session.run()
    } catch {
      throw failure(error, session)
    }
  }

  /// Lets the system forget a file, so that its next reading is from the disk.
  private func forget(_ request: Value) throws(Failure) -> Value {
    var (cached, total): (UInt64, UInt64) = (0, 0)
    let path = request["path"]?.string ?? ""
    guard path.withCString({ crunner_forget($0, &cached, &total) }) == 0 else {
      throw Failure("BEN116", "this system does not forget files, or does not tell")
    }
    return .object([
      ("ok", .bool(true)), ("cached", .integer(Int64(clamping: cached))),
      ("total", .integer(Int64(clamping: total))),
    ])
  }

  private func explaining<T>(
    _ body: (any RuntimeSession, TimedLoop, [any RuntimeSession]) throws(RunFailure) -> T
  ) throws(Failure) -> T {
    let session = try loaded()
    do {
      return try body(session, loop, further)
    } catch {
      throw failure(error, session)
    }
  }

  private func bind(_ request: Value) throws(Failure) -> Value {
    let processors = (request["processors"]?.array ?? []).map { Int32(clamping: $0.int ?? -1) }
    let status = processors.withUnsafeBufferPointer { chost_set_affinity($0.baseAddress, $0.count) }
    guard status == 0, !processors.isEmpty else {
      throw Failure("BEN114", "the runner cannot be bound to these processors")
    }
    return .object([("ok", .bool(true))])
  }

  private mutating func load(_ request: Value) throws(Failure) -> Value {
    let name = request["runtime"]?.string ?? ""
    let source = Source(
      runtime: name,
      library: request["library"]?.string ?? "",
      path: request["path"]?.string ?? "",
      weights: request["weights"]?.string,
      provider: request["provider"]?.string ?? "cpu",
      threads: request["threads"]?.int ?? 1,
      folder: request["folder"]?.string ?? ".",
      settings: EdgeTPU.Settings(request["settings"] ?? .null)
    )
    let library: any RuntimeLibrary
    if let known = self.library, self.source?.runtime == name {
      library = known
    } else {
      switch name {
      case "litert":
        library = try LiteRT(path: source.library.isEmpty ? "libLiteRt.so" : source.library)
      case "openvino":
        library = try OpenVINO(path: source.library.isEmpty ? "libopenvino_c.so" : source.library)
      case "onnxruntime":
        library = try OnnxRuntime(
          path: source.library.isEmpty ? "libonnxruntime.so" : source.library
        )
      default: throw Failure("BEN002", "the runner on the device has no runtime '" + name + "'")
      }
      self.library = library
    }
    further = []
    let session = try library.session(source, isProfiling: false)
    self.session = session
    self.source = source
    for _ in 1..<min(max(request["streams"]?.int ?? 1, 1), 256) {
      further.append(try library.session(source, isProfiling: false))
    }
    var members: [(String, Value)] = [
      ("ok", .bool(true)),
      ("version", .string(library.version ?? request["version"]?.string ?? "unknown")),
      ("read", .integer(Int64(session.readNanoseconds))),
      ("compile", .integer(Int64(session.compileNanoseconds))),
      ("placement", Runner.placement(session, session.placed)),
      ("inputs", .array(session.inputs.map { $0.value })),
      ("outputs", .array(session.outputs.map { $0.value })),
    ]
    if let facts = session.accelerator { members.append(("accelerator", facts)) }
    return .object(members)
  }

  private static func placement(_ session: any RuntimeSession, _ placed: Int?) -> Value {
    .object([
      ("provider", .string(session.provider)),
      ("placed", placed.map { .integer(Int64($0)) } ?? .null),
      // A runtime that does not tell how many operators there are says none.
      ("total", session.total > 0 ? .integer(Int64(session.total)) : .null),
      ("notes", .array(session.notes.map { .string($0) })),
    ])
  }

  private mutating func feed(_ request: Value) throws(Failure) -> Value {
    let session = try loaded()
    let size = session.inputs.reduce(0) { $0 + $1.byteCount }
    if let text = request["inline"]?.string {
      guard let bytes = Base64.decode(text), bytes.count == size else {
        throw Failure("BEN002", "the inputs in the request are not \(size) bytes")
      }
      fed = bytes
    } else if let path = request["raw"]?.string {
      guard let bytes = Host.bytes(of: path), bytes.count == size else {
        throw Failure("BEN002", "the inputs on the device are not \(size) bytes")
      }
      fed = bytes
    } else {
      fed = [UInt8](repeating: 0, count: size)
    }
    try write(fed[...], to: session)
    for session in further { try write(fed[...], to: session) }
    return .object([("ok", .bool(true))])
  }

  func write(_ bytes: ArraySlice<UInt8>, to session: any RuntimeSession) throws(Failure) {
    var place = bytes.startIndex
    for index in session.inputs.indices {
      let end = place + session.inputs[index].byteCount
      try session.write(bytes[place..<end], toInput: index)
      place = end
    }
  }

  private func outputs(_ session: any RuntimeSession) throws(Failure) -> [UInt8] {
    var bytes: [UInt8] = []
    for index in session.outputs.indices { bytes += try session.read(output: index) }
    return bytes
  }

  private func read(_ request: Value) throws(Failure) -> Value {
    let session = try loaded()
    if case .bool(true) = request["inline"] ?? .null {
      return .object([
        ("ok", .bool(true)), ("inline", .string(Base64.encode(try outputs(session)))),
        ("outputs", .array(session.outputs.map { $0.value })),
      ])
    }
    guard let path = request["raw"]?.string, Host.write(try outputs(session), to: path) else {
      throw Failure("BEN002", "the outputs cannot be written on the device")
    }
    return .object([
      ("ok", .bool(true)), ("outputs", .array(session.outputs.map { $0.value })),
    ])
  }

  /// Every sample of stacked inputs; outputs are stacked likewise.
  private func evaluate(_ request: Value) throws(Failure) -> Value {
    let session = try loaded()
    let size = session.inputs.reduce(0) { $0 + $1.byteCount }
    guard let from = request["raw"]?.string, let to = request["rawOutputs"]?.string,
      let bytes = Host.bytes(of: from), size > 0, bytes.count % size == 0
    else { throw Failure("BEN002", "the samples on the device are no whole number of inputs") }
    var results: [UInt8] = []
    let count = bytes.count / size
    for sample in 0..<count {
      try write(bytes[(sample * size)..<((sample + 1) * size)], to: session)
      try once(session)
      results += try outputs(session)
    }
    guard Host.write(results, to: to) else {
      throw Failure("BEN002", "the outputs cannot be written on the device")
    }
    return .object([
      ("ok", .bool(true)), ("count", .integer(Int64(count))),
      ("outputs", .array(session.outputs.map { $0.value })),
    ])
  }

  private func block(_ request: Value) throws(Failure) -> Value {
    let limits = Runner.limits(request)
    let rewarm = UInt64(max(request["rewarmNs"]?.int ?? 0, 0))
    let plan = request["scenario"] ?? .null
    let scenario = plan["kind"]?.string ?? plan.string ?? "single-stream"
    let busy = Host.busyNanoseconds()
    let own = crunner_busy_ns()
    let start = Host.monotonicNanoseconds()
    // A few inferences bring back what others pushed out of the caches.
    _ = try explaining { session, loop, _ throws(RunFailure) in
      try loop.run(
        session,
        BlockLimits(
          minimumCount: 2,
          minimumNanoseconds: rewarm,
          maximumNanoseconds: max(rewarm, 1)
        )
      )
    }
    let block = try queries(limits, scenario, plan)
    var members: [(String, Value)] = [
      ("ok", .bool(true)), ("samples", Runner.list(block.samples)),
      ("begin", .integer(Int64(clamping: block.window.begin))),
      ("end", .integer(Int64(clamping: block.window.end))),
    ]
    if let service = block.serviceTime { members.append(("serviceNs", .number(service))) }
    if block.unserved > 0 { members.append(("unserved", .integer(Int64(block.unserved)))) }
    let elapsed = Host.monotonicNanoseconds() &- start
    if let busy, let now = Host.busyNanoseconds(), now >= busy, elapsed > 50_000_000 {
      let others = Double(now - busy) - Double(crunner_busy_ns() &- own)
      members.append(("othersBusy", .number(max(others, 0) / Double(elapsed))))
    }
    return .object(members)
  }

  private mutating func profile(_ request: Value) throws(Failure) -> Value {
    guard let source, let library else { throw Failure("BEN002", "nothing is loaded") }
    let session = try library.session(source, isProfiling: true)
    try write(fed[...], to: session)
    // The first runs pack and allocate: they are not what steady operation costs.
    for _ in 0..<3 { try once(session) }
    var wall: [Int64] = []
    for _ in 0..<5 {
      let start = Host.monotonicNanoseconds()
      try once(session)
      wall.append(Int64(clamping: Host.monotonicNanoseconds() &- start))
    }
    let runs = min(max(request["runs"]?.int ?? 20, 1), 1000)
    let (times, placed) = try session.profile(runs: runs)
    let operators = times.map { time -> Value in
      .object([
        ("kind", .string(time.kind)), ("node", .string(time.node)),
        ("ns", .number(time.nanoseconds)),
      ])
    }
    return .object([
      ("ok", .bool(true)), ("operators", .array(operators)),
      ("placement", Runner.placement(session, placed)),
      ("profiledNs", .integer(Steadiness.median(wall))),
    ])
  }

  private static func limits(_ request: Value) -> BlockLimits {
    BlockLimits(
      minimumCount: max(request["minCount"]?.int ?? 1, 1),
      minimumNanoseconds: UInt64(max(request["minNs"]?.int ?? 0, 0)),
      maximumCount: max(request["maxCount"]?.int ?? 1 << 17, 1),
      maximumNanoseconds: UInt64(max(request["maxNs"]?.int ?? 1_000_000_000, 1))
    )
  }

  private static func list(_ samples: [Int64]) -> Value { .array(samples.map { .integer($0) }) }
}

/// Lines of the standard input; one longer than 64 MB ends it.
struct LineReader {
  private var buffer: [UInt8] = []
  private var isEnded = false

  mutating func next() -> [UInt8]? {
    while true {
      if let end = buffer.firstIndex(of: 10) {
        let line = Array(buffer[..<end])
        buffer.removeFirst(end + 1)
        return line
      }
      guard !isEnded, buffer.count < 64 << 20 else { return nil }
      var chunk = [UInt8](repeating: 0, count: 1 << 16)
      let count = chunk.withUnsafeMutableBytes { crunner_read(0, $0.baseAddress, $0.count) }
      if count <= 0 { isEnded = true } else { buffer += chunk[..<Int(count)] }
    }
  }
}
