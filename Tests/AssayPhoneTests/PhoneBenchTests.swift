import AssayADB
import AssayBase
import AssayDevice
import AssayHost
import AssayMeter
import AssayRecord
import AssayTestSupport
import DeviceADB
import PhoneEmulation
import Synchronization
import Testing
import VendorPhone

@testable import AssayPhone

/// What a benchmark_model whose GPU delegate takes all of a model prints.
private let gpuText = """
  INFO: STARTING!
  INFO: Graph: [m.tflite]
  INFO: Use gpu: [1]
  INFO: Loaded model m.tflite
  INFO: GPU delegate created.
  VERBOSE: Replacing 66 out of 66 node(s) with delegate (TfLiteGpuDelegateV2) node, yielding 1 partitions.
  INFO: Explicitly applied GPU delegate, and the model graph will be completely executed by the delegate.
  INFO: The input model file size (MB): 13.9233
  INFO: Initialized session in 812.441ms.
  INFO: Running benchmark for at least 1 iterations and at least 0.5 seconds
  INFO: count=94 first=9011 curr=5171 min=5101 max=9011 avg=5311.42 std=410 p5=5121 median=5231 p95=5901
  INFO: Running benchmark for at least 50 iterations and at least 1 seconds
  INFO: count=189 first=5201 curr=5188 min=5099 max=6120 avg=5271.03 std=130 p5=5130 median=5240 p95=5511
  INFO: Inference timings in us: Init: 812441, First inference: 9011, Warmup (avg): 5311.42, Inference (avg): 5271.03
  INFO: Memory footprint delta from the start of the tool (MB): init=94.2031 overall=94.5
  """

/// An emulated phone with a stand-in for the tool, whose script is `body`.
private func withBench(
  tool body: String,
  kind: String = "benchmark_model",
  properties: [String: String] = EmulatedPhone.pixel,
  _ test: (PhoneSession, PhoneBench, EmulatedPhone, String) throws -> Void
) throws {
  let folder = try Host.makeTemporaryFolder("assay-bench")
  defer { try? Host.remove(folder) }
  let phone = try EmulatedPhone(
    serial: "0A1B2C3D4E5F",
    root: Host.join(folder, "phone"),
    properties: properties
  )
  let emulated = try EmulatedServer([phone])
  defer { emulated.end() }
  let device = try ADBDevice(
    .adb(serial: phone.serial),
    server: ADBServer(port: emulated.port, patience: 60)
  )
  let program = Host.join(folder, "tool")
  try AtomicFile.write("#!/bin/sh\n" + body + "\n", to: program)
  let model = Host.join(folder, "model.tflite")
  try AtomicFile.write("the model's bytes", to: model)
  let hash = sha256(try MappedFile(path: program).view)
  try AtomicFile.write(
    """
    {"tools": [{"name": "t", "kind": "\(kind)", "path": "\(program)", "abis": ["arm64-v8a"],
    "sha256": "\(hash)", "at": 1}]}
    """,
    to: Host.join(folder, "tools.json")
  )
  let session = try PhoneSession(device, quarantine: DeviceQuarantine(home: folder))
  let bench = PhoneBench(session, try ToolShelf(home: folder))
  try test(session, bench, phone, model)
  #expect(session.close())
  // What the user had there stays, what was ours is gone.
  #expect(phone.files() == [])
  #expect(eventually { phone.processes().isEmpty })
}

@Suite struct PhoneBenchTests {
  private func script(_ text: String, after: String = "") -> String {
    "cat <<'TEXT'\n\(text)\nTEXT\n\(after)"
  }

  @Test func aGPUThatTookAllIsARecord() throws {
    try withBench(tool: script(gpuText)) { _, bench, phone, model in
      try phone.put("  level: 83\n", at: "/../dumpsys_none.txt")
      let job = PhoneBench.Job(
        model: model,
        variant: "float16",
        request: BenchmarkModelRequest(provider: .gpu, threads: 4)
      )
      let record = try bench.run(job)
      #expect(record.verdict == .valid, "\(record.reasons)")
      #expect(record.provider == "gpu")
      #expect(record.variant == "float16")
      #expect(record.threads == 4)
      #expect(record.placement["provider"] == "GPU")
      #expect(record.placement["placed"] == 66)
      #expect(record.initialization.compile == .value(812_441_000))
      #expect(record.initialization.first == .value(9_011_000))
      #expect(record.summary.mean == .value(5_271_030))
      #expect(record.summary.p50.value?.value == 5_240_000)
      #expect(record.summary.minimum == .value(5_099_000))
      #expect(record.peakMemoryBytes == .value(99_090_432))
      #expect(record.samples.isEmpty)
      #expect(record.environment["transport"] == "usb")
      #expect(record.environment["deviceModel"] == "Google Pixel 6")
      #expect(record.environment["phoneBefore"]?["uptimeSeconds"]?.double != nil)
      #expect(try Record(json: record.json) == record)
    }
  }

