import AssayBase
import AssayBench
import AssayCodec
import AssayDevice
import AssayHost
import AssayRecord
import AssayRuntime
import AssayTensor
import AssayTestSupport
import RuntimeLiteRT
import RuntimeOpenVINO
import Testing

@testable import AssayRemote

private let model = TestData.sharedFile("models/mlperf_tiny/ad01_int8.tflite") ?? ""

private let openVINO = RuntimeLibrary.candidates(
  id: "openvino",
  variable: "ASSAY_OPENVINO_LIB",
  stem: "libopenvino_c.so"
).first { Host.exists($0.path) }

@Suite(
  .serialized,
  .enabled(if: hasRunner, "the runner is not built"),
  .enabled(if: LiteRTRuntime().probe().isAvailable, "LiteRT is not installed: run `make setup`"),
  .enabled(if: TestData.shared != nil, "the shared test data is absent")
)
struct RemoteTests {
  private func samples(_ count: Int) throws -> Tensor {
    let values = (0..<(count * 640)).map { Int8(truncatingIfNeeded: 37 * $0 % 251 - 125) }
    return Tensor(values, Shape([count, 640]), dtype: .int8)
  }

  /// Outputs of every sample by the runtime in this process.
  private func here(_ samples: Tensor, _ count: Int) throws -> [UInt8] {
    let session = try LiteRTRuntime().load(path: model, options: SessionOptions())
    var bytes: [UInt8] = []
    for index in 0..<count {
      try session.write(try samples.bytes.slice(index * 640, 640), toInput: 0)
      try session.runOnce()
      bytes += try session.readOutput(0).array
    }
    return bytes
  }

  private func open(_ root: String) throws -> DeviceSession {
    var settings = DeviceSettings()
    settings.root = root
    return try DeviceSession(LocalDevice(settings), settings)
  }

  @Test func theRunnerGivesTheBytesOfTheHost() throws {
    try withFolder { root in
      let session = try open(root)
      defer { session.close() }
      let runtime = WorkerRuntime(id: "litert", formats: ["tflite"]) {
        try session.makeWorker(runtime: "litert")
      }
      let remote = try runtime.load(path: model, options: SessionOptions(threads: 2))
      let local = try LiteRTRuntime().load(path: model, options: SessionOptions(threads: 2))
      // Names, types and quantization come over whole.
      #expect(remote.inputs == local.inputs)
      #expect(remote.outputs == local.outputs)
      #expect(remote.placement == local.placement)
      let data = try samples(1)
      try remote.write(data.bytes, toInput: 0)
      #expect(try remote.timedRuns(7).count == 7)
      try remote.runOnce()
      #expect(try remote.readOutput(0).array == here(data, 1))
    }
  }

