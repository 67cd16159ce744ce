import AssayBase
import AssayHost
import AssayRuntime
import AssayTensor
import AssayTestSupport
import Testing

@testable import RuntimeOnnxRuntime

private let runtime = OnnxRuntime()
private let goldens = TestData.package + "/Tests/Goldens/runtimes/"
private let expected: JSON = {
  Host.smallText(goldens + "onnx.json").flatMap { try? JSON(parsing: $0) } ?? .emptyObject
}()

private func image() -> Tensor {
  Tensor((0..<192).map { Float(37 * $0 % 101) / 101 }, [1, 3, 8, 8])
}

@Suite(
  "ONNX Runtime",
  .enabled(if: runtime.probe().isAvailable, "ONNX Runtime is not installed: run `make setup`")
)
struct OnnxRuntimeTests {
  @Test(arguments: [1, 2]) func outputsAreThoseOfItsOwnPackage(threads: Int) throws {
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
      #expect(zip(got, want).allSatisfy { abs($0 - $1) < 1e-6 })
    }
    #expect(session.readNanoseconds > 0 && session.compileNanoseconds > 0)
    #expect(session.placement.provider == "CPUExecutionProvider")
  }

  @Test func integersGoInAndOut() throws {
    let session = try runtime.load(path: goldens + "integer.onnx", options: SessionOptions())
    let codes = (0..<6).map { Int8(37 * $0 % 251 - 125) }
    try session.write(Tensor(codes, [1, 6], dtype: .int8), toInput: 0)
    try session.runOnce()
    #expect(try session.output(0).integers() == expected["result"]?.ints)
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

  @Test func profileTellsNodesAndTheirProviders() throws {
    let session = try runtime.load(
      path: goldens + "network.onnx",
      options: SessionOptions(isProfiling: true)
    )
    try session.write(image(), toInput: 0)
    let times = try session.profile(runs: 10)
    #expect(times.contains { $0.kind.contains("Conv") })
    #expect(times.allSatisfy { $0.nanoseconds >= 0 })
    #expect(session.placement.total == times.count)
    #expect(session.placement.placed == times.count)
    #expect(try session.profile(runs: 3).isEmpty)
  }

  @Test func arenaIsTold() throws {
    let session = try runtime.load(path: goldens + "network.onnx", options: SessionOptions())
    try session.write(image(), toInput: 0)
    try session.runOnce()
    let memory = session.memory
    let use = try #require(memory["arenaInUse"])
    let peak = try #require(memory["arenaPeak"])
    let allocated = try #require(memory["arenaAllocated"])
    #expect(use > 0 && peak >= use && allocated >= use)
    #expect(memory.count == 3)
  }

  @Test func traceIsRead() throws {
    let trace = try JSON(
      parsing: """
        [{"cat":"Session","name":"model_run","dur":9,"args":{}},
         {"cat":"Node","name":"a_kernel_time","dur":3,"args":{"op_name":"Conv","provider":"P","node_index":"0"}},
         {"cat":"Node","name":"b_kernel_time","dur":1,"args":{"op_name":"Relu","provider":"Q","node_index":"1"}},
         {"cat":"Node","name":"a_fence_before","dur":3,"args":{"op_name":"Conv"}},
         {"cat":"Node","name":"a_kernel_time","dur":5,"args":{"op_name":"Conv","provider":"P","node_index":"0"}},
         {"cat":"Node","name":"b_kernel_time","dur":2,"args":{"op_name":"Relu","provider":"Q","node_index":"1"}},
         {"cat":"Node","name":"a_kernel_time","dur":900,"args":{"op_name":"Conv","provider":"P","node_index":"0"}},
         {"cat":"Node","name":"b_kernel_time","dur":1,"args":{"op_name":"Relu","provider":"Q","node_index":"1"}}]
        """
    )
    let profile = OnnxProfile(trace)
    #expect(
      profile.times == [
        OperatorTime(kind: "Conv", node: "a", nanoseconds: 4000),
        OperatorTime(kind: "Relu", node: "b", nanoseconds: 1500),
      ]
    )
    #expect(profile.nodes == ["P": 1, "Q": 1])
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

  @Test func wrongSizesAreRefused() throws {
    let session = try runtime.load(path: goldens + "network.onnx", options: SessionOptions())
    #expect {
      try session.write(ByteView([1, 2, 3]), toInput: 0)
    } throws: { ($0 as? Diagnostic)?.code == "RTM011" }
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
      #expect(error.code == "RTM006" && error.summary.contains("CPUExecutionProvider"))
    }
  }
}

@Suite("ONNX Runtime, absent") struct AbsentOnnxRuntimeTests {
  @Test func aMissingLibraryIsReportedWithItsRemedy() {
    guard case .unavailable(_, let remedy) = OnnxRuntime(library: "/nowhere/x.so").probe() else {
      Issue.record("a library that does not exist was loaded")
      return
    }
    #expect(remedy.contains("setup"))
    #expect(!OnnxRuntime(library: "libm.so.6").probe().isAvailable)
  }
}