  @Test func aFlagThatTheToolIgnoresIsInvalid() throws {
    let text = """
      INFO: STARTING!
      WARN: Unconsumed cmdline flags: --use_gpu=true
      INFO: Loaded model m
      INFO: Inference timings in us: Init: 1, First inference: 3, Warmup (avg): 2, Inference (avg): 2
      """
    try withBench(tool: script(text)) { _, bench, _, model in
      let job = PhoneBench.Job(model: model, request: BenchmarkModelRequest(provider: .gpu))
      let record = try bench.run(job)
      #expect(record.verdict == .invalid)
      let codes = record.reasons.filter { $0.severity == .error }.map(\.code)
      #expect(codes == ["BMK012", "BMK013"])
    }
  }

  @Test func aCrashAndATextOfNothingAreReasons() throws {
    let begun = "INFO: STARTING!\nINFO: Loaded model m\nINFO: EXTERNAL delegate created."
    try withBench(tool: script(begun, after: "kill -SEGV $$")) { _, bench, _, model in
      let job = PhoneBench.Job(model: model, request: BenchmarkModelRequest(provider: .gpu))
      let record = try bench.run(job)
      #expect(record.reasons.first?.code == "BMK015")
      #expect(record.verdict == .invalid)
    }
    try withBench(tool: "echo cannot execute >&2; exit 126") { _, bench, _, model in
      let record = try bench.run(PhoneBench.Job(model: model, request: BenchmarkModelRequest()))
      #expect(record.reasons.first?.code == "BMK010")
      #expect(record.reasons.first?.cause?.contains("cannot execute") == true)
    }
  }

  @Test func aLostConnectionCostsNothing() throws {
    try withBench(tool: script(gpuText, after: "sleep 0.2")) { _, bench, phone, model in
      phone.faults.withLock {
        $0.cutOneIn = 5
        $0.absence = 10
      }
      defer { phone.faults.withLock { $0.cutOneIn = 0 } }
      for _ in 0..<3 {
        let record = try bench.run(
          PhoneBench.Job(model: model, request: BenchmarkModelRequest(provider: .gpu))
        )
        #expect(record.verdict == .valid, "\(record.reasons)")
      }
    }
  }

  @Test func emulatorsAreTaggedInEveryRecord() throws {
    let properties = EmulatedPhone.pixel.merging(["ro.kernel.qemu": "1"]) { $1 }
    try withBench(tool: script(gpuText), properties: properties) { session, bench, _, model in
      #expect(session.facts.emulator != nil)
      let job = PhoneBench.Job(model: model, request: BenchmarkModelRequest(provider: .gpu))
      let record = try bench.run(job)
      #expect(record.environment["emulator"]?.string?.contains("ro.kernel.qemu") == true)
      #expect(record.environment["emulated"] == true)
      #expect(record.reasons.contains { $0.code == "PHN015" })
    }
  }

  @Test func theAppIsInstalledMeasuredAndRemoved() throws {
    try withBench(tool: "", kind: "benchmark-apk") { _, bench, phone, model in
      let root = phone.root
      try phone.stub(
        "pm",
        """
        case "$1" in
        path) [ -e '\(root)/installed' ] && echo package:/data/app/b.apk;;
        install) touch '\(root)/installed'; echo Success;;
        uninstall) rm -f '\(root)/installed'; echo Success;;
        esac
        """
      )
      try phone.stub("pidof", "[ -e '\(root)/running' ]")
      try phone.stub(
        "am",
        """
        [ "$1" = force-stop ] && { rm -f '\(root)/running'; exit 0; }
        echo "$7" >'\(root)/arguments'
        p='11-20 15:00:01.006 217 217 I'
        {
        echo "$p tflite_BenchmarkModelActivity: Running TensorFlow Lite benchmark with args: $7"
        echo "$p tflite  : Running benchmark for at least 1 iterations"
        echo "$p tflite  : count=28 first=22111 curr=17521 min=17401 max=22111 avg=17911.2 std=870"
        echo "$p tflite  : Running benchmark for at least 50 iterations"
        echo "$p tflite  : count=57 first=17501 curr=17499 min=17402 max=18011 avg=17561.3 std=101"
        echo "$p tflite  : Inference timings in us: Init: 10071, First inference: 22111, \
        Warmup (avg): 17911.2, Inference (avg): 17561.3"
        echo "$p tflite  : Memory footprint delta from the start of the tool (MB): init=1.8 overall=31.1"
        } >'\(root)/logcat.txt'
        echo Starting
        """
      )
      let job = PhoneBench.Job(
        model: model,
        request: BenchmarkModelRequest(threads: 4),
        usesApp: true
      )
      let record = try bench.run(job)
      #expect(record.verdict == .valid, "\(record.reasons)")
      #expect(record.summary.mean == .value(17_561_300))
      #expect(record.runtime == "benchmark-apk")
      #expect(!Host.exists(root + "/installed"))
      let words = Host.smallText(root + "/arguments") ?? ""
      #expect(words.hasPrefix("\"--graph="))
      #expect(words.contains("--num_threads=4"))
      // The user's own copy stays.
      try AtomicFile.write("", to: root + "/installed")
      _ = try bench.run(job)
      #expect(Host.exists(root + "/installed"))
    }
  }

