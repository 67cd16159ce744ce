import AssayBase
import AssayHost
import AssayTestSupport
import Testing

@testable import VendorPhone

/// Real outputs of version 2.14, and the shapes of those from 1.13 to 2025.
@Suite(.enabled(if: TestData.shared != nil, "set ASSAY_TEST_DATA to the folder of real outputs"))
struct BenchmarkModelTests {
  private func text(_ name: String) throws -> String {
    let path = try #require(TestData.sharedFile("fixtures/benchmark_model/\(name)"))
    return try #require(try MappedFile(path: path).view.utf8)
  }

  /// Standard output, and what lies beside it of standard error.
  private func run(_ name: String) throws -> BenchmarkModelRun {
    var all = try text(name + ".txt")
    if let errors = TestData.sharedFile("fixtures/benchmark_model/\(name).stderr") {
      all += try #require(try MappedFile(path: errors).view.utf8)
    }
    return try BenchmarkModelRun(parsing: all)
  }

  private func stated(_ run: BenchmarkModelRun) -> [String: String] {
    Dictionary(run.stated.map { ($0.name, $0.figure.text) }) { first, _ in first }
  }

  @Test(arguments: [
    (
      "shape_1.13_1.15_native",
      [
        "latency.mean": "37531.2", "latency.min": "37413", "latency.max": "37609",
        "latency.deviation": "41", "latency.first": "39191", "warmup.mean": "37625.1",
        "initialization": "4181",
      ]
    ),
    (
      "shape_2.3_native_peak_mem",
      [
        "latency.mean": "33209.1", "latency.min": "32641", "latency.max": "34001",
        "latency.deviation": "451", "latency.first": "49061", "warmup.mean": "34825.2",
        "initialization": "851", "memory.initialization": "0", "memory.overall": "12.8671",
      ]
    ),
    (
      "shape_2.8_native_gpu_partial",
      [
        "latency.mean": "16102.7", "latency.min": "15961", "latency.max": "16601",
        "latency.deviation": "81", "latency.first": "19001", "warmup.mean": "16211.5",
        "initialization": "412331", "memory.initialization": "41.1016",
        "memory.overall": "43.3633",
      ]
    ),
    (
      "shape_2.9_apk_logcat_cpu4",
      [
        "latency.mean": "17561.3", "latency.min": "17402", "latency.max": "18011",
        "latency.deviation": "101", "latency.first": "22111", "warmup.mean": "17911.2",
        "initialization": "10071", "memory.initialization": "1.80469",
        "memory.overall": "31.1172",
      ]
    ),
    (
      "shape_litert_2025_percentiles",
      [
        "latency.mean": "5271.03", "latency.min": "5099", "latency.max": "6120",
        "latency.deviation": "130", "latency.p5": "5130", "latency.median": "5240",
        "latency.p95": "5511", "latency.first": "9011", "warmup.mean": "5311.42",
        "initialization": "812441", "memory.initialization": "94.2031",
        "memory.overall": "94.2031", "memory.peak": "101.551",
      ]
    ),
    (
      "tf2.14_cpu_f32_mem",
      [
        "latency.mean": "16963.8", "latency.min": "16260", "latency.max": "22189",
        "latency.deviation": "1025", "latency.first": "39510", "warmup.mean": "19980.1",
        "initialization": "23554", "memory.initialization": "4.72266",
        "memory.overall": "30.0508", "memory.peak": "36.9258",
      ]
    ),
    (
      "tf2.14_cpu_int8_verbose",
      [
        "latency.mean": "50060.4", "latency.min": "47508", "latency.max": "55069",
        "latency.deviation": "2783", "latency.first": "51446", "warmup.mean": "51446",
        "initialization": "1248", "memory.initialization": "5.08203",
        "memory.overall": "11.4102",
      ]
    ),
  ])
  func figuresAreThoseOfTheText(name: String, expected: [String: String]) throws {
    let run = try run(name)
    #expect(stated(run) == expected)
    #expect(run.isFinished)
    #expect(run.contradictions.isEmpty)
  }

  @Test func everyFixtureParses() throws {
    let folder = try #require(TestData.sharedFile("fixtures/benchmark_model"))
    let names = try Host.list(folder).filter { $0.hasSuffix(".txt") && !$0.contains("litert2") }
    #expect(names.count == 23)
    for name in names {
      let run = try run(String(name.dropLast(4)))
      let isFailure = ["corrupt", "missing", "delegate_fail"].contains { name.contains($0) }
      #expect(run.isFinished == !isFailure, "\(name)")
      let findings = run.findings(run.impliedRequest)
      let isInvalid = findings.contains { $0.severity == .error }
      let expected =
        isFailure
        || ["dry_run", "unknown_flag", "partial", "not_executed"].contains(where: name.contains)
      #expect(isInvalid == expected, "\(name): \(findings)")
    }
  }

