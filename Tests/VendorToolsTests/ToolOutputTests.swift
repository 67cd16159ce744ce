import AssayBase
import AssayData
import AssayRecord
import AssayTestSupport
import Testing
import VendorTools

@Suite struct OpenVINOBenchmarkTests {
  @Test func thePresentFormHasABlockOfLatencies() throws {
    let report = try OpenVINOBenchmark.text(seed("openvino-benchmark_app_2026.4_sync.txt"))
    #expect(report.version == "2026.4.1-22982-e213a147257-releases/2026/4")
    #expect(report.device == "CPU")
    #expect(value(report, "latency.median") == 2.08)
    #expect(value(report, "latency.mean") == 2.11)
    #expect(value(report, "latency.max") == 2.34)
    #expect(value(report, "throughput") == 464.01)
    #expect(value(report, "init.read") == 72.82)
    #expect(value(report, "init.compile") == 67.19)
    #expect(value(report, "init.first") == 3.98)
    #expect(report["memory.compile"]?.bytes == 265_179_136)
    #expect(report.facts["api"] == "sync")
    #expect(report.facts["threads"] == "2")
    #expect(report.facts["precision"] == "Type: bfloat16")
    #expect(report.failure == nil)
  }

  @Test func version2021HasOneLatencyAndCountersOfEachRequest() throws {
    let report = try OpenVINOBenchmark.text(seed("openvino-benchmark_app_2021.4.2_async_pc.txt"))
    #expect(report.version == "2021.4.2-3976-0943ed67223-refs/pull/539/head")
    #expect(value(report, "latency.median") == 0.06)
    #expect(value(report, "iterations") == 49974)
    #expect(value(report, "throughput") == 24985.31)
    #expect(value(report, "requests") == 2)
    #expect(report.facts["api"] == "async")
    // Of two requests the first; what did not run has no time.
    #expect(report.operators.count == 14)
    #expect(report.operators.filter { $0.time != nil }.map(\.node) == ["c", "g"])
    #expect(report.operators.first { $0.node == "c" }?.time?.nanoseconds == 6000)
  }

  @Test func reportsAsTableAndJSONSayTheSame() throws {
    let table = try OpenVINOBenchmark.csv(seed("openvino-rep-benchmark_report.csv"))
    #expect(value(table, "latency.median") == 3.75)
    #expect(value(table, "throughput") == 499.33)
    #expect(table["latency.median"]?.place == "line 29")
    #expect(table.model == "mnv2_f32.tflite")
    let json = try OpenVINOBenchmark.json(
      JSON(parsing: seed("openvino-repj-benchmark_report.json"))
    )
    #expect(value(json, "latency.mean") == 3.91)
    #expect(value(json, "latency.max") == 5.04)
    #expect(json.device == "CPU")
    #expect(json.facts["api"] == "async")
    let counters = try OpenVINOBenchmark.json(
      JSON(parsing: seed("openvino-repj-benchmark_average_counters_report.json"))
    )
    #expect(counters.operators.map(\.kind) == ["Parameter"])
    #expect(counters.operators.first?.time == nil)
  }

  @Test(.enabled(if: TestData.shared != nil, "no shared data"))
  func absentDevicesAndOpenShapesAreToldInTheToolsWords() throws {
    func text(_ name: String) throws -> String {
      let path = try #require(TestData.sharedFile("fixtures/openvino/" + name))
      return try #require(MappedFile(path: path).view.utf8)
    }
    let noStick = try OpenVINOBenchmark.text(text("benchmark_app_2021.4.2_MYRIAD_nostick.txt"))
    #expect(noStick.failure == "Can not init Myriad device: NC_ERROR")
    #expect(noStick.device == "MYRIAD")
    let gone = try OpenVINOBenchmark.text(text("benchmark_app_2026.4_MYRIAD_unavailable.txt"))
    #expect(
      gone.failure?.contains(#"Device with "MYRIAD" name is not registered"#) == true
    )
    let open = try OpenVINOBenchmark.text(text("benchmark_app_2026.4_latency.txt"))
    #expect(open.failure?.contains("is dynamic. Provide data shapes!") == true)
  }
}