  @Test func givenInputsBringOutputsBack() throws {
    let body = """
      for a in "$@"; do case "$a" in
      --input_layer_value_files=*) in=${a##*:};;
      --output_filepath=*) out=${a#*=};;
      --input_layer=*) echo "names ${a#*=}" >&2;;
      esac; done
      cat "$in" "$in" >"$out"
      """ + "\n" + script(gpuText.replacing("Use gpu: [1]", with: "x"))
    try withBench(tool: body) { _, bench, phone, model in
      let file = model + ".raw"
      try AtomicFile.write("abc", to: file)
      let job = PhoneBench.Job(model: model, request: BenchmarkModelRequest(provider: .gpu))
      let inference = try bench.infer(
        job,
        [PhoneBench.GivenInput(name: "image:0", shape: [1, 3], file: file)]
      )
      #expect(String(decoding: inference.outputs, as: UTF8.self) == "abcabc")
      #expect(inference.run.timings?.inference?.text == "5271.03")
      #expect(throws: Diagnostic.self) {
        try bench.infer(job, [PhoneBench.GivenInput(name: "a,b", shape: [1], file: file)])
      }
    }
  }

  @Test func energyIsThatOfTheMeasuredRuns() throws {
    var run = try BenchmarkModelRun(parsing: gpuText)
    run.measured?.count = 1000
    let accuracy = MeterAccuracy(gain: 0.01, isIntegrating: true, source: "test")
    var trace = PowerTrace(
      identity: MeterIdentity(driver: "phone-rails", name: "test"),
      channels: [MeterChannel("all", .energy, .platform, isPrimary: true, accuracy: accuracy)],
      clock: .host,
      period: 100_000_000
    )
    // Half a watt idle, three while it measures: from 10 s to 15.27 s.
    let (begin, end) = (10.0, 10 + 5.27103)
    for step in 0...250 {
      let time = Double(step) / 10
      let busy = min(max(time - begin, 0), end - begin)
      trace.append(Int64(time * 1e9), [0.5 * time + 2.5 * busy])
    }
    let readings = PhoneEnergy.Readings(
      traces: [trace],
      rests: [1_000_000_000...9_000_000_000, 17_000_000_000...24_000_000_000],
      offset: -100_000_000_000,
      offsetUncertainty: 1_000_000
    )
    let told = readings.energy(of: run, processEnd: 100 + end)
    let energy = try #require(told.energy.first)
    let each = try #require(energy.perInference.value).value
    #expect(abs(each - 3 * 5.27103e-3) < 1e-4)
    let net = try #require(energy.netPerInference.value).value
    #expect(abs(net - 2.5 * 5.27103e-3) < 1e-4)
    #expect(readings.energy(of: run, processEnd: nil).findings.map(\.code) == ["PHN020"])
  }

  @Test func aFedPhoneHasNoFuelGauge() throws {
    try withBench(tool: "") { session, _, phone, _ in
      let folder = "/sys/class/power_supply/battery/"
      for (name, text) in [
        ("current_now", "-412500"), ("voltage_now", "4163000"), ("status", "Charging"),
      ] {
        try phone.put(text + "\n", at: folder + name)
      }
      let meter = PhoneMeter(session.device, .battery)
      guard case .unavailable(let reason, let remedy) = meter.probe() else {
        Issue.record("a fed phone's gauge is no meter")
        return
      }
      #expect(reason.contains("fed"))
      #expect(remedy.contains("wireless"))
      try phone.put("Discharging\n", at: folder + "status")
      #expect(meter.probe() == .available(version: "battery"))
      try phone.put(
        "t=1000\nCH0(T=1000)[VDD_TPU], 4200000\nCH1(T=1000)[VDD_CPU], 17\n",
        at: "/sys/bus/iio/devices/iio:device0/energy_value"
      )
      guard case .available(let names) = PhoneMeter(session.device, .rails).probe() else {
        Issue.record("rails are not seen")
        return
      }
      #expect(names.hasPrefix("all rails, VDD_TPU"))
    }
  }
}