  @Test func aFlagThatWasIgnoredMakesItInvalid() throws {
    let run = try run("tf2.14_unknown_flag")
    #expect(run.unknownFlags == ["--use_gpu=true"])
    let codes = run.findings(BenchmarkModelRequest(provider: .gpu), end: .exited(0)).map(\.code)
    // It was ignored, and so the processor ran.
    #expect(codes == ["BMK012", "BMK013"])
  }

  @Test func aDelegateThatTookNothingOrAPartMakesItInvalid() throws {
    let nothing = try run("shape_2.9_apk_logcat_nnapi_not_executed")
    #expect(nothing.accelerators == ["qti-default", "qti-dsp", "qti-gpu", "nnapi-reference"])
    #expect(nothing.delegates.map(\.coverage) == [.nothing])
    let nnapi = BenchmarkModelRequest(provider: .nnapi, threads: 4)
    #expect(nothing.findings(nnapi).map(\.code) == ["BMK013", "BMK018"])

    let part = try run("shape_2.8_native_gpu_partial")
    let gpu = BenchmarkModelRequest(provider: .gpu)
    let finding = try #require(part.findings(gpu).first)
    #expect(finding.code == "BMK013")
    #expect(finding.summary.contains("12 of 99 operators"))
    #expect(finding.cause?.contains("SPLIT: Operation is not supported.") == false)
    #expect(part.placement(gpu)["placed"] == 87)
    #expect(part.placement(gpu)["total"] == 99)

    for name in ["shape_2.9_native_gpu", "shape_litert_2025_percentiles"] {
      let whole = try run(name)
      #expect(whole.findings(gpu, end: .exited(0)).isEmpty, "\(name)")
      #expect(whole.placement(gpu)["provider"] == "GPU")
    }
    // Nothing in a processor's log says that another path ran.
    let cpu = try run("tf2.14_cpu_int8_basic")
    for provider in BenchmarkModelRequest.Provider.allCases where provider != .cpu {
      let codes = cpu.findings(BenchmarkModelRequest(provider: provider)).map(\.code)
      #expect(codes.contains("BMK013"), "\(provider)")
    }
  }

  @Test func failuresAreNamed() throws {
    let missing = try run("tf2.14_missing_file")
    let finding = try #require(missing.findings(BenchmarkModelRequest(), end: .exited(1)).first)
    #expect(finding.code == "BMK010")
    #expect(finding.cause?.contains("Could not open '/src/nope.tflite'.") == true)
    #expect(missing.stated.isEmpty)

    // A delegate that cannot be loaded ends the tool by a signal right after it was 'created'.
    for name in ["tf2.14_external_delegate_fail", "tf2.14_external_delegate_missing"] {
      let crash = try run(name)
      let codes = crash.findings(BenchmarkModelRequest(provider: .gpu), end: .init(status: 139))
      #expect(codes.map(\.code) == ["BMK015"], "\(name)")
    }
    let dry = try run("tf2.14_dry_run")
    #expect(dry.findings(BenchmarkModelRequest()).map(\.code) == ["BMK011"])
    #expect(stated(dry)["latency.mean"] == nil)
  }

  @Test func operatorsAreRead() throws {
    let printed = try #require(try run("tf2.14_cpu_int8_opprof").profile.operators)
    #expect(printed.rows.count == 65)
    #expect(printed.nodes == 65)
    #expect(printed.unreadable == 0)
    #expect(printed.rows[0].kind == "CONV_2D")
    #expect(printed.rows[0].mean.text == "0.546")
    #expect(printed.rows[64].kind == "SOFTMAX")
    #expect(printed.rows[64].index == 64)
    #expect(printed.rows[64].name == "StatefulPartitionedCall_1:0")

    let csv = try OperatorProfile(csv: text("tf2.14_profile.csv"))
    let written = try #require(csv.operators)
    #expect(written.rows.map(\.kind) == printed.rows.map(\.kind))
    #expect(written.rows[1].mean.text == "7.8381")
    #expect(csv.json?.array?.first?["ns"] == 557_800)
    // The two are of two runs, so that only their order of magnitude is the same.
    let sums = [printed, written].map { $0.rows.reduce(0) { $0 + $1.mean.value } }
    #expect(abs(sums[0] - 54.82) < 0.05)
    #expect(abs(sums[1] - 56.56) < 0.05)
  }

  @Test func litertBenchmarkIsReadFromBothItsForms() throws {
    for name in ["litert2.3_py_f32", "litert2.3_py_int8"] {
      let block = try LiteRTBenchmark(parsing: text(name + ".stdout.txt"))
      let json = try LiteRTBenchmark(parsing: text(name + ".json"))
      #expect(block.milliseconds.count == 10)
      #expect(block.milliseconds.mapValues(\.value) == json.milliseconds.mapValues(\.value))
      #expect([block.runs, block.warmupRuns] == [20, 5])
      #expect([json.runs, json.warmupRuns] == [20, 5])
      #expect(block.isFullyAccelerated == name.hasSuffix("f32"))
      #expect(json.accelerators == ["CPU"])
    }
    #expect(throws: Diagnostic.self) {
      try LiteRTBenchmark(parsing: text("litert2.3_py_missing.txt"))
    }
  }
}

