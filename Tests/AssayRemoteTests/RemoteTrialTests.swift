import AssayBase
import AssayBench
import AssayCodec
import AssayDevice
import AssayHost
import AssayMeter
import AssayRecord
import AssayRuntime
import AssayTensor
import AssayTestSupport
import RuntimeLiteRT
import Testing

@testable import AssayRemote

private let model = TestData.sharedFile("models/mlperf_tiny/ad01_int8.tflite") ?? ""

/// What `bench` can do on this machine, on a device.
@Suite(
  .serialized,
  .enabled(if: hasRunner, "the runner is not built"),
  .enabled(if: LiteRTRuntime().probe().isAvailable, "LiteRT is not installed: run `make setup`"),
  .enabled(if: TestData.shared != nil, "the shared test data is absent")
)
struct RemoteTrialTests {
  private func measure(
    _ root: String,
    _ change: (inout Configuration, inout Comparison) -> Void
  ) throws -> Record {
    var settings = DeviceSettings()
    settings.root = root
    let session = try DeviceSession(LocalDevice(settings), settings)
    defer { session.close() }
    var configuration = Configuration(
      model: try Record.Model(file: model),
      artefact: "tflite",
      variant: "original",
      runtime: "litert"
    )
    configuration.device = "ssh:board"
    let short = BlockLimits(
      minimumCount: 20,
      minimumNanoseconds: 50_000_000,
      maximumNanoseconds: 200_000_000
    )
    var comparison = Comparison(
      preset: Preset(name: "quick", rounds: 2, block: short, warmup: short, rewarmNanoseconds: 0),
      profiledRuns: 0,
      folder: root,
      command: [],
      executable: ""
    )
    comparison.deviceFacts = session.environment
    comparison.makeWorker = {
      try session.makeWorker(runtime: $0.runtime, provider: $0.provider)
    }
    change(&configuration, &comparison)
    return try #require(comparison.run([configuration]).first?.record)
  }

  @Test(arguments: [("server", 2), ("offline", 3), ("multi-stream", 1)])
  func scenariosAreThoseOfTheHost(kind: String, streams: Int) throws {
    try withFolder { root in
      let record = try measure(root) { configuration, _ in
        let kind = Record.Scenario.Kind(rawValue: kind) ?? .server
        configuration.scenario = Record.Scenario(kind, streams: streams)
        configuration.scenario?.ratePerSecond = 500
      }
      // What a busy machine does to so few samples is not what is asked here.
      let faults = record.reasons.filter { $0.severity == .error && $0.code != "BEN108" }
      #expect(faults == [])
      #expect(record.rounds.count == 2 && record.samples.count >= 40)
      if kind == "server" {
        // The rate and the limits say how many arrive: as many as on the host.
        #expect(record.rounds == [25, 25])
        #expect((record.scenario?.serviceTime ?? 0) > 0)
      }
    }
  }

  @Test func selfTestsAndColdStartsAreMadeThere() throws {
    try withFolder { root in
      let record = try measure(root) { configuration, comparison in
        comparison.audits = true
        comparison.starts = 1
      }
      let audit = try #require(record.audit)
      #expect(audit.compared > 10 && audit.differing == 0 && audit.samples == 8)
      let phases = try #require(record.phases)
      #expect(phases.warm.count == 1)
      // A file system in memory forgets nothing, and says so.
      #expect(phases.cold.count == 1 || phases.coldReason != nil)
      #expect(record.reasons.filter { $0.code == "BEN153" || $0.code == "BEN116" } == [])
    }
  }

  /// Windows of a device are told by this machine's clock, so that a meter here finds them.
  @Test func aMeterBesideTheDeviceLooksOn() throws {
    try withFolder { root in
      let begin = Int64(Host.monotonicNanoseconds())
      let record = try measure(root) { _, comparison in
        let plan = EnergyPlan(
          meters: [.init(VirtualMeter(), MeterOptions(rate: 200))],
          leastRestSeconds: 0.05
        )
        if let watcher = try? EnergyWatcher(plan) { comparison.watchers.append(watcher) }
      }
      let end = Int64(Host.monotonicNanoseconds())
      #expect(record.windows.count == 2)
      #expect(record.windows.allSatisfy { $0.begin > begin && $0.end < end && $0.end > $0.begin })
      let uncertainty = try #require(record.environment["clockUncertaintyNs"]?.double)
      #expect(uncertainty > 0 && uncertainty < 1e8)
      #expect(record.energy.count == 1)
    }
  }

  @Test func clocksAreJoinedByTheMiddleOfARoundTrip() {
    let now = Host.monotonicNanoseconds()
    let clock = DeviceClock(there: 1_000_000, start: now &- 40_000, end: now)
    #expect(clock.span == 40_000)
    #expect(clock.here(1_000_000) == Int64(now) - 20_000)
    #expect(clock.here(3_000_000) == Int64(now) - 20_000 + 2_000_000)
    // Half of the way there and back, and a little for what clocks part by.
    #expect(clock.uncertainty >= 20_000 / 3.0.squareRoot())
    #expect(clock.isFresh)
  }

