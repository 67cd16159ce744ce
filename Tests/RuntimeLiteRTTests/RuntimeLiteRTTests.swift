import AssayBase
import AssayHost
import AssayRuntime
import AssayTensor
import AssayTestSupport
import RuntimeLiteRT
import Testing

private let runtime = LiteRTRuntime()
private let goldens: JSON = {
  let text = Host.smallText(TestData.package + "/Tests/Goldens/runtimes/mlperf_tiny.json")
  return text.flatMap { try? JSON(parsing: $0) } ?? .emptyObject
}()

/// The input that Tests/Goldens/make_runtime_outputs.py fed.
private func lattice(_ type: TensorType) -> Tensor {
  let indices = 0..<type.shape.count
  return type.dtype == .float32
    ? Tensor(indices.map { Float(37 * $0 % 101) / 101 }, type.shape)
    : Tensor(indices.map { Int8(37 * $0 % 251 - 125) }, type.shape, dtype: .int8)
}

private func model(_ path: String) throws -> String {
  try #require(TestData.sharedFile("models/" + path), "the shared test data is absent")
}

@Suite(
  "LiteRT",
  .enabled(if: runtime.probe().isAvailable, "LiteRT is not installed: run `make setup`"),
  .enabled(if: TestData.shared != nil, "the shared test data is absent")
)
struct LiteRTTests {
  @Test(arguments: [
    "ad01_float", "ad01_int8", "kws_float", "kws_int8", "resnet8_cifar10_float",
    "resnet8_cifar10_int8", "vww_96_float", "vww_96_int8",
  ])
  func outputsAreThoseOfLiteRTsOwnPackage(name: String) throws {
    let golden = try #require(goldens[name + ".tflite"])
    let session = try runtime.load(
      path: model("mlperf_tiny/\(name).tflite"),
      options: SessionOptions()
    )
    let port = try #require(session.inputs.first)
    #expect(golden["input"]?.array?.first?.string == port.type.dtype.rawValue)
    #expect(golden["input"]?.array?.dropFirst().compactMap(\.int) == port.type.shape.dims)
    if port.type.dtype == .int8 {
      let scale = try #require(port.type.quantization?.scale)
      #expect(abs(Double(scale) - (golden["scale"]?.double ?? 0)) < 1e-9)
      #expect(port.type.quantization?.zeroPoint == golden["zeroPoint"]?.int.map { Int32($0) })
    }
    try session.write(lattice(port.type), toInput: 0)
    try session.runOnce()
    let output = try session.output(0)
    let expected = try #require(golden["output"]?.array).compactMap(\.double)
    let got =
      output.dtype == .float32
      ? output.floats().map { Double($0) } : output.integers().map { Double($0) }
    #expect(got.count == expected.count)
    let greatest = expected.map { abs($0) }.max() ?? 0
    let difference = zip(got, expected).map { abs($0 - $1) }.max() ?? .infinity
    // The golden file has seven decimals; integers may differ by the order of a sum of floats: not.
    #expect(difference <= (output.dtype == .float32 ? 1e-5 * max(greatest, 1) : 0))
    #expect(session.readNanoseconds > 0 && session.compileNanoseconds > 0)
    #expect(session.placement.provider == "XNNPACK")
    #expect((session.placement.total ?? 0) > 1)
  }

  @Test func twoThreadsGiveTheSameAnswer() throws {
    let path = try model("mlperf_tiny/resnet8_cifar10_float.tflite")
    let outputs = try [1, 2].map { threads in
      let session = try runtime.load(path: path, options: SessionOptions(threads: threads))
      try session.write(lattice(session.inputs[0].type), toInput: 0)
      try session.runOnce()
      return try session.output(0).floats()
    }
    #expect(zip(outputs[0], outputs[1]).allSatisfy { abs($0 - $1) < 1e-5 })
  }

  @Test func namesAreTheAuthors() throws {
    let session = try runtime.load(
      path: model("mobilenet/mobilenet_v2_1.0_224_ptq_int8.tflite"),
      options: SessionOptions()
    )
    for port in session.inputs + session.outputs {
      #expect(!port.name.isEmpty && !port.name.contains(":"))
      #expect(!port.name.hasPrefix("serving_default"))
    }
  }