@Suite struct NCSDKProfileTests {
  @Test func aProfileHasTwoRunsAndTheLayers() throws {
    let report = try NCSDKProfile.text(seed("ncsdk-mvNCProfile_v2.00.txt"))
    #expect(report.version == "02.00")
    #expect(value(report, "init.first") == 114.31)
    #expect(report.samples == [107.21])
    #expect(value(report, "layers.total") == 54.80)
    #expect(report.operators.map(\.node) == ["conv1", "pool3", "conv4", "fc14", "output"])
    #expect(report.operators.first?.time?.value == 7.401)
    #expect(report.operators.first?.figures.map(\.value) == [240.3, 1903.1])
    #expect(report.failure == nil)
  }

  @Test func aRunThatBreaksOffFailed() throws {
    let report = try NCSDKProfile.text(
      "mvNCProfile v02.00, Copyright\n\nUSB: Transferring Data...\n"
    )
    #expect(report.failure != nil)
    #expect(report.figures.isEmpty && report.samples.isEmpty)
  }
}

@Suite struct VelaOutputTests {
  @Test func theSummaryIsAnEstimate() throws {
    let printed = try VelaOutput.text(seed("vela-mnv2_ethos-u55-128.txt"))
    #expect(printed.origin == .estimated)
    #expect(printed.model == "mnv2_int8")
    #expect(printed.device == "Ethos_U55_128")
    #expect(value(printed, "operators.npu") == 93)
    #expect(value(printed, "operators.cpu") == 0)
    #expect(value(printed, "memory.sram") == 1474.44)
    #expect(value(printed, "macs") == 300_838_992)
    let name = "vela-mnv2_int8_summary_Ethos_U55_High_End_Embedded.csv"
    let table = try VelaOutput.csv(CSV.records(of: seed(name)))
    #expect(value(table, "latency.mean") == 0.015789496)
    #expect(value(table, "cycles.total") == 7_894_748)
    #expect(table["latency.mean"]?.nanoseconds == 15_789_496)
    #expect(table.facts["memoryMode"] == "Shared_Sram")
  }

  @Test func layersHaveCyclesAndNoTime() throws {
    let report = try VelaOutput.csv(CSV.records(of: seed("vela-per-layer.csv")))
    let first = try #require(report.operators.first)
    #expect(first.kind == "Conv2D")
    #expect(first.place == "NPU")
    #expect(first.time == nil)
    #expect(first.figures.first { $0.name == "cycles" }?.value == 303_263)
  }

  @Test(.enabled(if: TestData.shared != nil, "no shared data"))
  func whatStaysOnTheProcessorHasItsReason() throws {
    func text(_ name: String) throws -> String {
      let path = try #require(TestData.sharedFile("fixtures/vela/" + name))
      return try #require(MappedFile(path: path).view.utf8)
    }
    let report = try VelaOutput.text(text("mnv2_f32_rejected.txt"))
    let refused = report.findings.filter { $0.code == "VND010" }
    #expect(refused.count == 65)
    #expect(refused.first?.summary == "SOFTMAX stays on the processor")
    #expect(refused.first?.location == ["StatefulPartitionedCall_1:0"])
    #expect(refused.first?.cause?.contains("unsupported DataType Float32") == true)
    #expect(value(report, "operators.npu") == 0)
    // No operator runs there: Vela's time of 0 is none.
    let name = "mnv2_f32_summary_Ethos_U55_High_End_Embedded.csv"
    let table = try VelaOutput.csv(CSV.records(of: text(name)))
    #expect(table["latency.mean"] == nil)
    #expect(table["throughput"] == nil)
    let perf = try VelaOutput.text(text("mnv2_u55-128_HighEnd_perf.txt"))
    #expect(perf.operators.count == 129)
    #expect(perf.operators.allSatisfy { $0.place == "NPU" })
    #expect(perf.operators.first?.kind == "Conv2D")
    #expect(perf.operators.first?.node.hasSuffix("Conv1_1/convolution") == true)
    let layers = try VelaOutput.csv(CSV.records(of: text("mnv2_int8_per-layer.csv")))
    #expect(layers.operators.count == 129)
  }
}
