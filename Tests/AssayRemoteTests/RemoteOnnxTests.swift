import AssayBase
import AssayBench
import AssayDevice
import AssayHost
import AssayRuntime
import AssayTensor
import AssayTestSupport
import RuntimeOnnxRuntime
import Testing

@testable import AssayRemote

private let goldens = TestData.package + "/Tests/Goldens/runtimes/"

/// ONNX Runtime driven by the runner: names, types, outputs and profile are those of this machine.
@Suite(
  .serialized,
  .enabled(if: hasRunner, "the runner is not built"),
  .enabled(if: OnnxRuntime().probe().isAvailable, "ONNX Runtime is not installed: run `make setup`")
)
struct RemoteOnnxTests {
  private func open(_ root: String) throws -> (session: DeviceSession, runtime: WorkerRuntime) {
    var settings = DeviceSettings()
    settings.root = root
    let session = try DeviceSession(LocalDevice(settings), settings)
    let runtime = WorkerRuntime(id: "onnxruntime", formats: ["onnx"]) {
      try session.makeWorker(runtime: "onnxruntime")
    }
    return (session, runtime)
  }

  /// Weights in a file of their own go along, by the name that the model has for them.
  @Test(arguments: ["network.onnx", "outside.onnx"])
  func outputsAreThoseOfThisMachine(name: String) throws {
    try withFolder { root in
      let (device, runtime) = try open(root)
      #expect(device.refusal(of: "onnxruntime") == nil)
      let remote = try runtime.load(path: goldens + name, options: SessionOptions(threads: 2))
      let local = try OnnxRuntime().load(path: goldens + name, options: SessionOptions(threads: 2))
      #expect(remote.inputs == local.inputs)
      #expect(remote.outputs == local.outputs)
      #expect(remote.placement.provider == "CPUExecutionProvider")
      #expect(remote.placement.notes == local.placement.notes)
      let image = Tensor((0..<192).map { Float(37 * $0 % 101) / 101 }, [1, 3, 8, 8])
      for session in [remote, local] { try session.write(image.bytes, toInput: 0) }
      try local.runOnce()
      #expect(try remote.timedRuns(5).count == 5)
      try remote.runOnce()
      for index in local.outputs.indices {
        #expect(try remote.readOutput(index).array == local.readOutput(index).array)
      }
      #expect(device.close())
      #expect(try Host.list(root) == [])
    }
  }

  @Test func openExtentsShowWhenTheModelHasRun() throws {
    try withFolder { root in
      let (device, runtime) = try open(root)
      defer { device.close() }
      let session = try runtime.load(path: goldens + "places.onnx", options: SessionOptions())
      for (values, rows) in [
        ([0, 1, 0, 2, 0, 3] as [Float], [0, 1, 1, 1, 0, 2]), ([0, 0, 0, 0, 0, 1], [1, 2]),
      ] {
        try session.write(Tensor(values, [2, 3]).bytes, toInput: 0)
        try session.runOnce()
        _ = try session.readOutput(0)
        let output = try session.output(0)
        #expect(output.shape == [2, rows.count / 2])
        #expect(output.integers() == rows)
      }
    }
  }

  @Test func operatorsHaveTheirTimesThere() throws {
    try withFolder { root in
      let device = try open(root).session
      defer { device.close() }
      let worker = try device.makeWorker(runtime: "onnxruntime")
      defer { worker.end() }
      let path = JSON.string(goldens + "network.onnx")
      _ = try worker.ask(
        .object(["do": "load", "runtime": "onnxruntime", "path": path]),
        seconds: 60
      )
      _ = try worker.ask(.object(["do": "feed"]), seconds: 60)
      let told = try worker.ask(.object(["do": "profile", "runs": 10]), seconds: 60)
      let kinds = (told["operators"]?.array ?? []).compactMap { $0["kind"]?.string }
      #expect(kinds.contains { $0.contains("Conv") })
      #expect(told["placement"]?["total"]?.int == kinds.count)
      #expect(told["placement"]?["placed"]?.int == kinds.count)
      // The runtime's own file of the profile does not stay.
      let left = try LocalDevice().run("find \(Words.shell([root])) -name '*.json'", seconds: 60)
      #expect(left.output == "")
    }
  }

  @Test func hardwareThatIsNotThereIsToldWithWhatIs() throws {
    try withFolder { root in
      let (device, runtime) = try open(root)
      defer { device.close() }
      for provider in [Provider.gpu, .npu] {
        let fault = #expect(throws: Diagnostic.self) {
          try runtime.load(
            path: goldens + "network.onnx",
            options: SessionOptions(provider: provider)
          )
        }
        #expect(fault?.code == "RTM006")
        #expect(fault?.summary.contains("CPUExecutionProvider") == true)
        #expect(fault?.remedy?.contains("libraries") == true)
      }
      let broken = root + "/broken.onnx"
      try AtomicFile.write("no model", to: broken)
      let fault = #expect(throws: Diagnostic.self) {
        try runtime.load(path: broken, options: SessionOptions())
      }
      #expect(fault?.code == "RTM005" && fault?.cause?.isEmpty == false)
    }
  }
}
