import AssayBase
import AssayBench
import AssayDevice
import AssayHost
import AssayRecord
import AssayRuntime
import AssayTestSupport
import RuntimeLiteRT
import RuntimeOnnxRuntime
import RuntimeOpenVINO
import Testing

@testable import AssayRemote

/// The runner against the host's own harness on this machine: both measure the same network in turns, in
/// random order, round by round.
///
/// It tells something on a quiet machine alone, and no test of ours hangs on clocks: `ASSAY_AGREEMENT=1`
/// asks for it.
@Suite(
  .serialized,
  .enabled(if: Host.environment("ASSAY_AGREEMENT") != nil, "ASSAY_AGREEMENT is not set"),
  .enabled(if: hasRunner, "the runner is not built"),
  .enabled(if: TestData.shared != nil, "the shared test data is absent")
)
struct AgreementTests {
  @Test(arguments: ["litert", "onnxruntime", "openvino"])
  func mediansAgreeWithinOnePercent(runtime: String) throws {
    let runtimes: [any InferenceRuntime] = [LiteRTRuntime(), OnnxRuntime(), OpenVINORuntime()]
    guard runtimes.contains(where: { $0.id == runtime && $0.probe().isAvailable }) else { return }
    let network = "models/mobilenet/mobilenet_v2_1.0_224_ptq_int8.tflite"
    // For ONNX Runtime: what `assay convert` makes of it.
    let given = runtime == "onnxruntime" ? Host.environment("ASSAY_AGREEMENT_ONNX") : nil
    guard runtime != "onnxruntime" || given != nil else { return }
    let model = try given ?? #require(TestData.sharedFile(network))
    let assay = Host.join(Host.folder(of: Host.executablePath ?? ""), "assay")
    try withFolder { root in
      var settings = DeviceSettings()
      settings.root = root
      let library = RuntimeLibrary.candidates(
        id: runtime,
        variable: "ASSAY_\(runtime.uppercased())_LIB",
        stem: ["litert": "libLiteRt.so", "onnxruntime": "libonnxruntime.so"][runtime]
          ?? "libopenvino_c.so"
      ).first { Host.exists($0.path) }
      settings.libraries[runtime] = library?.path
      let session = try DeviceSession(LocalDevice(settings), settings)
      defer { session.close() }
      var comparison = Comparison(
        preset: .quick,
        seed: 5,
        folder: root,
        command: [],
        executable: assay
      )
      let here = comparison.makeWorker
      comparison.makeWorker = { configuration in
        configuration.variant == "host"
          ? try here(configuration) : try session.makeWorker(runtime: runtime)
      }
      let configurations = try ["host", "runner"].map { variant in
        Configuration(
          model: try Record.Model(file: model),
          artefact: given == nil ? "tflite" : "onnx",
          variant: variant,
          runtime: runtime
        )
      }
      // A process has a level of its own, a few percent from another's: many pairs tell.
      var pairs: [(host: Double, runner: Double)] = []
      for _ in 0..<24 {
        let records = try comparison.run(configurations).map(\.record)
        let medians = records.compactMap { $0.summary.p50.value.map { Double($0.value) } }
        try #require(medians.count == 2, "\(records.flatMap(\.reasons))")
        pairs.append((medians[0], medians[1]))
      }
      func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
      }
      let (host, runner) = (median(pairs.map(\.host)), median(pairs.map(\.runner)))
      let differences = pairs.map { $0.runner / $0.host - 1 }.sorted()
      let apart = median(differences)
      // The notch of a box plot: medians of which 95 of 100 lie so near the true one.
      let quarter = differences.count / 4
      let spread = differences[differences.count - 1 - quarter] - differences[quarter]
      let doubt = 1.57 * spread / Double(differences.count).squareRoot()
      print(
        "\(runtime): host \(Words.time(host)), runner \(Words.time(runner)); "
          + "\(Words.fixed(apart * 100, 2)) % apart, +-\(Words.fixed(doubt * 100, 2)), "
          + "in the median of \(pairs.count) pairs"
      )
      // Beyond doubt by more than one percent would be another loop.
      #expect(abs(apart) - doubt < 0.01)
    }
  }
}