  @Test func aBoardsOwnSensorsAreRead() throws {
    try withFolder { root in
      let files = [
        "hwmon/hwmon0/name": "ina226\n", "hwmon/hwmon0/power1_input": "2500000\n",
        "hwmon/hwmon0/power1_label": "VBAT\n", "hwmon/hwmon1/name": "ina3221\n",
        "hwmon/hwmon1/in1_input": "5000\n", "hwmon/hwmon1/curr1_input": "300\n",
        "hwmon/hwmon1/in1_label": "VDD_IN\n", "hwmon/hwmon2/name": "acpitz\n",
        "hwmon/hwmon2/temp1_input": "40000\n",
      ]
      for (name, text) in files {
        try Host.makeFolders(Host.folder(of: root + "/sys/class/" + name))
        try AtomicFile.write(text, to: root + "/sys/class/" + name)
      }
      let meter = BoardMeter(LocalDevice(), root: root)
      let reader = try meter.open(MeterOptions())
      #expect(reader.channels.map(\.name) == ["all sensors", "VBAT", "VDD_IN"])
      var trace = PowerTrace(
        identity: reader.identity,
        channels: reader.channels,
        clock: .host,
        period: reader.period
      )
      try reader.read(into: &trace, until: .max)
      #expect(trace.values.map { ($0[0] * 1e6).rounded() / 1e6 } == [4, 2.5, 1.5])
      // Counters that begin anew go on, and go before sensors of power.
      let folder = root + "/sys/class/powercap/intel-rapl:0"
      try Host.makeFolders(folder)
      try AtomicFile.write("package-0\n", to: folder + "/name")
      try AtomicFile.write("10000000\n", to: folder + "/max_energy_range_uj")
      try AtomicFile.write("9000000\n", to: folder + "/energy_uj")
      let counter = try meter.open(MeterOptions())
      var joules = PowerTrace(
        identity: counter.identity,
        channels: counter.channels,
        clock: .host,
        period: counter.period
      )
      try counter.read(into: &joules, until: .max)
      try AtomicFile.write("1000000\n", to: folder + "/energy_uj")
      try counter.read(into: &joules, until: .max)
      #expect(counter.channels.map(\.name) == ["all sensors", "package-0"])
      #expect(joules.values == [[9, 11], [9, 11]])
    }
    #expect(
      BoardReading("  VDD_CORE_A current(7)=2.0A\n VDD_CORE_V volt(15)=0.5V\nW\tx\tnan\nJ\t\t5")
        .figures.map(\.value) == [1]
    )
  }

  /// The stand-in for libedgetpu, built for this machine, is loaded by the runner on the device.
  @Test func anEdgeTPUOnTheDeviceIsUsed() throws {
    guard
      let compiled = TestData.sharedFile(
        "models/coral/mobilenet_v1_0.25_128_quant_edgetpu.tflite"
      )
    else { return }
    try withFolder { root in
      let library = root + "/libedgetpu-mock.so"
      let made = try LocalDevice().run(
        "for c in cc clang gcc; do command -v $c >/dev/null && exec $c -shared -fPIC -DNEW -o "
          + Words.shell([library, TestData.fixture("edgetpu/mockedgetpu.c")]) + "; done; exit 9",
        seconds: 60
      )
      guard made.status == 0 else {
        print("skipping the Edge TPU on a device: there is no C compiler")
        return
      }
      var settings = DeviceSettings()
      settings.root = root
      settings.libraries = ["edgetpu": library]
      let session = try DeviceSession(LocalDevice(settings), settings)
      defer { session.close() }
      let worker = try session.makeWorker(runtime: "litert", provider: .tpu)
      defer { worker.end() }
      func load(_ path: String, _ members: JSON) throws -> JSON {
        try worker.ask(
          .object([
            "do": "load", "runtime": "litert", "provider": "tpu", "path": .string(path),
            "settings": members,
          ]),
          seconds: 60
        )
      }
      let answer = try load(compiled, .object(["clock": "maximum"]))
      #expect(answer["placement"]?["provider"] == "Edge TPU")
      #expect(answer["placement"]?["placed"] == 1 && answer["placement"]?["total"] == 1)
      #expect(answer["accelerator"]?["clockMHz"] == 500)
      #expect(answer["accelerator"]?["runtimeVersion"] == 14)
      _ = try worker.ask(.object(["do": "feed"]), seconds: 60)
      _ = try worker.ask(.object(["do": "first"]), seconds: 60)
      let outputs = root + "/out.npz"
      _ = try worker.ask(.object(["do": "read", "outputs": .string(outputs)]), seconds: 60)
      let found = try NPZ.read(try MappedFile(path: outputs).view).first?.tensor.bytes.array
      #expect(found == (0..<1001).map { UInt8($0 % 100) })
      // What cannot be is said, and the runner lives on.
      for (path, members, code) in [
        (model, JSON.emptyObject, "RTM008"), (compiled, JSON.object(["clock": "warp"]), "RTM006"),
        (compiled, .object(["library": "/no/such.so"]), "RTM006"),
        (compiled, .object(["device": "usb:7"]), "RTM006"),
      ] {
        let fault = #expect(throws: Diagnostic.self) { try load(path, members) }
        #expect(fault?.code == code)
      }
      #expect(try worker.ask(.object(["do": "accelerator"]), seconds: 60)["ok"] == true)
    }
  }
}
