import AssayBase
import AssayRecord
import AssayTestSupport
import Testing
import VendorTools

/// A seed of the fuzzer, which is a small output of a tool.
func seed(_ name: String) throws -> String {
  let path = TestData.package + "/Fuzz/Corpus/foreign-results/" + name
  return try #require(MappedFile(path: path).view.utf8)
}

/// The value of a figure.
func value(_ report: ToolReport, _ name: String) -> Double? { report[name]?.value }

@Suite struct TRTExecOutputTests {
  @Test func thePresentFormHasThreePercentilesAndTransfers() throws {
    let report = try TRTExecOutput.text(seed("trtexec-v8.6_10_summary.txt"))
    #expect(report.version == "10.2.0")
    #expect(report.device == "Orin")
    #expect(report.model == "mnv2.onnx")
    #expect(report.failure == nil)
    #expect(value(report, "throughput") == 500.331)
    #expect(value(report, "latency.median") == 1.98711)
    #expect(value(report, "latency.p99") == 2.96751)
    #expect(value(report, "compute.median") == 1.93991)
    #expect(value(report, "h2d.p90") == 0.045391)
    #expect(value(report, "d2h.mean") == 0.004991)
    #expect(value(report, "init.build") == 61.2031)
    #expect(value(report, "iterations") == 1503)
    #expect(report["latency.median"]?.nanoseconds == 1_987_110)
    #expect(report["latency.median"]?.place == "line 20")
    #expect(report.facts["precision"] == "FP32+FP16")
    #expect(report.findings.contains { $0.cause?.contains("unstable") == true })
  }

  @Test func versionEightHasOnePercentileAndTheEndToEndLatency() throws {
    let report = try TRTExecOutput.text(seed("trtexec-v8.0_8.2_summary.txt"))
    #expect(value(report, "latency.median") == 6.36003)
    #expect(value(report, "latency.p99") == 6.38138)
    #expect(value(report, "latency.p90") == nil)
    #expect(value(report, "endToEnd.max") == 12.38138)
    #expect(report.failure == nil)
  }

  @Test func versionSevenHasALineForEachStatistic() throws {
    let report = try TRTExecOutput.text(seed("trtexec-v7_summary.txt"))
    #expect(value(report, "latency.min") == 3.54058)
    #expect(value(report, "latency.p99") == 3.67065)
    #expect(value(report, "endToEnd.median") == 6.01636)
    #expect(value(report, "endToEnd.p99") == 6.03931)
    #expect(value(report, "enqueue.median") == 0.536)
    #expect(value(report, "compute.max") == 5.7611)
    #expect(value(report, "duration") == 3.00461)
    // It tells 0 queries a second, which is none.
    #expect(report["throughput"] == nil)
  }

  @Test func exportedTimesAreSamplesAndLayersOperators() throws {
    let times = try TRTExecOutput.json(JSON(parsing: seed("trtexec-times.json")))
    #expect(times.samples == [1.993, 2.002, 1.984])
    let profile = try TRTExecOutput.json(JSON(parsing: seed("trtexec-profile.json")))
    #expect(profile.operators.map(\.node).first == "Conv1 + Relu6")
    #expect(profile.operators.first?.time?.nanoseconds == 81_000)
    #expect(value(profile, "iterations") == 1503)
    let printed = try TRTExecOutput.text(seed("trtexec-layers.txt"))
    #expect(printed.operators.map(\.node) == ["Conv1 + Relu6", "dense"])
    #expect(printed.operators.first?.time?.value == 0.081)
    #expect(printed.version == "8.6.1")
  }

  @Test func theTableOfOlderVersionsEndsWithNumbers() throws {
    let report = try TRTExecOutput.text(
      """
      [I] === Profile (10 iterations ) ===
      [I]                     Layer   Time (ms)   Avg. Time (ms)   Time %
      [I]        (Unnamed Layer* 0)        1.50           0.1500     60.0
      [I]                     Total        2.50           0.2500    100.0
      &&&& PASSED TensorRT.trtexec # trtexec --onnx=m.onnx
      """
    )
    #expect(report.operators.map(\.node) == ["(Unnamed Layer* 0)"])
    #expect(report.operators.first?.time?.value == 0.15)
    #expect(report.model == "m.onnx")
  }

  @Test func aFailedRunKeepsItsOwnWords() throws {
    let report = try TRTExecOutput.text(
      """
      &&&& RUNNING TensorRT.trtexec [TensorRT v8502] # trtexec --loadEngine=x
      [11/20/2026-15:00:01] [E] Error opening engine file: x
      &&&& FAILED TensorRT.trtexec [TensorRT v8502] # trtexec --loadEngine=x
      """
    )
    #expect(report.failure == "Error opening engine file: x")
    #expect(report.version == "8.5.2")
  }

  @Test func anythingElseIsRefused() throws {
    for text in ["", "hello", "{}"] {
      let refusal = #expect(throws: Diagnostic.self) {
        let report = try TRTExecOutput.text(text)
        Issue.record("taken: \(report)")
      }
      #expect(refusal?.code == "VND001")
    }
    #expect(throws: Diagnostic.self) { try TRTExecOutput.json(JSON(parsing: "[1, 2]")) }
  }

  @Test(arguments: [
    "Latency: min = 6.3x4 ms, max = 6.4 ms", "Latency: min = 6.3.4 ms", "Latency: min = nan ms",
    "Latency: min = 0x1p3 ms", "Latency: min = 1e999 ms", "Latency: min = 6.3 msec",
  ])
  func aDamagedNumberIsNoNumber(line: String) throws {
    let report = try TRTExecOutput.text(
      line + "\n&&&& PASSED TensorRT.trtexec # trtexec --onnx=m"
    )
    #expect(report["latency.min"] == nil)
  }
}
