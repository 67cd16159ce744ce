import AssayBase
import AssayRecord
import AssayTestSupport
import Testing

private func schemaFile(_ name: String) throws -> String {
  try #require(MappedFile(path: TestData.package + "/docs/schema/" + name).view.utf8)
}

@Suite struct RecordJSONTests {
  /// `docs/schema/record-1.json` is what the writer makes of what the reader read, byte by byte.
  @Test func theGoldenRecordSurvives() throws {
    let golden = try schemaFile("record-1.json")
    let record = try Record(json: JSON(parsing: golden))
    let text = record.json.text(pretty: true) + "\n"
    #expect(Golden.mismatch(text, "docs/schema/record-1.json") == nil)
    #expect(record.model.byteCount == 24560)
    #expect(record.initialization.first == .missing(reason: "the runtime does not tell it apart"))
    #expect(record.reasons.first?.code == "BEN101")
    #expect(record.extra["x-note"] != nil)
    #expect(record.samples.count == record.rounds.reduce(0, +))
  }

  @Test func everyFieldSurvives() throws {
    var record = Record(
      id: "a",
      session: "s",
      finishedAt: 1_763_675_921_123_456_789,
      model: .init(path: "x/é\u{0}\".tflite", sha256: "00", byteCount: 3),
      artefact: "tflite",
      variant: "float32",
      runtime: "litert",
      version: "2",
      provider: "cpu",
      device: "local",
      threads: 4
    )
    #expect(try Record(json: record.json) == record)
    record.accuracy = .value(1)
    record.accuracyCount = 7
    record.snrDb = .value(.infinity)
    record.agreement = .value(0.1 + 0.2)
    record.peakMemoryBytes = .value(1 << 40)
    record.samples = [1, 2, 3]
    record.rounds = [3]
    record.warmup = [9]
    record.verdict = .valid
    record.reasons = [
      Diagnostic("BEN001", "s", at: ["a", "b"], remedy: "r", cause: "c", severity: .warning)
    ]
    record.extra = .object(["later": [1, "two"]])
    record.placement = .object(["provider": "XNNPACK"])
    record.operators = []
    record.command = ["assay", "bench"]
    let text = record.json.text()
    #expect(try Record(json: JSON(parsing: text)) == record)
  }

  @Test func derivedMembersAreNotReadBack() throws {
    var json = try JSON(parsing: schemaFile("record-1.json"))
    json["latencyNs"] = ["wrong"]
    let record = try Record(json: json)
    #expect(record.extra["latencyNs"] == nil)
    #expect(record.json["latencyNs"]?["p50"]?.int != nil)
  }

  @Test func membersOfExtraNeverReplaceKnownOnes() throws {
    var record = try Record(json: JSON(parsing: schemaFile("record-1.json")))
    record.extra = .object(["verdict": "VALID-ish", "new": 1])
    #expect(record.json["verdict"] == "VALID")
    #expect(record.json["new"] == 1)
  }

  @Test func anotherSchemaIsRefused() {
    #expect {
      try Record(json: .object(["schema": "assay.record/2"]))
    } throws: { ($0 as? Diagnostic)?.code == "REC001" }
    #expect { try Record(json: 3) } throws: { ($0 as? Diagnostic)?.code == "REC001" }
  }

  @Test func everyBadMemberIsNamedAtOnce() throws {
    var json = try JSON(parsing: schemaFile("record-1.json"))
    json["threads"] = "four"
    json["verdict"] = "MAYBE"
    json["samplesNs"] = [1, "x"]
    json["accuracy"] = true
    json["model"] = nil
    #expect {
      try Record(json: json)
    } throws: { error in
      let places = (error as? Diagnostics)?.all.flatMap(\.location) ?? []
      return Set(places)
        == [
          "threads", "verdict", "samplesNs", "accuracy", "model.path", "model.sha256",
          "model.bytes",
        ]
    }
  }

  @Test func theGoldenRecordFollowsItsSchema() throws {
    let schema = try JSON(parsing: schemaFile("record-1.schema.json"))
    let record = try Record(json: JSON(parsing: schemaFile("record-1.json")))
    #expect(SchemaCheck(root: schema).faults(record.json, schema, "record") == [])
    // Each member that the writer knows is described, and each one described is written.
    let described = Set((schema["properties"]?.pairs ?? []).map(\.key))
    #expect(described == Set((record.json.pairs ?? []).map(\.key)).subtracting(["x-note"]))
    var broken = record.json
    broken["threads"] = "four"
    broken["latencyNs"]?["p50"] = "fast"
    #expect(
      SchemaCheck(root: schema).faults(broken, schema, "record")
        == ["record.threads", "record.latencyNs.p50"]
        || SchemaCheck(root: schema).faults(broken, schema, "record")
          == ["record.latencyNs.p50", "record.threads"]
    )
  }
}

/// The part of JSON Schema that docs/schema uses.
private struct SchemaCheck {
  let root: JSON

  func faults(_ value: JSON, _ schema: JSON, _ path: String) -> [String] {
    var schema = schema
    if let name = schema["$ref"]?.string?.split(separator: "/").last {
      guard let target = root["$defs"]?[String(name)] else { return [path + " ($ref)"] }
      schema = target
    }
    if let constant = schema["const"], constant != value { return [path] }
    if let options = schema["enum"]?.array, !options.contains(value) { return [path] }
    if let options = schema["anyOf"]?.array {
      return options.contains { faults(value, $0, path).isEmpty } ? [] : [path]
    }
    var found: [String] = []
    switch schema["type"]?.string {
    case "string" where value.string == nil, "integer" where !isInteger(value),
      "number" where value.double == nil, "object" where value.pairs == nil,
      "array" where value.array == nil:
      return [path]
    default: break
    }
    for name in schema["required"]?.array ?? [] {
      if let name = name.string, value[name] == nil { found.append(path + "." + name) }
    }
    for (name, member) in schema["properties"]?.pairs ?? [] {
      if let inner = value[name] { found += faults(inner, member, path + "." + name) }
    }
    if let items = schema["items"] {
      for (index, element) in (value.array ?? []).enumerated() {
        found += faults(element, items, path + "[\(index)]")
      }
    }
    return found
  }

  private func isInteger(_ value: JSON) -> Bool {
    if case .integer = value { true } else { false }
  }
}
