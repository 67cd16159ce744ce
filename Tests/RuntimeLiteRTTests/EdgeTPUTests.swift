import AssayBase
import AssayHost
import AssayRuntime
import AssayTensor
import AssayTestSupport
import RuntimeLiteRT
import Testing

/// Edge TPUs within LiteRT, with a library in the place of libedgetpu that implements its interfaces; no
/// such hardware was attached.
@Suite(
  "Edge TPU in LiteRT",
  .serialized,
  .enabled(if: TestData.shared != nil, "set ASSAY_TEST_DATA to the folder of real models"),
  .enabled(if: LiteRTRuntime().probe().isAvailable, "LiteRT is not installed: make setup")
)
struct EdgeTPUTests {
  /// How the stand-in was built: with the layouts of today, of the first years, and without a device.
  enum Build: String, CaseIterable { case new = "NEW", old = "OLD", none = "NONE" }

  /// The stand-ins, made once.
  private static let libraries: [Build: String] = {
    let folders = (Host.environment("PATH") ?? "").split(separator: ":").map { String($0) }
    let compilers = ["cc", "clang", "gcc"].flatMap { name in folders.map { Host.join($0, name) } }
    guard let compiler = compilers.first(where: { Host.exists($0) }),
      let folder = try? Host.makeTemporaryFolder("assay-edgetpu-mock")
    else { return [:] }
    var libraries: [Build: String] = [:]
    for build in Build.allCases {
      let path = Host.join(folder, "lib\(build.rawValue).so")
      let process = try? ChildProcess(
        compiler,
        [
          "-shared", "-fPIC", "-D\(build.rawValue)", "-o", path,
          TestData.fixture("edgetpu/mockedgetpu.c"),
        ],
        descriptors: [1: 1, 2: 2]
      )
      if process?.wait() == .exited(0) { libraries[build] = path }
    }
    return libraries
  }()

  private func library(_ build: Build) throws -> String {
    try #require(Self.libraries[build], "a C compiler is needed for the stand-in")
  }

  private func load(
    _ model: String,
    _ build: Build = .new,
    _ settings: [String: String] = [:],
    isProfiling: Bool = false
  ) throws -> any Session {
    var settings = settings
    settings["library"] = try library(build)
    return try LiteRTRuntime().load(
      path: try #require(TestData.sharedFile("models/" + model)),
      options: SessionOptions(provider: .tpu, isProfiling: isProfiling, settings: settings)
    )
  }

  private func number(_ build: Build, _ function: String) throws -> Int {
    let shared = try SharedLibrary(path: library(build))
    let address = unsafe try #require(unsafe shared.symbol(function))
    let call = unsafe unsafeBitCast(address, to: (@convention(c) () -> Int32).self)
    return Int(call())
  }

  @Test(arguments: [Build.new, Build.old])
  func aCompiledModelRunsThroughTheDelegate(build: Build) throws {
    let before = try number(build, "mock_live")
    func use() throws {
      let session = try load("coral/mobilenet_v1_0.25_128_quant_edgetpu.tflite", build)
      #expect(session.inputs.map(\.type.shape) == [[1, 128, 128, 3]])
      let runs = try number(build, "mock_runs")
      for _ in 0..<3 { try session.runOnce() }
      #expect(try number(build, "mock_runs") - runs == 3)
      let output = try session.readOutput(0).array
      #expect(output == (0..<1001).map { UInt8($0 % 100) })
      #expect(session.placement.provider == "Edge TPU")
      #expect(session.placement.placed == 1 && session.placement.total == 1)
      #expect(try number(build, "mock_live") == before + 1)
      #expect(try number(build, "mock_kernels") == 1)
      #expect(session.accelerator?["runtimeVersion"]?.int == (build == .old ? 13 : 14))
    }
    try use()
    // The delegate goes with its session.
    #expect(try number(build, "mock_live") == before)
    #expect(try number(build, "mock_kernels") == 0)
  }

