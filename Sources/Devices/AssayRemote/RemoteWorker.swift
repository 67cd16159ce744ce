import AssayBase
import AssayBench
import AssayCodec
import AssayDevice
import AssayHost
import AssayRuntime
import AssayTensor

/// A worker on a device: the runner's requests are the worker's, with files brought there and back.
///
/// Arrays go as raw bytes, all inputs of an inference one after the other in the order of the ports;
/// stacked data goes in slices that fit the device's memory.
public final class RemoteWorker: WorkerLink {
  private let stream: any DeviceStream
  private let files: any RunnerFiles
  private let address: DeviceAddress
  private let scratch: String
  private let loadOptions: JSON
  private let sliceByteCount: Int
  private let isAlive: () -> Bool
  private var inputs: [Port] = []
  private var outputs: [Port] = []
  private var isEnded = false
  private var fed: [ByteView] = []
  private var clock: DeviceClock?
  private var hasClock = true

  /// Up to so many bytes arrays go within the lines, which saves the ways of files.
  private static let inlineByteCount = 8 << 20

  /// A worker behind a stream.
  ///
  /// - Parameters:
  ///   - loadOptions: members that a request to load gets: the library, its version and folder.
  ///   - sliceByteCount: bytes of stacked inputs that the device gets at once.
  ///   - isAlive: asks the device for a sign of life, when the runner has ended.
  init(
    _ stream: any DeviceStream,
    _ files: any RunnerFiles,
    _ address: DeviceAddress,
    loadOptions: JSON = .emptyObject,
    sliceByteCount: Int = 64 << 20,
    isAlive: @escaping () -> Bool = { true }
  ) throws {
    self.stream = stream
    self.files = files
    self.address = address
    self.loadOptions = loadOptions
    self.sliceByteCount = max(sliceByteCount, 1)
    self.isAlive = isAlive
    scratch = try Host.makeTemporaryFolder("assay-remote")
  }

  deinit {
    if !isEnded { stream.kill() }
    try? Host.remove(scratch)
  }

  public func ask(_ request: JSON, seconds: Double) throws -> JSON {
    switch request["do"]?.string {
    case "load": return try load(request, seconds)
    case "feed": return try feed(request, seconds)
    case "read": return try read(request, seconds)
    case "evaluate": return try evaluate(request, seconds)
    case "audit": return try audit(request, seconds)
    case "block": return try block(request, seconds)
    case "forget":
      // What is told of is the model's own file; the others go before.
      var answer = JSON.emptyObject
      for file in modelFiles(request["path"]?.string ?? "").reversed() {
        var request = request
        request["path"] = .string(try place(file))
        answer = try send(request, seconds)
      }
      return answer
    default: return try send(request, seconds)
    }
  }

