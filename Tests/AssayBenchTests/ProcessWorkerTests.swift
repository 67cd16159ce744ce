import AssayBase
import AssayCodec
import AssayHost
import AssayRecord
import AssayRuntime
import AssayTensor
import AssayTestSupport
import CAllocationCount
import Testing

@testable import AssayBench

/// The worker of Tests/Support/BenchWorker, built beside the tests.
private let workerPath: String? = {
  guard let tests = Host.executablePath else { return nil }
  // The tests' own file is in the folder of built things, or in a bundle there.
  var folder = Host.folder(of: tests)
  for _ in 0..<4 {
    let path = Host.join(folder, "BenchWorker")
    if Host.kind(of: path) == .file { return path }
    folder = Host.folder(of: folder)
  }
  return nil
}()

private func configuration(_ path: String, runtime: String = "faulty") -> Configuration {
  Configuration(
    model: Record.Model(path: path, sha256: "", byteCount: 1),
    artefact: "none",
    variant: path,
    runtime: runtime
  )
}

private let short = Preset(
  name: "short",
  rounds: 4,
  block: BlockLimits(minimumCount: 10, minimumNanoseconds: 0, maximumNanoseconds: 100_000_000),
  warmup: BlockLimits(
    minimumCount: 10,
    minimumNanoseconds: 0,
    maximumCount: 40,
    maximumNanoseconds: 200_000_000
  ),
  rewarmNanoseconds: 0
)

private func comparison(_ folder: String = "/tmp") throws -> Comparison {
  var comparison = Comparison(
    preset: short,
    profiledRuns: 2,
    folder: folder,
    command: ["test"],
    executable: try #require(workerPath, "the worker of the tests was not built")
  )
  comparison.patience = 3
  return comparison
}

