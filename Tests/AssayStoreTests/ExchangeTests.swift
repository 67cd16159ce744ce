import AssayBase
import AssayData
import AssayHost
import AssayRecord
import Testing

@testable import AssayStore

@Suite struct ExchangeTests {
  private func read(_ text: String, _ format: String) throws -> [Record] {
    try RecordImport.records(text, format: format) { try CSV.records(of: $0) }
  }

  @Test func tablesAndLinesComeBack() throws {
    var strange = sampleRecord("x, \"y\"")
    strange.variant = "a\nb"
    strange.extra = .object(["later": "mémber, \"quoted\""])
    let records = [sampleRecord("1"), strange]
    let table = RecordTable(hasWholeRecord: true)
    let csv = table.header + records.map { table.line($0) }.joined()
    #expect(try read(csv, "csv") == records)
    let lines = records.map { $0.json.text() + "\n" }.joined(separator: "\n")
    #expect(try read(lines, "jsonl") == records)
  }

  @Test(arguments: [
    ("{}\n", "jsonl", "REC001"), ("\n{\"schema\": ", "jsonl", "JSN"),
    ("a,b\n1,2\n", "csv", "STO012"),
    ("a,record\n1\n", "csv", "STO012"), ("[1]", "jsonl", "REC001"),
  ])
  func whatIsNoRecordIsRefused(text: String, format: String, code: String) {
    let found = thrownCode { _ = try read(text, format) }
    #expect(found?.hasPrefix(code) == true, "\(found ?? "nothing")")
  }

  @Test func anImportIsAllOrNothing() throws {
    let folder = try StoreFolder()
    let store = try openStore(folder.path + "/a.sqlite")
    try store.append([sampleRecord("1")])
    var other = sampleRecord("1")
    other.threads = 9
    #expect(
      thrownCode { _ = try RecordImport.add([sampleRecord("2"), other], to: store) } == "STO013"
    )
    #expect(try store.count() == 1)
    let records = [sampleRecord("1"), sampleRecord("2")]
    let dry = try RecordImport.add(records, to: store, isDry: true)
    #expect(dry.added == 1 && dry.known == 1)
    #expect(try store.count() == 1)
    #expect(try RecordImport.add(records, to: store) == dry)
    #expect(try store.count() == 2)
  }

  @Test(arguments: StoreKind.here)
  func copiesHoldRecordsAndLedgers(kind: StoreKind) throws {
    let folder = try StoreFolder()
    let source = try openStore(folder.path + "/a.sqlite")
    let trial = LedgerTrial(key: "k", device: "local", title: "t", specification: .emptyObject)
    let waiting = LedgerTrial(key: "w", device: "local", title: "u", specification: .emptyObject)
    _ = try source.enroll(
      LedgerSweep(id: "s", name: "n", plan: .object(["a": 1])),
      [trial, waiting]
    )
    let claim = try #require(
      try source.claim(
        sweep: "s",
        devices: ["local"],
        holder: "h",
        lease: 1,
        isGone: { _ in false }
      )
    )
    var record = sampleRecord("r")
    record.trial = Record.Trial(key: "k", sweep: "s", repetition: 1, attempt: 1)
    _ = try source.finish(claim, record, detail: .null, isClosing: false)
    try source.append((0..<3).map { sampleRecord("\($0)") })
    let target = try openStore(try kind.newURL(folder))
    let first = try StoreCopy.copy(from: source, to: target)
    #expect(first.records.added == 4 && first.sweeps == 1)
    let second = try StoreCopy.copy(from: source, to: target)
    #expect(second.records.added == 0 && second.records.known == 4 && second.sweeps == 0)
    #expect(try target.records() == source.records())
    #expect(try target.records(ofSweep: "s") == [record])
    #expect(try target.events(sweep: "s").map(\.kind) == source.events(sweep: "s").map(\.kind))
    #expect(try target.progress(sweep: "s", devices: nil).waiting == 1)
    #expect(try target.hasRecord(ofTrial: "k"))
  }

  @Test func redactionTakesOutNamesAndFolders() throws {
    var record = sampleRecord("1")
    record.model.path = "/home/erika/projects/secret/net.tflite"
    record.device = "adb:R58M123ABC"
    record.command = ["assay", "bench", "/home/erika/net.tflite", "--store=/data/x.sqlite"]
    record.environment = .object([
      "hostname": "lab-pc-7", "kernel": "6.1.0 built on lab-pc-7", "user": "erika",
      "clock": "CLOCK_MONOTONIC_RAW", "meter": .object(["serialNumber": "SN-4711"]),
      "governor": "/sys/devices/system/cpu", "ratio": "1/2",
    ])
    record.reasons = [
      Diagnostic(
        "BEN110",
        "ended",
        at: ["C:\\Users\\erika\\net.onnx"],
        cause: "lab-pc-7: cannot open ~/net.tflite (SN-4711, R58M123ABC)"
      )
    ]
    var redactor = Redactor()
    let clean = try redactor.redacted(record)
    let text = clean.json.text()
    for name in ["erika", "lab-pc-7", "R58M123ABC", "SN-4711", "/home", "projects", "Users", "~/"] {
      #expect(!text.contains(name), "\(name) is in \(text)")
    }
    #expect(clean.model.path == "net.tflite")
    #expect(clean.device == "adb:serial-2" || clean.device == "adb:serial-1")
    #expect(clean.samples == record.samples && clean.model.sha256 == record.model.sha256)
    #expect(clean.environment["clock"] == "CLOCK_MONOTONIC_RAW")
    #expect(clean.environment["ratio"] == "1/2")
    #expect(clean.environment["kernel"] == "6.1.0 built on host-1")
    // The same machine has the same stand-in in the next record, another machine another one.
    var second = sampleRecord("2")
    second.environment = .object(["hostname": "lab-pc-8"])
    #expect(try redactor.redacted(second).environment["hostname"] == "host-2")
    #expect(try redactor.redacted(record).environment["hostname"] == "host-1")
    // Of an address each part goes, wherever it stands.
    var far = sampleRecord("3")
    far.device = "ssh:anna@lab-board.example.org:2222"
    far.command = [
      "assay", "bench", "net.tflite", "--device", "ssh:anna@lab-board.example.org:2222",
    ]
    far.environment = .object([
      "individual": "4f1d2a77", "further": .object(["address": "10.0.0.17"]),
      "note": "lab-board answers anna at 10.0.0.17 as 4f1d2a77",
    ])
    let safe = try redactor.redacted(far).json.text()
    for name in ["anna", "lab-board", "example.org", "10.0.0.17", "4f1d2a77"] {
      #expect(!safe.contains(name), "\(name) is in \(safe)")
    }
  }
}
