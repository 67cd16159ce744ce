import AssayBase
import AssayData
import AssayHost
import AssayRecord
import AssayTestSupport
import Testing
import VendorTools

/// This machine with the stand-in for trtexec on it, and a cache of its own.
private struct StandIn: ToolHost {
  var mode = ""
  var folder: String
  var name: String { "local" }

  init(_ mode: String = "") throws {
    self.mode = mode
    folder = try Host.makeTemporaryFolder("assay-trtexec")
  }

  func find(_ program: String) -> String? {
    program == "trtexec" ? TestData.fixture("vendor/trtexec") : LocalToolHost().find(program)
  }

  func run(
    _ command: [String],
    environment: [String: String],
    seconds: Double
  ) throws -> ToolOutput {
    try LocalToolHost().run(command, environment: ["FAKE_TRTEXEC": mode], seconds: seconds)
  }

  func put(_ path: String) throws -> String { try LocalToolHost().put(path) }
  func get(_ path: String) throws -> [UInt8]? { try LocalToolHost().get(path) }
  func cacheFolder(_ name: String) throws -> String { folder }

  func network() throws -> String {
    let path = Host.join(folder, "m.onnx")
    try AtomicFile.write("a network", to: path)
    return path
  }
}

@Suite struct TRTExecDriverTests {
  @Test func anEngineIsBuiltOnceAndTimedEachTime() throws {
    let host = try StandIn()
    defer { try? Host.remove(host.folder) }
    let tool = try TRTExec(on: host)
    let target = try tool.target()
    #expect(target.gpu == "Fake GPU" && target.version == "10.2.0")
    var options = TRTExec.Options(precision: .fp16)
    options.shapes = ["x:1x3x8x8"]
    let first = try tool.measure(host.network(), sha256: "0123456789abcdef00", options)
    #expect(first.wasBuilt)
    #expect(first.report.samples.count == 9)
    #expect(first.report.operators.map(\.node) == ["conv + relu", "softmax"])
    #expect(first.report["init.build"]?.value == 1.25)
    #expect(first.report.device == "Fake GPU")
    #expect(Host.name(of: first.engine).hasPrefix("Fake-GPU-10.2.0-0123456789abcdef-fp16-"))
    let build = try #require(first.commands.first)
    #expect(build.contains("--fp16") && build.contains("--skipInference"))
    #expect(build.contains("--shapes=x:1x3x8x8"))
    let again = try tool.measure(host.network(), sha256: "0123456789abcdef00", options)
    #expect(!again.wasBuilt)
    // Another precision, or another network, is another engine.
    options.precision = .int8
    let integers = try tool.measure(host.network(), sha256: "0123456789abcdef00", options)
    #expect(integers.wasBuilt)
    #expect(integers.commands.first?.contains("--int8") == true)
    let built = try #require(Host.smallText(Host.join(host.folder, "built")))
    #expect(built.split(separator: "\n").count == 2)
    #expect(try Host.list(host.folder).allSatisfy { !$0.hasSuffix(".partial") })
  }

  @Test func aFailureIsToldInTrtexecsWords() throws {
    let host = try StandIn("broken")
    defer { try? Host.remove(host.folder) }
    let refusal = #expect(throws: Diagnostic.self) {
      try TRTExec(on: host).measure(host.network(), sha256: "00", TRTExec.Options())
    }
    #expect(refusal?.code == "VND021")
    #expect(refusal?.cause == "Error Code 4: no implementation of a node was found")
  }

  @Test func withoutAGPUNothingIsBuilt() throws {
    let host = try StandIn("nogpu")
    defer { try? Host.remove(host.folder) }
    let refusal = #expect(throws: Diagnostic.self) {
      try TRTExec(on: host).measure(host.network(), sha256: "00", TRTExec.Options())
    }
    #expect(refusal?.code == "VND023")
  }

  @Test func aToolThatHangsIsEnded() throws {
    let output = try LocalToolHost().run(["/bin/sh", "-c", "echo begun; sleep 60"], seconds: 0.3)
    #expect(output.end == nil)
    #expect(output.text == "begun\n")
  }

  @Test func whatAToolPrintsComesInItsOrder() throws {
    let output = try LocalToolHost().run(
      ["/bin/sh", "-c", "echo one; echo two >&2; echo $WORD; exit 3"],
      environment: ["WORD": "three"],
      seconds: 20
    )
    #expect(output.text == "one\ntwo\nthree\n")
    #expect(output.end == .exited(3))
    #expect(!output.isDone)
  }
}

@Suite struct StickTests {
  /// A folder as `/sys/bus/usb/devices` is.
  private func devices(_ ids: [(String, String)]) throws -> String {
    let root = try Host.makeTemporaryFolder("assay-usb")
    for (index, (vendor, product)) in ids.enumerated() {
      let folder = Host.join(root, "1-\(index + 1)")
      try Host.makeFolders(folder)
      try AtomicFile.write(vendor + "\n", to: Host.join(folder, "idVendor"))
      try AtomicFile.write(product + "\n", to: Host.join(folder, "idProduct"))
    }
    return root
  }

  @Test(arguments: [
    ([("1d6b", "0002")], OpenVINO2021.Stick.absent),
    ([("1d6b", "0002"), ("03e7", "2485")], .ready), ([("03e7", "f63b")], .booted),
    ([("03e7", "2150")], .absent),
  ])
  func aStickIsKnownByItsIds(ids: [(String, String)], expected: OpenVINO2021.Stick) throws {
    let root = try devices(ids)
    defer { try? Host.remove(root) }
    #expect(OpenVINO2021.stick(root: root) == expected)
  }
}

/// Real runs, where set-up installed the tools.
@Suite struct InstalledToolTests {
  static let hasVela = (try? Vela()) != nil

  @Test(
    .enabled(if: hasVela, "scripts/setup --vela was not run"),
    .enabled(if: TestData.shared != nil, "no shared data")
  )
  func velaEstimatesAnIntegerNetwork() throws {
    let model = try #require(
      TestData.sharedFile("models/mlperf_tiny/kws_int8.tflite")
        ?? TestData.sharedFile("models/tflite_micro/person_detect.tflite")
    )
    let folder = try Host.makeTemporaryFolder("assay-vela")
    defer { try? Host.remove(folder) }
    let result = try Vela().compile(model, into: folder, Vela.Options()) {
      try CSV.records(of: $0)
    }
    #expect(result.report.origin == .estimated)
    #expect(result.report.device == "Ethos_U55_128")
    let time = try #require(result.report["latency.mean"]?.value)
    #expect(time > 0.0001 && time < 0.1)
    #expect((result.report["operators.npu"]?.value ?? 0) > 5)
    #expect(!result.layers.isEmpty)
    #expect(Host.exists(result.compiled))
  }

  @Test(.enabled(if: hasVela, "scripts/setup --vela was not run"))
  func velaRefusesWhatIsNoNetwork() throws {
    let folder = try Host.makeTemporaryFolder("assay-vela")
    defer { try? Host.remove(folder) }
    let path = Host.join(folder, "no.tflite")
    try AtomicFile.write("not a network", to: path)
    let refusal = #expect(throws: Diagnostic.self) {
      try Vela().compile(path, into: folder, Vela.Options()) { try CSV.records(of: $0) }
    }
    #expect(refusal?.code == "VND021")
  }
}
