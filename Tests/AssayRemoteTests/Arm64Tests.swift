import AssayBase
import AssayBench
import AssayDevice
import AssayHost
import AssayRuntime
import AssayTensor
import AssayTestSupport
import RuntimeLiteRT
import Testing

@testable import AssayRemote

/// Into a whole system for 64-bit Arm, run by emulation, over a real ssh server: for function, never for
/// speed.
@Suite(
  .enabled(if: Host.environment("ASSAY_ARM64") != nil, "ASSAY_ARM64 is not set"),
  .enabled(if: LiteRTRuntime().probe().isAvailable, "LiteRT is not installed: run `make setup`"),
  .enabled(if: TestData.shared != nil, "the shared test data is absent")
)
struct Arm64Tests {
  /// The measure: outputs of networks in integers are byte for byte those of x86-64.
  @Test func outputsInIntegersAreThoseOfThisMachine() throws {
    let server: SSHServer
    do {
      server = try SSHServer(root: nil, script: "arm64.sh", seconds: 1200)
    } catch let reason as Diagnostic {
      print("skipping the test with an emulated Arm system: \(reason.summary)")
      return
    }
    let device = try server.device(root: "/tmp")
    let session = try DeviceSession(device, server.settings(root: "/tmp"))
    defer { session.close() }
    #expect(session.facts.architecture == "aarch64")
    if let reason = session.refusal(of: "litert") {
      print("skipping the test with an emulated Arm system: \(reason.summary)")
      return
    }
    let runtime = WorkerRuntime(id: "litert", formats: ["tflite"]) {
      try session.makeWorker(runtime: "litert")
    }
    for name in ["ad01_int8", "kws_int8", "resnet8_cifar10_int8", "vww_96_int8"] {
      let path = try #require(TestData.sharedFile("models/mlperf_tiny/\(name).tflite"))
      let here = try LiteRTRuntime().load(path: path, options: SessionOptions())
      let there = try runtime.load(path: path, options: SessionOptions())
      #expect(there.inputs == here.inputs)
      var random = SeededRNG(seed: 11)
      for _ in 0..<3 {
        let count = here.inputs[0].type.byteCount ?? 0
        let bytes = ByteView((0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) })
        try here.write(bytes, toInput: 0)
        try there.write(bytes, toInput: 0)
        try here.runOnce()
        try there.runOnce()
        #expect(try there.readOutput(0).array == here.readOutput(0).array, "\(name)")
      }
    }
  }
}