  @Test func whatWasCompiledForTheProcessorRunsThere() throws {
    let session = try load("coral/deeplabv3_mnv2_dm05_pascal_quant_edgetpu.tflite")
    try session.runOnce()
    #expect(session.placement.placed == 1 && session.placement.total == 9)
    #expect(session.placement.notes.contains(Placement.asCompiled))
    // Classes of each pixel, by the operators that stayed.
    let output = try session.readOutput(0)
    #expect(output.count == 513 * 513 * 8)
    let classes = Set(try (0..<1000).map { try output.load(Int64.self, at: $0 * 8 * 263) })
    #expect(classes.allSatisfy { (0..<21).contains($0) })
  }

  @Test func theProfileNamesTheDelegate() throws {
    let session = try load(
      "coral/deeplabv3_mnv2_dm05_pascal_quant_edgetpu.tflite",
      isProfiling: true
    )
    let times = try session.profile(runs: 2)
    #expect(times.contains { $0.kind == "EdgeTpuDelegateForCustomOp" })
    #expect(session.placement.placed == 1)
  }

  @Test func clocksAreHandedOn() throws {
    for (clock, word) in [("standard", "High"), ("maximum", "Max"), ("low", "Low")] {
      let session = try load("coral/split_concat_edgetpu.tflite", .new, ["clock": clock])
      #expect(session.accelerator?["clock"]?.string == clock)
      let shared = try SharedLibrary(path: library(.new))
      let address = unsafe try #require(unsafe shared.symbol("mock_performance"))
      let call = unsafe unsafeBitCast(
        address,
        to: (@convention(c) () -> UnsafePointer<CChar>).self
      )
      #expect(unsafe String(cString: call()) == word)
    }
    let usual = try load("coral/split_concat_edgetpu.tflite")
    #expect(usual.accelerator?["clock"] == nil && usual.accelerator?["bus"]?.string == "usb")
  }

  private func finding(_ body: () throws -> Void) -> Diagnostic? {
    do { try body() } catch { return error as? Diagnostic }
    return nil
  }

  @Test func whatStandsInTheWayIsTold() throws {
    let model = "coral/split_concat_edgetpu.tflite"
    let none = finding { _ = try load(model, .none) }
    #expect(none?.code == "RTM006" && none?.summary.contains("finds no Edge TPU") == true)
    let busy = finding { _ = try load(model, .new, ["device": "pci"]) }
    #expect(
      busy?.code == "RTM006" && busy?.summary.contains("/dev/apex_0 cannot be opened") == true
    )
    let clock = finding { _ = try load(model, .new, ["clock": "warp"]) }
    #expect(clock?.remedy?.contains("standard") == true)
    let device = finding { _ = try load(model, .new, ["device": "usb:4"]) }
    #expect(device?.summary.contains("usb:4") == true)
    let plain = finding { _ = try load("coral/split_concat.tflite") }
    #expect(plain?.code == "RTM008" && plain?.remedy?.contains("assay edgetpu") == true)
    let absent = finding {
      _ = try LiteRTRuntime().load(
        path: try #require(TestData.sharedFile("models/" + model)),
        options: SessionOptions(provider: .tpu, settings: ["library": "/nowhere/libedgetpu.so.1"])
      )
    }
    #expect(absent?.summary.contains("libedgetpu is not installed") == true)
    #expect(absent?.remedy?.contains("libedgetpu1-std") == true)
    let other = finding {
      _ = try LiteRTRuntime().load(
        path: try #require(TestData.sharedFile("models/" + model)),
        options: SessionOptions(provider: .tpu, settings: ["library": "libm.so.6"])
      )
    }
    #expect(other?.summary.contains("not libedgetpu") == true)
  }

  @Test func sessionsComeAndGo() throws {
    for _ in 0..<20 {
      let session = try load("coral/split_concat_edgetpu.tflite")
      try session.runOnce()
    }
    #expect(try number(.new, "mock_live") == 0)
  }
}