@Suite struct BenchmarkModelTextTests {
  @Test func uniformRunsHaveNoMean() throws {
    let run = try BenchmarkModelRun(
      parsing: """
        STARTING!
        Running benchmark for at least 1 iterations and at least 0.5 seconds
        count=1 curr=617401

        Running benchmark for at least 7 iterations and at least 1 seconds
        count=7 curr=5(all same)

        Inference timings in us: Init: 1, First inference: 617401, Warmup (avg): 617401, Inference (avg): 5
        """
    )
    #expect(run.measured?.isUniform == true)
    #expect(run.measured?.mean == nil)
    #expect(run.measured?.last?.text == "5")
    #expect(run.contradictions.isEmpty)
    #expect(run.stated.first { $0.name == "latency.mean" }?.figure.text == "5")
  }

  @Test func figuresThatContradictEachOtherAreFound() throws {
    let run = try BenchmarkModelRun(
      parsing: """
        STARTING!
        Running benchmark for at least 1 iterations
        count=1 curr=617401
        Running benchmark for at least 7 iterations
        count=50 first=10 curr=10 min=9 max=12 avg=99 std=1
        Inference timings in us: Init: 1, First inference: 10, Warmup (avg): 617401, Inference (avg): 10
        """
    )
    #expect(run.findings(BenchmarkModelRequest()).map(\.code) == ["BMK014"])
  }

  @Test func otherProcessesInTheLogAreNotListenedTo() throws {
    let text = """
      11-20 15:00:01.001 77 77 I tflite  : Inference timings in us: Init: 1, Inference (avg): 1
      11-20 15:00:01.006 21767 21767 I tflite_BenchmarkModelActivity: Running TensorFlow Lite benchmark with args: --graph=/m.tflite
      11-20 15:00:01.018 21767 21767 I tflite  : count=57 first=17501
      11-20 15:00:01.019 77 77 I tflite  : count=9 first=1
      11-20 15:00:01.020 21767 21767 I tflite  : Inference timings in us: Init: 10071, Inference (avg): 1.12e+06
      I/tflite  (21767): Memory footprint delta from the start of the tool (MB): init=1.5 overall=2
      """
    let run = try BenchmarkModelRun(parsing: text)
    #expect(run.timings?.inference?.value == 1_120_000)
    #expect(run.timings?.initialization?.text == "10071")
    #expect(run.memory.overall?.text == "2")
    #expect(run.impliedRequest.provider == .cpu)
  }

  @Test func carriageReturnsAreNoPartOfALine() throws {
    let text = "STARTING!\r\nGraph: [a]\r\nInference timings in us: Init: 1, Inference (avg): 2\r\n"
    let run = try BenchmarkModelRun(parsing: text)
    #expect(run.timings?.inference?.text == "2")
    #expect(run.parameter("Graph") == "a")
  }

  @Test func twoRunsAreToldApart() {
    let one = "STARTING!\nGraph: [a]\nInference timings in us: Init: 1, Inference (avg): 2\n"
    #expect(BenchmarkModelRun.all(in: one + one).count == 2)
    #expect(throws: Diagnostic.self) { try BenchmarkModelRun(parsing: one + one) }
    #expect(throws: Diagnostic.self) { try BenchmarkModelRun(parsing: "hello\n") }
  }

  @Test func requestsBecomeFlagsOnce() throws {
    let request = BenchmarkModelRequest(
      provider: .gpu,
      threads: 4,
      isProfiling: true,
      flags: [try BenchmarkModelRequest.flag("--gpu_backend=cl"), ("num_runs", "7")]
    )
    #expect(
      request.arguments(graph: "/data/local/tmp/m.tflite") == [
        "--graph=/data/local/tmp/m.tflite", "--num_threads=4", "--min_secs=1", "--max_secs=150",
        "--warmup_runs=1", "--warmup_min_secs=0.5", "--use_gpu=true", "--enable_op_profiling=true",
        "--gpu_backend=cl", "--num_runs=7",
      ]
    )
    let fault = #expect(throws: Diagnostic.self) {
      try BenchmarkModelRequest.flag("--gpu_backed=cl")
    }
    #expect(fault?.remedy?.contains("gpu_backend") == true)
    #expect(throws: Diagnostic.self) { try BenchmarkModelRequest.flag("use_gpu=true") }
  }

  @Test(arguments: [
    ("10", true), ("1.5", true), ("1.12e+06", true), ("-3", true), ("", false), (".", false),
    ("1.", false), ("inf", false), ("nan", false), ("0x10", false), ("1e999", false),
    ("5ms", false),
    ("1e", false), ("٣", false),
  ])
  func onlyPlainNumbersAreFigures(text: String, isNumber: Bool) {
    #expect((Printed(text) != nil) == isNumber)
  }
}