  @Test func profileTellsOperatorsAndPlacement() throws {
    let session = try runtime.load(
      path: model("mlperf_tiny/resnet8_cifar10_int8.tflite"),
      options: SessionOptions(isProfiling: true)
    )
    try session.write(lattice(session.inputs[0].type), toInput: 0)
    let times = try session.profile(runs: 5)
    #expect(times.count > 5)
    #expect(times.contains { $0.kind.contains("Convolution") })
    // Each run counts: twenty runs take about as long each as one does.
    let one = try session.profile(runs: 1).map(\.nanoseconds).reduce(0, +)
    let twenty = try session.profile(runs: 20).map(\.nanoseconds).reduce(0, +)
    #expect(one > 0 && twenty > one / 10)
    let placement = session.placement
    #expect((placement.placed ?? -1) > (placement.total ?? 1000) / 2)
  }

  @Test func wrongSizesAreRefused() throws {
    let session = try runtime.load(
      path: model("mlperf_tiny/kws_int8.tflite"),
      options: SessionOptions()
    )
    func code(_ body: () throws -> Void) -> String? {
      do { try body() } catch { return (error as? Diagnostic)?.code }
      return nil
    }
    #expect(code { try session.write(ByteView([1, 2, 3]), toInput: 0) } == "RTM011")
    #expect(code { try session.write(ByteView([]), toInput: 9) } == "RTM011")
    #expect(code { try session.write(Tensor([1, 2] as [Float], [2]), toInput: 0) } == "RTM011")
    #expect(code { _ = try session.output(4) } == "RTM011")
  }

  @Test(arguments: [
    ("tcn_autoencoder/tcnae40_flex_float.tflite", "RTM003", "Flex"),
    ("coral/mobilenet_v1_0.25_128_quant_edgetpu.tflite", "RTM003", "edgetpu-custom-op"),
  ])
  func operatorsWithoutKernelAreNamedBeforeRunning(
    path: String,
    code: String,
    name: String
  ) throws {
    #expect {
      _ = try runtime.load(path: model(path), options: SessionOptions())
    } throws: { error in
      let diagnostic = error as? Diagnostic
      return diagnostic?.code == code && diagnostic?.summary.contains(name) == true
        && diagnostic?.remedy != nil
    }
  }

  @Test func absentAndBrokenFilesAreTold() throws {
    let folder = try Host.makeTemporaryFolder()
    defer { try? Host.remove(folder) }
    let garbage = folder + "/garbage.tflite"
    try AtomicFile.write(String(repeating: "no model ", count: 500), to: garbage)
    let empty = folder + "/empty.tflite"
    try AtomicFile.write("", to: empty)
    for path in [folder + "/absent.tflite", folder, garbage, empty] {
      #expect(throws: Diagnostic.self) {
        _ = try runtime.load(path: path, options: SessionOptions())
      }
    }
  }

  @Test(arguments: [Provider.gpu, .npu, .tpu])
  func otherProvidersRunOrSayWhyNot(provider: Provider) throws {
    let path = try model("mlperf_tiny/resnet8_cifar10_float.tflite")
    do {
      let session = try runtime.load(path: path, options: SessionOptions(provider: provider))
      try session.write(lattice(session.inputs[0].type), toInput: 0)
      try session.runOnce()
      #expect(!session.placement.provider.isEmpty)
    } catch let error as Diagnostic {
      #expect(error.code == "RTM006" && error.remedy != nil && error.summary.count > 20)
    }
  }

  @Test func sessionsComeAndGoWithoutGrowth() throws {
    let path = try model("mlperf_tiny/kws_int8.tflite")
    func round() throws {
      let session = try runtime.load(path: path, options: SessionOptions())
      try session.runOnce()
    }
    for _ in 0..<5 { try round() }
    let before = Host.residentMemory() ?? 0
    for _ in 0..<40 { try round() }
    #expect((Host.residentMemory() ?? 0) - before < 20 << 20)
  }
}

@Suite("LiteRT, absent") struct AbsentLiteRTTests {
  @Test func aMissingLibraryIsReportedWithItsRemedy() {
    let absent = LiteRTRuntime(library: "/nowhere/libLiteRt.so")
    guard case .unavailable(let reason, let remedy) = absent.probe() else {
      Issue.record("a library that does not exist was loaded")
      return
    }
    #expect(reason.contains("not installed") && remedy.contains("setup"))
  }

  @Test func aLibraryThatDoesNotFitIsRefused() {
    let other = LiteRTRuntime(library: "libm.so.6")
    #expect {
      _ = try other.load(path: "x.tflite", options: SessionOptions())
    } throws: { ($0 as? Diagnostic)?.code == "RTM002" }
  }
}
