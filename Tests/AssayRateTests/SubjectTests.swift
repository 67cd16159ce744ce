import AssayBase
import AssayRecord
import AssayStatistics
import Testing

@testable import AssayRate

/// Records and tables as subjects.
@Suite struct SubjectTests {
  private func record(
    _ variant: String,
    _ nanoseconds: Int64,
    bytes: Int = 1000,
    threads: Int = 1,
    verdict: Record.Verdict = .valid
  ) -> Record {
    var record = Record(
      id: "S-\(variant)-\(threads)",
      session: "S",
      finishedAt: 0,
      model: .init(path: "out/net.\(variant).tflite", sha256: "", byteCount: bytes),
      artefact: "tflite",
      variant: variant,
      runtime: "litert",
      version: "2.3.0",
      provider: "cpu",
      device: "local",
      threads: threads
    )
    // Three rounds of which each has its own level.
    for shift in [-1, 0, 1] as [Int64] {
      record.samples += (0..<21).map { nanoseconds + shift * nanoseconds / 100 + $0 % 3 }
    }
    record.rounds = [21, 21, 21]
    record.verdict = verdict
    record.accuracy = .value(0.9)
    record.accuracyCount = 500
    return record
  }

  /// What an emulator takes is rated by nobody; what it computes is.
  @Test func timesOfEmulatorsAreNotRated() throws {
    var record = record("static_int8", 2_000_000)
    record.environment = .object(["emulator": "qemu user mode"])
    let subject = try #require(Subject.of([record]).first)
    #expect(subject.values["latency"] == nil && subject.values["memory"] == nil)
    #expect(subject.values["accuracy"] != nil && subject.values["size"] != nil)
    #expect(subject.conditions["emulated"] == "qemu user mode")
  }

  @Test func aRecordBecomesASubject() throws {
    let record = record("static_int8", 2_000_000)
    let subject = try #require(Subject.of([record]).first)
    #expect(subject.title == "net static_int8")
    #expect(subject.values["size"] == Measured(1000, .exact))
    #expect(subject.values["accuracy"] == Measured(0.9, .counted(500)))
    #expect(subject.values["energy"] == nil && subject.values["memory"] == nil)
    #expect(subject.conditions["threads"] == "1")
    #expect(subject.conditions["scenario"] == "single-stream")
    #expect(subject.conditions["emulated"] == "no")
    let latency = try #require(subject.values["latency"])
    #expect(abs(latency.value - 0.002) < 1e-7)
    guard case .relative(let error, let freedom) = latency.uncertainty else {
      Issue.record("no uncertainty")
      return
    }
    // Medians 1 % apart: a standard deviation of 1 %, over the root of three.
    #expect(freedom == 2)
    #expect(abs(error - 0.01 / 3.0.squareRoot()) < 1e-4)
  }

  @Test func energyIsThatOfTheMeter() throws {
    var record = record("float32", 2_000_000)
    var energy = Record.Energy(
      driver: "fake",
      meter: "fake",
      provenance: .measured,
      seconds: 1,
      inferenceCount: 100,
      windowCount: 3
    )
    energy.domains = [
      .init(
        name: "board",
        scope: "board",
        isPrimary: true,
        readingCount: 50,
        total: .value(.init(2, uncertainty: 0.1)),
        net: .missing(reason: "no idle power"),
        idlePower: .missing(reason: "no idle power")
      )
    ]
    record.energy = [energy]
    let measured = try #require(Subject.of([record]).first?.values["energy"])
    #expect(abs(measured.value - 0.02) < 1e-12 && measured.provenance == .measured)
    #expect(measured.uncertainty == .interval(0.02 - 0.001...0.02 + 0.001))
    record.energy[0].provenance = .constant
    #expect(Subject.of([record]).first?.values["energy"]?.provenance == .estimated)
  }

  @Test func withFewerRoundsTheIntervalHasToDo() throws {
    var record = record("float32", 2_000_000)
    record.rounds = []
    let subject = try #require(Subject.of([record]).first)
    guard case .relative(_, let freedom) = try #require(subject.values["latency"]).uncertainty
    else {
      Issue.record("no uncertainty")
      return
    }
    #expect(freedom == .infinity)
  }

  @Test func anInvalidRecordHasNoLatency() throws {
    let subject = try #require(Subject.of([record("float32", 10, verdict: .invalid)]).first)
    #expect(subject.values["latency"] == nil)
    #expect(subject.values["size"] != nil)
  }

  @Test func theOriginalIsMeasuredAlike() throws {
    let all = [
      record("float32", 8_000_000), record("float32", 3_000_000, threads: 4),
      record("static_int8", 2_000_000), record("static_int8", 1_000_000, threads: 2),
    ]
    let subjects = Subject.of(all)
    #expect(subjects.map(\.isOriginal) == [true, true, false, false])
    let alike = try #require(subjects[2].original["latency"])
    #expect(abs(alike.value - 0.008) < 1e-6)
    // Nothing was measured with two threads: only what does not depend on them.
    #expect(subjects[3].original["latency"] == nil)
    #expect(subjects[3].original["accuracy"] != nil)
    // A choice of rows does not take the original away.
    #expect(Subject.of(all, chosen: [all[2]]).first == subjects[2])
  }

  @Test func namesLoseFolderExtensionAndRecipe() {
    var record = record("static_int8", 1)
    for (path, name) in [
      ("a/b/net.static_int8.tflite", "net"), ("net-static_int8.onnx", "net"), ("net", "net"),
      (".hidden", ".hidden"), ("", "model"), ("a/static_int8.tflite", "static_int8"),
    ] {
      record.model.path = path
      #expect(Subject.name(record) == name, "\(path)")
    }
  }

  @Test func columnsOfTablesAreProperties() throws {
    let described = try PropertyMeta.read(
      JSON(
        parsing: """
          {"ms": {"is": "latency", "factor": 0.001, "provenance": "measured"},
          "top1": {"is": "accuracy", "maximize": true, "count": "images"}}
          """
      )
    )
    let records: [(line: Int, fields: [String])] = [
      (1, ["model", "ms", "top1", "images", "dataset"]),
      (2, ["m", "20", "0.75", "400", "imagenet"]),
    ]
    let table = try MeasurementTable(records, properties: described)
    let subject = try #require(Subject.of(table).first)
    #expect(subject.values["latency"] == Measured(0.02, .unknown, .measured))
    #expect(subject.values["accuracy"] == Measured(0.75, .counted(400), .given))
    #expect(subject.dataset == "imagenet")
    #expect(Scale.forDataset("ImageNet")?.name == "image-classification")
    #expect(
      PropertyMeta.known(among: ["model", "running_time", "size", "odd"]).map(\.scaleKey)
        == ["latency", "size"]
    )
  }
}