  public func end() {
    guard !isEnded else { return }
    isEnded = true
    _ = stream.write(#"{"do":"quit"}"#)
    if stream.end(seconds: 5) == nil { stream.kill() }
  }

  // MARK: Lines

  private func send(_ request: JSON, _ seconds: Double) throws -> JSON {
    var request = request
    // The device ends the runner by itself when this side is gone and cannot.
    request["seconds"] = JSON(Int(min(max(seconds, 1), 1e6).rounded(.up)) + 1)
    let deadline = Host.monotonicNanoseconds() &+ UInt64(min(max(seconds, 0), 1e6) * 1e9)
    guard !isEnded, stream.write(request.text()) else { throw gone(request) }
    switch stream.readLine(until: deadline) {
    case .line(let line):
      let answer = try locating(address.text) { try JSON(parsing: line) }
      if let error = answer["error"] {
        let fault = Diagnostic(json: error) ?? Diagnostic("BEN001", "unknown failure")
        throw withPrintedWords(fault.inside(address.text))
      }
      return answer
    case .timeout:
      isEnded = true
      stream.kill()
      guard isAlive() else {
        throw DeviceFault.silent(address, request["do"]?.string ?? "a request", seconds)
      }
      throw Diagnostic(
        "BEN111",
        "the runner gave no answer to '\(request["do"]?.string ?? "")' within \(Int(seconds)) s",
        at: [address.text],
        remedy: "the runtime hangs on this model; try another provider or thread count",
        cause: stream.errorTail()
      )
    case .end, .tooLong: throw gone(request)
    }
  }

  /// Whether it was the runner that ended, or the way to it.
  private func gone(_ request: JSON) -> Diagnostic {
    let wasEnded = isEnded
    isEnded = true
    let status = wasEnded ? nil : stream.end(seconds: 3)
    let words = stream.errorTail()
    stream.kill()
    let action = "'\(request["do"]?.string ?? "a request")'"
    guard !wasEnded, isAlive() else {
      return DeviceFault.lost(address, action, cause: words)
    }
    // ssh tells a signal as 255, a shell as 128 and its number.
    let end: String
    switch status {
    case .some(let status) where status > 128 && status < 160: end = Host.signalName(status - 128)
    case .some(let status) where status != 255: end = "exit status \(status)"
    default: end = "a signal, or the way to it broke for a moment"
    }
    return Diagnostic(
      "BEN110",
      "the runtime ended the runner: \(end)",
      at: [address.text],
      remedy: "the file may be broken, or the runtime at fault: try another provider",
      cause: words
    )
  }

  private func withPrintedWords(_ error: Diagnostic) -> Diagnostic {
    guard error.code.hasPrefix("RTM") else { return error }
    var copy = error
    if error.code == "RTM006", error.remedy == nil {
      copy.remedy =
        "use --provider cpu, or name a build of the device's own that has it: \"libraries\" in devices.json"
    }
    let lines = stream.errorTail().split(separator: "\n").filter { !$0.hasPrefix("INFO:") }
    guard !lines.isEmpty else { return copy }
    let printed = "it printed: " + lines.suffix(6).joined(separator: "\n")
    copy.cause = error.cause.map { $0 + "\n" + printed } ?? printed
    return copy
  }

  // MARK: Files

  private func load(_ request: JSON, _ seconds: Double) throws -> JSON {
    var request = request
    if let path = request["path"]?.string {
      let there = try place(path)
      request["path"] = .string(there)
      for companion in modelFiles(path).dropFirst() {
        let given = try place(companion)
        if companion.hasSuffix(".bin") {
          request["weights"] = .string(given)
        } else {
          // The model names it, relative to itself.
          try files.join(given, to: there, as: Host.name(of: companion))
        }
      }
    }
    for (key, value) in loadOptions.pairs ?? [] where key != "settings" { request[key] = value }
    if request["provider"]?.string == "tpu" {
      // What is known of the device's own libraries; what was asked for goes before.
      var settings = loadOptions["settings"] ?? .emptyObject
      for (key, value) in request["settings"]?.pairs ?? [] { settings[key] = value }
      request["settings"] = settings
    }
    let answer = try send(request, seconds)
    inputs = try (answer["inputs"]?.array ?? []).map { try Port(json: $0) }
    outputs = try (answer["outputs"]?.array ?? []).map { try Port(json: $0) }
    fed = inputs.map { ByteView([UInt8](repeating: 0, count: $0.type.byteCount ?? 0)) }
    return answer
  }

  /// Where a file of this machine lies on the device, brought there where it does not.
  private func place(_ path: String) throws -> String {
    guard !path.isEmpty, Host.kind(of: path) == .file else { return path }
    let name = Host.name(of: path)
    let suffix = name.lastIndex(of: ".").map { String(name[$0...]) } ?? ""
    let isPlain = suffix.dropFirst().allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) }
    return try files.give(path, suffix: isPlain ? suffix : "")
  }

  // MARK: Clocks

  /// A timed block, whose beginning and end are told by this machine's clock, so that meters here can be
  /// joined with it.
  private func block(_ request: JSON, _ seconds: Double) throws -> JSON {
    if hasClock, clock?.isFresh != true { clock = try readClock() }
    var answer = try send(request, seconds)
    guard let clock, let begin = answer["begin"]?.int, let end = answer["end"]?.int else {
      return answer
    }
    answer["begin"] = .integer(clock.here(Int64(begin)))
    answer["end"] = .integer(clock.here(Int64(end)))
    answer["clockUncertaintyNs"] = .number(clock.uncertainty)
    return answer
  }

  /// The device's clock beside this machine's, by the shortest of a few round trips.
  private func readClock() throws -> DeviceClock? {
    var best: DeviceClock?
    for _ in 0..<8 {
      let start = Host.monotonicNanoseconds()
      let answer: JSON
      do {
        answer = try send(.object(["do": "clock"]), 10)
      } catch let fault as Diagnostic where !isEnded {
        // A program that does not know the request: its times stay its own.
        _ = fault
        hasClock = false
        return nil
      }
      let end = Host.monotonicNanoseconds()
      guard let there = answer["ns"]?.int else { return nil }
      let one = DeviceClock(there: Int64(there), start: start, end: end)
      if best.map({ one.span < $0.span }) ?? true { best = one }
    }
    return best
  }

  // MARK: Self-tests

  /// Samples are made here as for this machine's worker, and timed and compared there.
  private func audit(_ request: JSON, _ seconds: Double) throws -> JSON {
    var random = SeededRNG(seed: UInt64(max(request["seed"]?.int ?? 1, 0)))
    let samples = AuditSamples.make(8, inputs, measured: fed, &random).flatMap { $0 }
    var request = request
    if samples.reduce(0, { $0 + $1.count }) <= RemoteWorker.inlineByteCount {
      request["inline"] = .string(Base64.encode(samples))
      return try send(request, seconds)
    }
    let file = Host.join(scratch, "samples.raw")
    try AtomicFile.write(samples, to: file, isSynced: false)
    let there = try files.give(file, suffix: ".raw")
    request["raw"] = .string(there)
    let answer = try send(request, seconds)
    try files.remove(there)
    return answer
  }

  private func feed(_ request: JSON, _ seconds: Double) throws -> JSON {
    guard let path = request["inputs"]?.string else { return try send(request, seconds) }
    let arrays = try NPZ.read(try MappedFile(path: path).view)
    let given = Dictionary(arrays.map { ($0.name, $0.tensor) }) { first, _ in first }
    let bound = try bind(given, to: inputs.map { ($0.name, $0.type) })
    fed = bound.map(\.bytes)
    var request = request
    request["inputs"] = nil
    if bound.reduce(0, { $0 + $1.bytes.count }) <= RemoteWorker.inlineByteCount {
      request["inline"] = .string(Base64.encode(bound.map(\.bytes)))
    } else {
      let file = Host.join(scratch, "inputs.raw")
      try AtomicFile.write(bound.map(\.bytes), to: file, isSynced: false)
      request["raw"] = .string(try files.give(file, suffix: ".raw"))
    }
    return try send(request, seconds)
  }

  private func read(_ request: JSON, _ seconds: Double) throws -> JSON {
    guard let path = request["outputs"]?.string else {
      throw Diagnostic("BEN002", "read needs a place for outputs")
    }
    let size = outputs.reduce(0) { $0 + ($1.type.byteCount ?? 0) }
    let isInline = size <= RemoteWorker.inlineByteCount
    let there = files.newPath("outputs.raw")
    let answer = try send(
      isInline
        ? .object(["do": "read", "inline": true]) : .object(["do": "read", "raw": .string(there)]),
      seconds
    )
    let ports = try (answer["outputs"]?.array).map { try $0.map { try Port(json: $0) } } ?? outputs
    let view: ByteView
    if isInline {
      guard let bytes = answer["inline"]?.string.flatMap(Base64.decode) else {
        throw Diagnostic("RUN004", "the device gave no outputs", at: [address.text])
      }
      view = ByteView(bytes)
    } else {
      let file = Host.join(scratch, "outputs.raw")
      try files.fetch(there, to: file)
      try files.remove(there)
      view = try MappedFile(path: file).view
    }
    var place = 0
    let arrays = try ports.map { port in
      let count = port.type.byteCount ?? 0
      let tensor = try Tensor(port.type, bytes: try view.slice(place, count))
      place += count
      return (name: port.name, tensor: tensor)
    }
    try AtomicFile.write(try NPZ.write(arrays), to: path)
    return answer
  }

  /// Stacked samples, slice by slice.
  private func evaluate(_ request: JSON, _ seconds: Double) throws -> JSON {
    guard let from = request["inputs"]?.string, let to = request["outputs"]?.string else {
      throw Diagnostic("BEN002", "evaluate needs inputs and outputs")
    }
    let stacked = try NPZ.read(try MappedFile(path: from).view)
    let arrays = Dictionary(stacked.map { ($0.name, $0.tensor) }) { first, _ in first }
    let columns = try inputs.map { port in
      guard let array = arrays[port.name] ?? (arrays.count == 1 ? arrays.first?.value : nil) else {
        throw Diagnostic("EVL001", "input '\(port.name)' is missing")
      }
      let size = port.type.byteCount ?? 0
      guard array.dtype == port.type.dtype, size > 0, array.bytes.count % size == 0 else {
        throw Diagnostic(
          "EVL004",
          "stacked input '\(port.name)' is \(array.type), the model takes \(port.type)"
        )
      }
      return (bytes: array.bytes, size: size)
    }
    let counts = Set(columns.map { $0.bytes.count / $0.size })
    guard counts.count == 1, let count = counts.first else {
      throw Diagnostic("EVL003", "stacked inputs have different numbers of samples")
    }
    let sampleSize = columns.reduce(0) { $0 + $1.size }
    let most = max(sliceByteCount / max(sampleSize, 1), 1)
    var collected = outputs.map { _ in [UInt8]() }
    var start = 0
    while start < count {
      let end = min(start + most, count)
      let file = Host.join(scratch, "slice.raw")
      var parts: [ByteView] = []
      for sample in start..<end {
        for column in columns {
          parts.append(try column.bytes.slice(sample * column.size, column.size))
        }
      }
      try AtomicFile.write(parts, to: file, isSynced: false)
      let there = try files.give(file, suffix: ".raw")
      let results = files.newPath("results.raw")
      _ = try send(
        .object(["do": "evaluate", "raw": .string(there), "rawOutputs": .string(results)]),
        seconds
      )
      let back = Host.join(scratch, "results.raw")
      try files.fetch(results, to: back)
      // A slice makes room for the next one.
      try files.remove(there)
      try files.remove(results)
      try collect(try MappedFile(path: back).view, end - start, into: &collected)
      start = end
    }
    let results = try outputs.enumerated().map { index, port in
      var dims = port.type.shape.dims
      if dims.first == 1 { dims.removeFirst() }
      let type = TensorType(port.type.dtype, Shape([count] + dims))
      return (name: port.name, tensor: try Tensor(type, bytes: ByteView(collected[index])))
    }
    try AtomicFile.write(try NPZ.write(results), to: to)
    return .object(["ok": true, "count": JSON(count)])
  }

  private func collect(_ bytes: ByteView, _ count: Int, into columns: inout [[UInt8]]) throws {
    let sizes = outputs.map { $0.type.byteCount ?? 0 }
    guard bytes.count == sizes.reduce(0, +) * count else {
      throw Diagnostic(
        "RUN004",
        "the device wrote \(bytes.count) bytes of outputs for \(count) samples",
        at: [address.text]
      )
    }
    var place = 0
    for _ in 0..<count {
      for (index, size) in sizes.enumerated() {
        columns[index] += try bytes.slice(place, size).array
        place += size
      }
    }
  }
}