  /// OpenVINO's library of the device itself is driven, with the outputs, types and times of this machine.
  @Test(.enabled(if: OpenVINORuntime().probe().isAvailable, "OpenVINO is not installed"))
  func openVINOIsDrivenThere() throws {
    let network = try #require(TestData.sharedFile("models/mlperf_tiny/kws_float.tflite"))
    try withFolder { root in
      var settings = DeviceSettings()
      settings.root = root
      settings.libraries["openvino"] = try #require(openVINO?.path)
      let session = try DeviceSession(LocalDevice(settings), settings)
      defer { session.close() }
      #expect(session.refusal(of: "openvino") == nil)
      let runtime = WorkerRuntime(id: "openvino", formats: ["tflite"]) {
        try session.makeWorker(runtime: "openvino")
      }
      let remote = try runtime.load(path: network, options: SessionOptions(threads: 2))
      let local = try OpenVINORuntime().load(path: network, options: SessionOptions(threads: 2))
      #expect(remote.inputs == local.inputs)
      #expect(remote.outputs == local.outputs)
      #expect(remote.placement == local.placement)
      var rng = SeededRNG(seed: 3)
      for (index, port) in local.inputs.enumerated() {
        let values = (0..<port.type.shape.count).map { _ in Float.random(in: -1...1, using: &rng) }
        let bytes = Tensor(values, port.type.shape).bytes
        try local.write(bytes, toInput: index)
        try remote.write(bytes, toInput: index)
      }
      try local.runOnce()
      #expect(try remote.timedRuns(5).count == 5)
      try remote.runOnce()
      for index in local.outputs.indices {
        #expect(try remote.readOutput(index).array == local.readOutput(index).array)
      }
      // Hardware that is not there is told with what is.
      var absent = SessionOptions()
      absent.provider = .npu
      let fault = #expect(throws: Diagnostic.self) {
        try runtime.load(path: network, options: absent)
      }
      #expect(fault?.code == "RTM006")
      #expect(fault?.summary.contains("CPU") == true)
    }
  }

  /// What goes along where a device has no OpenVINO, and the weights of an IR with it.
  @Test(.enabled(if: OpenVINORuntime().probe().isAvailable, "OpenVINO is not installed"))
  func openVINOGoesAlongWithWhatItNeeds() throws {
    let library = try #require(openVINO?.path)
    func names(_ provider: Provider) -> [String] {
      RunnerBundle.files("openvino", library, provider).map(\.0)
    }
    let plain = names(.cpu)
    #expect(plain.first?.hasPrefix("libopenvino_c.so") == true)
    for stem in ["libopenvino.so", "libtbb.so", "libopenvino_ir_frontend.so"] {
      #expect(plain.filter { $0.hasPrefix(stem) }.count == 1, "\(stem)")
    }
    #expect(!plain.contains("libopenvino_intel_npu_plugin.so"))
    #expect(Set(plain).count == plain.count)
    #expect(
      names(.npu).contains { $0.hasPrefix("libopenvino_intel_npu") }
        == plain.contains {
          $0.hasPrefix("libopenvino_intel_cpu")
        }
    )
  }

  /// Sets go over in slices that fit, and come back as one.
  @Test func stackedSamplesGoInSlices() throws {
    try withFolder { root in
      let session = try open(root)
      defer { session.close() }
      let count = 10
      let data = try samples(count)
      try AtomicFile.write(try NPZ.write([(name: "input_1", tensor: data)]), to: root + "/in.npz")
      let device = try #require(session.device as? any ShellDevice)
      let journal = DeviceJournal()
      let folder = try DeviceFolder(device, journal: journal)
      defer { folder.close() }
      let bundle = try RunnerBundle(for: session.facts, runtime: "litert")
      let place = try bundle.bring(to: folder, device, journal: journal)
      let worker = try RemoteWorker(
        try device.open("cd \(place) && exec \(bundle.command)"),
        DeviceFiles(device, folder, journal),
        .local,
        loadOptions: .object(["library": .string("./" + bundle.library)]),
        // Three samples at a time.
        sliceByteCount: 3 * 640
      )
      defer { worker.end() }
      _ = try worker.ask(
        .object(["do": "load", "runtime": "litert", "path": .string(model)]),
        seconds: 60
      )
      let pushes = journal.entries.filter { $0.action == "push" }.count
      let answer = try worker.ask(
        .object([
          "do": "evaluate", "inputs": .string(root + "/in.npz"),
          "outputs": .string(root + "/out.npz"),
        ]),
        seconds: 60
      )
      #expect(answer["count"]?.int == count)
      #expect(journal.entries.filter { $0.action == "push" }.count == pushes + 4)
      let results = try NPZ.read(try MappedFile(path: root + "/out.npz").view)
      #expect(results.first?.tensor.bytes.array == (try here(data, count)))
      #expect(results.first?.tensor.shape.dims == [count, 640])
      // Only the runner, its library and the model are left.
      #expect(try Host.list(folder.path + "/files").count == 1)
    }
  }

  /// A comparison on a device gives a record like any other, and leaves nothing there.
  @Test func aComparisonOnADeviceGivesAWholeRecord() throws {
    try withFolder { root in
      let session = try open(root)
      var configuration = Configuration(
        model: try Record.Model(file: model),
        artefact: "tflite",
        variant: "original",
        runtime: "litert"
      )
      configuration.device = "ssh:board"
      var comparison = Comparison(preset: .quick, folder: root, command: [], executable: "")
      comparison.deviceFacts = session.environment
      comparison.makeWorker = { try session.makeWorker(runtime: $0.runtime) }
      let record = try #require(comparison.run([configuration]).first?.record)
      #expect(record.reasons.filter { $0.severity == .error } == [])
      #expect(record.device == "ssh:board")
      #expect(record.samples.count >= 5)
      #expect(record.rounds.count == Preset.quick.rounds)
      #expect(record.initialization.compile.value != nil)
      #expect(record.peakMemoryBytes.value.map { $0 > 0 } == true)
      #expect(record.operators.array?.isEmpty == false)
      #expect(record.environment["transport"] == "local")
      #expect(record.environment["deviceKind"]?.string?.count == 12)
      #expect(session.close())
      #expect(try Host.list(root) == [])
    }
  }

  @Test func whatTheRunnerCannotDoIsSaid() throws {
    try withFolder { root in
      let session = try open(root)
      defer { session.close() }
      let fault = #expect(throws: Diagnostic.self) {
        try session.makeWorker(runtime: "reference")
      }
      #expect(fault?.code == "RUN003")
      let worker = try session.makeWorker(runtime: "litert")
      defer { worker.end() }
      #expect(throws: Diagnostic.self) {
        try worker.ask(.object(["do": "dance"]), seconds: 60)
      }
      try AtomicFile.write("no model", to: root + "/x.tflite")
      let refused = #expect(throws: Diagnostic.self) {
        try worker.ask(
          .object(["do": "load", "runtime": "litert", "path": .string(root + "/x.tflite")]),
          seconds: 20
        )
      }
      #expect(refused?.code == "RTM004")
      // The runner still answers.
      #expect(try worker.ask(.object(["do": "hello"]), seconds: 60)["pid"]?.int != nil)
      // And what it cannot read it says.
      for line in ["", "{", "[1,2", #"{"do":"\u12"}"#, "{\"do\":1e999}", "\u{0}"] {
        #expect(throws: Diagnostic.self) {
          try worker.ask(.object(["do": .string(line)]), seconds: 60)
        }
      }
    }
  }

  @Test(
    arguments: [
      ("aarch64", "glibc 2.36", nil),
      ("aarch64", "glibc 2.31", "glibc 2.31, and LiteRT needs 2.34"),
      ("aarch64", "musl", "musl"), ("aarch64", "bionic, 64 bit", "bionic"),
      ("x86_64", "glibc 2.35", nil), ("x86_64", "glibc 2.31", "glibc 2.31, and LiteRT needs 2.34"),
    ]
  )
  func aCLibraryGoesAlongWhereTheDevicesDoesNotFit(
    architecture: String,
    library: String,
    reason: String?
  ) {
    var facts = DeviceFacts()
    facts.architecture = architecture
    facts.library = library
    let why = RunnerBundle.reason(facts, architecture, nil)
    #expect((why == nil) == (reason == nil))
    if let reason { #expect(why?.contains(reason) == true) }
  }

  @Test(arguments: ["armv7l", "armv8l", "mips", nil])
  func processorsWithoutARunnerAreRefusedByName(architecture: String?) {
    var facts = DeviceFacts()
    facts.architecture = architecture
    let fault = #expect(throws: Diagnostic.self) {
      try RunnerBundle(for: facts, runtime: "litert")
    }
    #expect(fault?.code == "RUN003")
    if let architecture { #expect(fault?.summary.contains(architecture) == true) }
  }
}
