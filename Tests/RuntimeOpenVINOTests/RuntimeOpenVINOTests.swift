import AssayBase
import AssayHost
import AssayRuntime
import AssayTensor
import AssayTestSupport
import RuntimeOpenVINO
import Testing

private let runtime = OpenVINORuntime()
private let goldens = TestData.package + "/Tests/Goldens/runtimes/"
private let expected: JSON = {
  Host.smallText(goldens + "onnx.json").flatMap { try? JSON(parsing: $0) } ?? .emptyObject
}()

private func image() -> Tensor {
  Tensor((0..<192).map { Float(37 * $0 % 101) / 101 }, [1, 3, 8, 8])
}

@Suite(
  "OpenVINO",
  .enabled(if: runtime.probe().isAvailable, "OpenVINO is not installed: run `make setup`")
)
struct OpenVINOTests {
  @Test(arguments: [1, 2]) func outputsAreThoseOfOnnxRuntime(threads: Int) throws {
    let session = try runtime.load(
      path: goldens + "network.onnx",
      options: SessionOptions(threads: threads)
    )
    #expect(session.inputs == [Port(name: "image", type: TensorType(.float32, [1, 3, 8, 8]))])
    #expect(session.outputs.map(\.name) == ["scores", "features"])
    #expect(session.outputs.map(\.type.shape) == [[1, 5], [1, 4]])
    try session.write(image(), toInput: 0)
    try session.runOnce()
    for (index, name) in ["scores", "features"].enumerated() {
      let want = try #require(expected[name]?.array).compactMap(\.double)
      let got = try session.output(index).floats().map { Double($0) }
      #expect(got.count == want.count)
      #expect(zip(got, want).allSatisfy { abs($0 - $1) < 1e-5 })
    }
    #expect(session.readNanoseconds > 0 && session.compileNanoseconds > 0)
    #expect(session.placement.provider.contains("CPU"))
    #expect(session.placement.notes.contains("precision f32"))
    #expect(session.placement.notes.contains("threads \(threads)"))
  }

  @Test func integersGoInAndOut() throws {
    let session = try runtime.load(path: goldens + "integer.onnx", options: SessionOptions())
    let codes = (0..<6).map { Int8(37 * $0 % 251 - 125) }
    try session.write(Tensor(codes, [1, 6], dtype: .int8), toInput: 0)
    try session.runOnce()
    #expect(try session.output(0).integers() == expected["result"]?.ints)
  }

  @Test(.enabled(if: TestData.shared != nil, "the shared test data is absent"))
  func tfliteFilesRunToo() throws {
    let path = try #require(TestData.sharedFile("models/mlperf_tiny/resnet8_cifar10_float.tflite"))
    let text = try #require(Host.smallText(goldens + "mlperf_tiny.json"))
    let golden = try JSON(parsing: text)["resnet8_cifar10_float.tflite"]?["output"]?.array
    let session = try runtime.load(path: path, options: SessionOptions())
    let shape = session.inputs[0].type.shape
    #expect(shape == [1, 32, 32, 3])
    try session.write(
      Tensor((0..<shape.count).map { Float(37 * $0 % 101) / 101 }, shape),
      toInput: 0
    )
    try session.runOnce()
    let got = try session.output(0).floats().map { Double($0) }
    let want = try #require(golden).compactMap(\.double)
    #expect(got.count == want.count && zip(got, want).allSatisfy { abs($0 - $1) < 1e-4 })
  }

  @Test func openExtentsShowWhenTheModelHasRun() throws {
    let session = try runtime.load(path: goldens + "places.onnx", options: SessionOptions())
    for (values, rows) in [
      ([0, 1, 0, 2, 0, 3] as [Float], [0, 1, 1, 1, 0, 2]), ([0, 0, 0, 0, 0, 1], [1, 2]),
    ] {
      try session.write(Tensor(values, [2, 3]), toInput: 0)
      try session.runOnce()
      _ = try session.readOutput(0)
      let output = try session.output(0)
      #expect(output.shape == [2, rows.count / 2])
      #expect(output.integers() == rows)
    }
  }

  @Test func profileTellsNodes() throws {
    let session = try runtime.load(
      path: goldens + "network.onnx",
      options: SessionOptions(isProfiling: true)
    )
    try session.write(image(), toInput: 0)
    let times = try session.profile(runs: 10)
    #expect(times.contains { $0.kind.contains("Convolution") })
    #expect((session.placement.total ?? 0) == times.count && times.count > 2)
  }

  @Test func absentAndBrokenFilesAreTold() throws {
    let folder = try Host.makeTemporaryFolder()
    defer { try? Host.remove(folder) }
    let whole = try MappedFile(path: goldens + "network.onnx").view
    var broken: [String] = [folder + "/absent.onnx", folder]
    for (index, part) in [0, 10, whole.count / 2, whole.count - 7].enumerated() {
      let path = folder + "/\(index).onnx"
      try AtomicFile.write([whole.slice(0, part)], to: path)
      broken.append(path)
    }
    for path in broken {
      #expect {
        _ = try runtime.load(path: path, options: SessionOptions())
      } throws: { error in
        let diagnostic = error as? Diagnostic
        return ["RTM004", "RTM005"].contains(diagnostic?.code) && diagnostic?.location == [path]
      }
    }
  }

  @Test(.enabled(if: TestData.shared != nil, "the shared test data is absent"))
  func operatorsWithoutKernelAreTold() throws {
    let path = try #require(
      TestData.sharedFile("models/coral/mobilenet_v1_0.25_128_quant_edgetpu.tflite")
    )
    #expect {
      _ = try runtime.load(path: path, options: SessionOptions())
    } throws: { error in
      let diagnostic = error as? Diagnostic
      return diagnostic?.code == "RTM005" && diagnostic?.cause?.contains("edgetpu") == true
    }
  }

  @Test(arguments: [Provider.gpu, .npu, .tpu])
  func otherProvidersRunOrSayWhyNot(provider: Provider) throws {
    do {
      let session = try runtime.load(
        path: goldens + "network.onnx",
        options: SessionOptions(provider: provider)
      )
      try session.write(image(), toInput: 0)
      try session.runOnce()
    } catch let error as Diagnostic {
      #expect(error.code == "RTM006" && error.summary.contains("CPU") && error.cause != nil)
    }
  }
}

@Suite("OpenVINO, absent") struct AbsentOpenVINOTests {
  @Test func aMissingLibraryIsReportedWithItsRemedy() {
    guard case .unavailable(_, let remedy) = OpenVINORuntime(library: "/nowhere/x.so").probe()
    else {
      Issue.record("a library that does not exist was loaded")
      return
    }
    #expect(remedy.contains("setup"))
    #expect(!OpenVINORuntime(library: "libm.so.6").probe().isAvailable)
  }
}
