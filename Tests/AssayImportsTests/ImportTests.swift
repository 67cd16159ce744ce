import AssayBase
import AssayImports
import AssayRecord
import AssayStatistics
import AssayStore
import AssayTestSupport
import Testing

private func source(_ name: String) throws -> ImportSource {
  try ImportSource(path: TestData.package + "/Fuzz/Corpus/foreign-results/" + name)
}

private func records(_ format: String, _ source: ImportSource) throws -> [Record] {
  let importer = try #require(ResultImporter.named(format))
  let context = ImportContext(
    format: format,
    file: source.path,
    sha256: source.sha256,
    by: "tester",
    at: 1_000
  )
  return try importer.records(source, context)
}

@Suite struct ImportTests {
  @Test func provenanceAndGapsAreKept() throws {
    let record = try #require(
      records("benchmark_app", source("openvino-rep-benchmark_report.csv")).first
    )
    let imported = try #require(record.imported)
    #expect(imported.by == "tester")
    #expect(imported.origin == .measured)
    #expect(imported["latency.median"]?.place == "line 29")
    #expect(record.device == "imported: CPU")
    #expect(record.verdict == .valid)
    #expect(record.summary.p50.value?.value == 3_750_000)
    #expect(record.summary.p50.value?.interval.value == nil)
    #expect(record.summary.mean.value == 3_880_000)
    #expect(record.throughput.value == 499.33)
    #expect(record.initialization.first.value == 5_670_000)
    let missing = imported.gaps.map(\.name)
    #expect(missing.contains("samples") && missing.contains("model.sha256"))
    // It survives writing and reading.
    #expect(try Record(json: record.json) == record)
  }

  @Test func aRankingWithMeasurementsSaysWhereFiguresAreFrom() throws {
    let foreign = try #require(
      records("benchmark_app", source("openvino-rep-benchmark_report.csv")).first
    )
    var own = foreign
    own.imported = nil
    own.device = "local"
    let unlike = own.unlikeness(to: foreign).filter(\.forbidsRanking).map(\.what)
    #expect(unlike.contains("source") && unlike.contains("device"))
  }

  @Test func anEstimateIsNoLatency() throws {
    let name = "vela-mnv2_int8_summary_Ethos_U55_High_End_Embedded.csv"
    let record = try #require(records("vela", source(name)).first)
    #expect(record.verdict == .invalid)
    #expect(record.reasons.first?.code == "IMP012")
    #expect(record.summary.mean.value == nil)
    #expect(record.summary.mean.missingReason?.contains("estimates 15.8 ms") == true)
    #expect(record.throughput.value == nil)
    #expect(record.imported?["latency.mean"]?.value == 0.015789496)
  }

  @Test func samplesComeOverWhereThereAreAny() throws {
    let record = try #require(records("trtexec", source("trtexec-times.json")).first)
    #expect(record.samples == [1_993_000, 2_002_000, 1_984_000])
    #expect(record.summary.p50.value?.value == 1_993_000)
    #expect(record.imported?.gaps.contains { $0.name == "samples" } == false)
  }

  @Test func loadGenTellsScenarioAndValidity() throws {
    let summary = try #require(records("loadgen", source("loadgen-summary.txt")).first)
    #expect(summary.scenario?.kind == .singleStream)
    #expect(summary.summary.p90.value?.value == 7_132_046)
    #expect(summary.summary.p50.value?.value == 7_041_112)
    #expect(summary.throughput.value == 141.4)
    #expect(summary.verdict == .valid)
    let detail = try #require(records("loadgen", source("loadgen-detail.txt")).first)
    #expect(detail.scenario?.kind == .server)
    #expect(detail.scenario?.targetLatency == 80_000_000)
    #expect(detail.scenario?.ratePerSecond == 120.5)
    #expect(detail.summary.p99.value?.value == 60_426_940)
    #expect(detail.throughput.value == 119.83)
    #expect(detail.imported?.toolVersion == "5.1")
    var text = try #require(source("loadgen-summary.txt").text("loadgen-summary.txt"))
    text = text.replacing("Result is : VALID", with: "Result is : INVALID")
    let invalid = try #require(
      records("loadgen", ImportSource(path: "s.txt", files: ["s.txt": Array(text.utf8)])).first
    )
    #expect(invalid.verdict == .invalid)
    #expect(invalid.reasons.first?.code == "IMP011")
  }

  @Test func aFolderOfLogsIsReadFromTheDetailLog() throws {
    let detail = try #require(source("loadgen-detail.txt").files.values.first)
    let summary = try #require(source("loadgen-summary.txt").files.values.first)
    let folder = ImportSource(
      path: "out",
      files: ["mlperf_log_detail.txt": detail, "mlperf_log_summary.txt": summary]
    )
    #expect(try records("loadgen", folder).map { $0.scenario?.kind } == [.server])
  }

  @Test func publishedTablesGiveALineEach() throws {
    let all = try records("strep", source("strep-raw.csv"))
    #expect(all.map(\.device) == ["published: Desktop CPU", "published: Desktop TPU"])
    let tpu = try #require(all.last)
    #expect(tpu.runtime == "litert" && tpu.provider == "tpu")
    #expect(tpu.summary.mean.value == 4_970_000)
    #expect(tpu.summary.p50.value == nil)
    #expect(tpu.accuracy.value == 0.6139)
    #expect(tpu.accuracyCount == 12_000)
    #expect(tpu.mainEnergy?.perInference.value?.value == 0.0912)
    #expect(tpu.mainEnergy?.provenance == .estimated)
    #expect(Set(all.map(\.id)).count == 2)
  }

  @Test func aFolderOfEdgeAccIsOneRun() throws {
    let results = try #require(source("edge-acc-results.json").files.values.first)
    let emissions = try #require(source("emissions.csv").files.values.first)
    let platform = Array(#"{"Processor": "i7-6700", "Node Name": "lab", "System": "Linux"}"#.utf8)
    let config = Array(#"{"timestamp": "2023_06_01_12_34_56"}"#.utf8)
    let record = try #require(
      records(
        "edge-acc",
        ImportSource(
          path: "infer_classification_1",
          files: [
            "validation_results.json": results, "emissions.csv": emissions,
            "execution_platform.json": platform, "config.json": config,
          ]
        )
      ).first
    )
    #expect(record.device == "imported: i7-6700")
    #expect(record.provider == "tpu" && record.variant == "static_int8")
    #expect(record.summary.mean.value == 4_970_000)
    #expect(record.finishedAt == 1_685_622_896_000_000_000)
    let energy = try #require(record.mainEnergy?.perInference.value?.value)
    #expect(abs(energy - 0.0002043 * 3.6e6 / 12_000) < 1e-12)
  }

  @Test func runsOfMLflowKeepTheirMetricsAndTheirFailures() throws {
    let runs = try records("mlflow", source("mlflow-runs.csv"))
    #expect(runs.map(\.verdict) == [.valid, .invalid])
    #expect(runs.first?.summary.mean.value == 15_700_000)
    #expect(runs.first?.imported?["metric.loss"]?.value == 1.713)
    #expect(runs.first?.finishedAt == 1_685_622_896_789_000_000)
    #expect(runs.last?.reasons.first?.code == "IMP010")
    let run = try #require(records("mlflow", source("mlflow-run.json")).first)
    #expect(run.accuracy.value == 0.6218)
    let folder = ImportSource(
      path: "run",
      files: [
        "meta.yaml": Array("run_id: 0a1b\nstatus: 3\nend_time: 1685622896789\n".utf8),
        "metrics/running_time": Array("1685622896000 0.02 0\n1685622896700 0.0157 1\n".utf8),
        "params/model": Array("SmallNet\n".utf8),
      ]
    )
    let below = try #require(records("mlflow", folder).first)
    #expect(below.summary.mean.value == 15_700_000)
    #expect(below.model.path == "SmallNet")
    #expect(below.verdict == .valid)
  }

  @Test func theSameFileGivesTheSameRecordsAgain() throws {
    let first = try records("strep", source("strep-raw.csv"))
    let second = try records("strep", source("strep-raw.csv"))
    #expect(first.map(\.id) == second.map(\.id))
  }

  @Test(arguments: [
    ("strep", "mlflow-runs.csv"), ("mlflow", "strep-raw.csv"), ("loadgen", "strep-raw.csv"),
    ("trtexec", "mlflow-run.json"), ("benchmark_app", "trtexec-times.json"),
    ("vela", "loadgen-summary.txt"), ("mvncprofile", "strep-raw.csv"),
    ("edge-acc", "strep-raw.csv"),
  ])
  func aFileOfAnotherToolIsRefused(format: String, file: String) throws {
    #expect(throws: Diagnostic.self) { try records(format, source(file)) }
  }

  @Test func textBehindAQuotedFieldIsRefused() throws {
    let text = "model,environment,running_time\nm,\"1\"2,0.5\n"
    let refusal = #expect(throws: Diagnostic.self) {
      try records("strep", ImportSource(path: "t.csv", files: ["t.csv": Array(text.utf8)]))
    }
    #expect(refusal?.code == "IMP005")
  }
}