/// A device's clock beside this machine's at one moment.
struct DeviceClock: Equatable {
  /// This machine's time less the device's, nanoseconds.
  let offset: Int64
  /// How long the question took, nanoseconds.
  let span: UInt64
  private let at: UInt64

  /// A reading.
  ///
  /// - Parameters:
  ///   - there: the device's time.
  ///   - start: this machine's time before the question, and after the answer.
  init(there: Int64, start: UInt64, end: UInt64) {
    span = end &- start
    at = end
    offset = Int64(clamping: start &+ span / 2) &- there
  }

  /// Clocks of quartz part by less than so much.
  private static let drift = 100e-6

  /// Whether it still tells the time well.
  var isFresh: Bool { Host.monotonicNanoseconds() &- at < 20_000_000_000 }

  /// A moment of the device by this machine's clock.
  func here(_ moment: Int64) -> Int64 { moment &+ offset }

  /// The standard uncertainty of that, nanoseconds: rectangular over the round trip, and what clocks part
  /// by until it is asked again.
  var uncertainty: Double {
    let age = Double(Host.monotonicNanoseconds() &- at)
    let trip = Double(span) / 2 / 3.0.squareRoot()
    let parting = age * DeviceClock.drift / 3.0.squareRoot()
    return (trip * trip + parting * parting).squareRoot()
  }
}