@Suite("Workers as processes") struct ProcessWorkerTests {
  @Test(
    "each way to fail is a row with its reason, and the others go on",
    arguments: [
      ("crash@load", "BEN110", "SIGSEGV"), ("crash@run:1", "BEN110", "SIGSEGV"),
      ("crash@run:40", "BEN110", "SIGSEGV"), ("abort@run:3", "BEN110", "SIGABRT"),
      ("exit@run:3", "BEN110", "exit status 5"), ("oom@run:40", "BEN112", "memory"),
      ("hang@load", "BEN111", "no answer"), ("spin@run:40", "BEN111", "no answer"),
      ("throw@load", "RTM005", "asked for"), ("mutter@load", "RTM006", "asked for"),
      ("fail@run:30", "BEN113", "status 42"),
    ]
  )
  func faults(fault: String, code: String, words: String) throws {
    let results = try comparison().run([
      configuration("fine"), configuration(fault), configuration("also fine"),
    ])
    #expect(results.map(\.record.variant) == ["fine", fault, "also fine"])
    for record in [results[0].record, results[2].record] {
      #expect(record.samples.count >= 40 && record.rounds.count == 4)
      #expect(!record.reasons.contains { $0.severity == .error && $0.code.hasPrefix("BEN11") })
    }
    let record = results[1].record
    let reason = try #require(record.reasons.first)
    #expect(record.verdict == .invalid)
    #expect(reason.code == code && reason.summary.contains(words), "\(reason)")
    #expect(reason.severity == .error)
    if fault.hasPrefix("abort") { #expect(reason.cause?.contains("bad_alloc") == true) }
    if fault.hasPrefix("throw") { #expect(reason.cause == "vendor's words") }
    if fault.hasPrefix("mutter") {
      #expect(reason.cause == "status 3\nit printed: no device with a driver")
    }
  }

  @Test("what a runtime prints neither disturbs nor blocks")
  func noise() throws {
    for path in ["noise@load", "noise@run:20"] {
      let record = try #require(try comparison().run([configuration(path)]).first?.record)
      // Drift is the machine's, not the runtime's.
      #expect(!record.reasons.contains { $0.code.hasPrefix("BEN11") })
      #expect(record.rounds.count == 4)
      // Windows hold their samples and follow one another.
      #expect(record.windows.count == 4)
      var taken = record.samples[...]
      for (window, count) in zip(record.windows, record.rounds) {
        #expect(window.end - window.begin >= taken.prefix(count).reduce(0, +))
        taken = taken.dropFirst(count)
      }
      #expect(zip(record.windows, record.windows.dropFirst()).allSatisfy { $0.end < $1.begin })
    }
  }

  @Test("a fault while profiling costs the profile, not the figures")
  func profileFault() throws {
    let results = try comparison().run([configuration("crash@profile")])
    let record = try #require(results.first?.record)
    #expect(record.samples.count >= 40)
    #expect(record.reasons.contains { $0.code == "BEN120" && $0.severity == .note })
  }

  @Test("self-tests see what answers from memory and what lies when it is timed")
  func audits() throws {
    var comparison = try comparison()
    comparison.audits = true
    let results = try comparison.run(
      ["fine", "cache@run", "lie@run:60"].map { configuration($0) }
    ).map(\.record)
    let codes = results.map { record in
      record.reasons.map(\.code).filter { $0.hasPrefix("BEN15") }
    }
    #expect(codes == [[], ["BEN150"], ["BEN151"]], "\(codes)")
    let fine = try #require(results[0].audit)
    #expect(fine.compared >= 24 && fine.differing == 0 && fine.samples == 8)
    #expect(abs(try #require(fine.repetitionGain.value)) < 0.5)
    #expect(try #require(results[1].audit?.repetitionGain.value) > 0.5)
    #expect(results[2].verdict == .invalid)
  }

  @Test("the peak of memory is the worker's own")
  func memory() throws {
    let results = try comparison().run([configuration("fine"), configuration("grow@never:64")])
    let small = try #require(results[0].record.peakMemoryBytes.value)
    let large = try #require(results[1].record.peakMemoryBytes.value)
    #expect(small < 16 << 20)
    #expect(large - small > 60 << 20 && large - small < 80 << 20)
  }

  @Test("a worker ends when its coordinator goes away")
  func orphan() throws {
    let commands = try Pipe()
    let answers = try Pipe()
    let worker = try ChildProcess(
      #require(workerPath),
      [],
      descriptors: [0: commands.readEnd, 3: answers.writeEnd]
    )
    commands.closeRead()
    answers.closeWrite()
    let channel = LineChannel(input: answers.readEnd, output: commands.writeEnd)
    #expect(channel.write(#"{"do":"hello"}"#))
    let soon = Host.monotonicNanoseconds() + 20_000_000_000
    guard case .line = channel.read(until: soon) else {
      Issue.record("the worker said nothing")
      return
    }
    commands.closeWrite()
    #expect(worker.wait(until: soon) == .exited(0))
  }

  @Test("nonsense is answered by a diagnostic")
  func nonsense() throws {
    let worker = try ProcessWorker(executable: #require(workerPath), arguments: [])
    defer { worker.end() }
    #expect(throws: Diagnostic.self) { _ = try worker.ask("text", seconds: 20) }
    #expect(throws: Diagnostic.self) {
      _ = try worker.ask(.object(["do": "block"]), seconds: 20)
    }
    #expect(try worker.ask(.object(["do": "hello"]), seconds: 20)["pid"]?.int != nil)
  }
}

@Suite("Isolated runtimes") struct IsolatedRuntimeTests {
  private func isolated(_ runtime: any InferenceRuntime) throws -> IsolatedRuntime {
    IsolatedRuntime(runtime, executable: try #require(workerPath), arguments: [], patience: 5)
  }

  @Test("what goes in and comes out is that of the runtime itself")
  func roundTrip() throws {
    let session = try isolated(NullRuntime()).load(path: "", options: SessionOptions())
    #expect(session.inputs == NullSession().inputs && session.outputs == NullSession().outputs)
    for value: Float in [2.5, -1] {
      try session.write(Tensor([value], [1]), toInput: 0)
      #expect(try session.timedRun() < 1_000_000_000)
      #expect(try session.output(0).floats() == [value])
    }
    let times = try session.timedRuns(7)
    #expect(times.count == 7 && times.allSatisfy { $0 < 1_000_000_000 })
    #expect(try session.output(0).floats() == [-1] && session.timedRuns(0).isEmpty)
    #expect(throws: Diagnostic.self) { try session.write(ByteView([1]), toInput: 0) }
  }

  @Test(
    "a runtime that fails is a diagnostic",
    arguments: [
      ("crash@load", "BEN110"), ("throw@load", "RTM005"), ("crash@run:2", "BEN110"),
      ("fail@run:2", "RTM010"), ("oom@run:1", "BEN112"), ("hang@run:1", "BEN111"),
    ]
  )
  func faults(fault: String, code: String) throws {
    #expect {
      let session = try isolated(Faulty()).load(path: fault, options: SessionOptions())
      for _ in 0..<3 { try session.runOnce() }
    } throws: { ($0 as? Diagnostic)?.code == code }
  }

  /// Stands for the runtime of that name in the worker.
  private struct Faulty: InferenceRuntime {
    var id: String { "faulty" }
    var formats: [String] { [] }
    func probe() -> Availability { .available(version: "0") }
    func load(path: String, options: SessionOptions) throws -> any Session { NullSession() }
  }
}

@Suite("Real runtimes in workers", .enabled(if: TestData.shared != nil, "no shared test data"))
struct RealWorkerTests {
  @Test("three runtimes are measured, profiled and evaluated side by side")
  func runtimes() throws {
    let folder = try Host.makeTemporaryFolder()
    defer { try? Host.remove(folder) }
    let tflite = try #require(
      TestData.sharedFile("models/mlperf_tiny/resnet8_cifar10_float.tflite")
    )
    let onnx = TestData.package + "/Tests/Goldens/runtimes/network.onnx"
    var generator = SeededRNG(seed: 3)
    func stack(_ shape: Shape, _ name: String) throws -> String {
      let values = (0..<shape.count).map { _ in generator.uniform() }
      let path = Host.join(folder, name + ".npz")
      try AtomicFile.write(NPZ.write([(name, Tensor(values, shape))]), to: path)
      return path
    }
    let images = try stack([3, 32, 32, 3], "images")
    let channels = try stack([3, 3, 8, 8], "image")
    let rows = try [("litert", tflite, images), ("onnxruntime", onnx, channels)].map {
      runtime,
      path,
      data in
      Configuration(
        model: try Record.Model(file: path),
        artefact: "",
        variant: "original",
        runtime: runtime,
        evaluation: data
      )
    }
    let more = [("openvino", tflite, images), ("openvino", onnx, channels)]
    let all =
      try rows
      + more.map { runtime, path, data in
        Configuration(
          model: try Record.Model(file: path),
          artefact: "",
          variant: "original",
          runtime: runtime,
          evaluation: data
        )
      }
    let results = try comparison(folder).run(all)
    var outputs: [[Float]] = []
    for measured in results {
      let record = measured.record
      if record.reasons.contains(where: { $0.code == "RTM001" }) { return }
      #expect(record.samples.count >= 40, "\(record.reasons)")
      #expect(record.initialization.compile.value ?? 0 > 0)
      #expect(record.initialization.first.value ?? 0 > 0)
      #expect(record.peakMemoryBytes.value ?? 0 > 1 << 20)
      #expect(record.operators.array?.isEmpty == false)
      #expect(record.placement["placed"]?.int ?? 0 > 0)
      #expect(!record.version.isEmpty && record.version != "unknown")
      #expect(record.model.sha256.count == 64)
      let arrays = try NPZ.read(MappedFile(path: #require(measured.outputs)).view)
      let first = try #require(arrays.first?.tensor)
      #expect(first.shape.dims.first == 3)
      outputs.append(first.floats())
    }
    for (a, b) in [(0, 2), (1, 3)] {
      #expect(zip(outputs[a], outputs[b]).allSatisfy { abs($0 - $1) < 1e-4 })
    }
  }

  @Test("a file that makes its runtime crash is a row with its reason")
  func truncatedModel() throws {
    let folder = try Host.makeTemporaryFolder()
    defer { try? Host.remove(folder) }
    let path = folder + "/truncated.tflite"
    let whole = try MappedFile(
      path: #require(TestData.sharedFile("models/mlperf_tiny/kws_int8.tflite"))
    )
    try AtomicFile.write([whole.view.slice(0, whole.view.count / 3)], to: path)
    let results = try comparison().run([configuration(path, runtime: "litert")])
    let record = try #require(results.first?.record)
    #expect(record.verdict == .invalid && record.samples.isEmpty)
    #expect(record.reasons.first?.summary.isEmpty == false)
  }
}

@Suite("The timed loop allocates nothing", .enabled(if: allocation_count_works()))
struct AllocationTests {
  @Test("the counter counts")
  func counter() {
    allocation_count_begin()
    let block = UnsafeMutableRawPointer.allocate(byteCount: 100, alignment: 8)
    let count = allocation_count_end()
    unsafe block.deallocate()
    #expect(count == 1)
  }

  @Test("a thousand runs of the null session")
  func nullSession() throws {
    let loop = TimedLoop(capacity: 1000)
    let session = NullSession()
    let limits = BlockLimits(
      minimumCount: 1000,
      minimumNanoseconds: 0,
      maximumCount: 1000,
      maximumNanoseconds: 10_000_000_000
    )
    let count = try Host.onOwnThread { () throws -> UInt64 in
      allocation_count_begin()
      try loop.run(session, limits)
      return allocation_count_end()
    }
    #expect(loop.count == 1000)
    #expect(count == 0)
  }

  @Test("starts are told cold and warm, the counters with reasons, and memory in its parts")
  func phases() throws {
    let folder = try Host.makeTemporaryFolder("assay-bench")
    defer { try? Host.remove(folder) }
    let path = Host.join(folder, "model")
    try AtomicFile.write([ByteView([UInt8](repeating: 1, count: 1 << 16))], to: path)
    var comparison = try comparison(folder)
    comparison.starts = 2
    comparison.countsEvents = true
    let result = try comparison.run([configuration(path)])
    let record = try #require(result.first?.record)
    let phases = try #require(record.phases)
    #expect(phases.warm.count == 2)
    #expect(phases.warm.allSatisfy { $0.total > 0 && $0.process > 0 && $0.first > 0 })
    // A file system in memory cannot forget; then there is a reason and no number.
    #expect(phases.cold.count == 2 || phases.coldReason != nil)
    #expect(phases.cold.allSatisfy { ($0.cachedShare ?? 1) <= 0.01 })
    let counters = try #require(record.counters)
    #expect(counters.runs >= 5 && counters.wall > 0)
    // The faulty runtime sleeps: the processor is idle most of the time.
    #expect(counters.utilization < 0.9)
    #expect(counters.events.count == 9)
    let memory = try #require(record.memory)
    #if os(Linux)
    let peak = try #require(memory.peakResident.value)
    #expect(peak >= memory.nullPeakResident.value ?? .max)
    #endif
    #expect(try Record(json: record.json).phases == record.phases)
    #expect(try Record(json: record.json).counters == record.counters)
    #expect(try Record(json: record.json).memory == record.memory)
  }

  @Test("memory that a model holds shows in every figure")
  func memoryOfModel() throws {
    var comparison = try comparison()
    comparison.starts = 1
    let results = try comparison.run([configuration("none"), configuration("grow@never:64")])
    let memories = results.compactMap(\.record.memory)
    try #require(memories.count == 2)
    let ballast = 64 << 20
    if let small = memories[0].proportional.value, let large = memories[1].proportional.value {
      #expect(large - small > ballast * 9 / 10 && large - small < ballast * 12 / 10)
    }
    if let small = memories[0].groupPeak.value, let large = memories[1].groupPeak.value {
      #expect(large - small > ballast * 9 / 10 && large - small < ballast * 12 / 10)
    }
  }

  @Test("a worker that is bound runs where it was bound, and says so when it cannot be")
  func binding() throws {
    #if os(Linux)
    let allowed = Host.allowedProcessors()
    let last = try #require(allowed.last)
    var bound = configuration("fine")
    bound.processors = [last]
    var beyond = configuration("fine")
    beyond.processors = [1023]
    let results = try comparison().run([bound, beyond])
    #expect(results[0].record.environment["boundTo"] == .string("\(last)"))
    #expect(results[0].record.samples.count >= 40)
    #expect(results[1].record.reasons.map(\.code) == ["BEN114"])
    // The parent stays where it was.
    #expect(Host.allowedProcessors() == allowed)
    #endif
  }
}
