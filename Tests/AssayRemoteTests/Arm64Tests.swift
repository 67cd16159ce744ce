import AssayBase
import AssayBench
import AssayDevice
import AssayHost
import AssayRuntime
import AssayTensor
import AssayTestSupport
import RuntimeLiteRT
import RuntimeOnnxRuntime
import RuntimeOpenVINO
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
    try agrees(session, OnnxRuntime(), ["network.onnx", "outside.onnx"])
    try agrees(session, OpenVINORuntime(), ["network.onnx"])
  }

  /// A runtime's wheel for Arm, brought there: floats agree to rounding.
  private func agrees(
    _ device: DeviceSession,
    _ local: any InferenceRuntime,
    _ models: [String]
  ) throws {
    if let reason = device.refusal(of: local.id) {
      print("skipping \(local.id) on the emulated Arm system: \(reason.summary)")
      return
    }
    guard local.probe().isAvailable else { return }
    let id = local.id
    let runtime = WorkerRuntime(id: id, formats: ["onnx"]) { try device.makeWorker(runtime: id) }
    for name in models {
      let path = TestData.package + "/Tests/Goldens/runtimes/" + name
      let here = try local.load(path: path, options: SessionOptions())
      let there = try runtime.load(path: path, options: SessionOptions())
      #expect(there.inputs == here.inputs && there.outputs == here.outputs)
      let image = Tensor((0..<192).map { Float(37 * $0 % 101) / 101 }, [1, 3, 8, 8])
      for session in [here, there] {
        try session.write(image.bytes, toInput: 0)
        try session.runOnce()
      }
      for index in here.outputs.indices {
        let pair = try zip(here.output(index).floats(), there.output(index).floats())
        #expect(pair.allSatisfy { abs($0 - $1) < 1e-6 }, "\(id) \(name)")
      }
    }
  }
}
