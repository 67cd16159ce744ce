import AssayBase
import AssayRecord
import AssayRuntime
import Testing

@testable import AssayBench

/// A worker whose placement is what a test says: as loaded, and as its profile read it back.
private final class PlacedWorker: WorkerLink {
  let loaded: JSON
  let profiled: JSON?

  init(_ loaded: JSON, _ profiled: JSON?) {
    self.loaded = loaded
    self.profiled = profiled
  }

  func ask(_ request: JSON, seconds: Double) throws -> JSON {
    switch request["do"]?.string {
    case "load": return .object(["version": "1", "placement": loaded])
    case "warmup", "block":
      return .object(["samples": .array((0..<30).map { .integer(Int64(5000 + $0)) })])
    case "profile":
      guard let profiled else { throw Diagnostic("RTM005", "no profiler") }
      return .object(["operators": .array([]), "placement": profiled])
    default: return .object(["peak": 1, "ns": 1])
    }
  }

  func end() {}
}

@Suite("Placement") struct PlacementTests {
  private func placement(
    _ provider: String,
    _ placed: Int? = nil,
    of total: Int? = nil,
    _ notes: [String] = []
  ) -> JSON {
    Placement(provider: provider, placed: placed, total: total, notes: notes).json
  }

  private func measured(
    asked provider: Provider,
    _ loaded: JSON,
    profiled: JSON? = nil,
    profiledRuns: Int = 0
  ) throws -> Record {
    var comparison = Comparison(
      preset: .quick,
      profiledRuns: profiledRuns,
      folder: "",
      command: [],
      executable: ""
    )
    comparison.makeWorker = { _ in PlacedWorker(loaded, profiled) }
    let configuration = Configuration(
      model: Record.Model(path: "m", sha256: "", byteCount: 1),
      artefact: "onnx",
      variant: "v",
      runtime: "fake",
      provider: provider
    )
    return try #require(try comparison.run([configuration]).first?.record)
  }

  private func reported(_ record: Record) -> Diagnostic? {
    record.reasons.first { $0.code == "BEN105" }
  }

  @Test("an accelerator that took everything is what was asked for")
  func whole() throws {
    let record = try measured(
      asked: .gpu,
      placement("CUDAExecutionProvider"),
      profiled: placement("CUDAExecutionProvider", 53, of: 53)
    )
    #expect(reported(record) == nil && record.verdict == .valid)
    // It was read back though nobody asked for a profile.
    #expect(record.placement["placed"] == 53)
  }

  @Test("one that took a part makes the verdict INVALID, with the share that ran elsewhere")
  func part() throws {
    let record = try measured(
      asked: .gpu,
      placement("CUDAExecutionProvider"),
      profiled: placement(
        "CUDAExecutionProvider",
        40,
        of: 50,
        ["10 nodes on CPUExecutionProvider", "40 nodes on CUDAExecutionProvider"]
      )
    )
    let finding = try #require(reported(record))
    #expect(finding.severity == .error && record.verdict == .invalid)
    #expect(finding.summary.contains("10 of 50 operators (20 %)"))
    #expect(finding.cause?.contains("10 nodes on CPUExecutionProvider") == true)
  }

  @Test("the processor in place of an accelerator, and one that took nothing, are INVALID")
  func fallback() throws {
    for name in ["CPU", "XNNPACK", "CPUExecutionProvider"] {
      let record = try measured(asked: .npu, placement(name))
      #expect(reported(record)?.severity == .error && record.verdict == .invalid)
      #expect(reported(record)?.summary == "npu was asked for, \(name) ran")
    }
    let nothing = try measured(asked: .tpu, placement("EdgeTPU", 0, of: 9))
    #expect(nothing.verdict == .invalid)
  }

  @Test("a part of which the runtime does not tell how much is INVALID too")
  func somePart() throws {
    let record = try measured(asked: .gpu, placement("GPU", nil, of: 9, [Placement.partly]))
    #expect(reported(record)?.severity == .error && record.verdict == .invalid)
  }

  @Test("a runtime that does not tell leaves it open, as a warning")
  func silent() throws {
    let record = try measured(asked: .gpu, placement("GPU.0"))
    #expect(reported(record)?.severity == .warning && record.verdict == .valid)
  }

  @Test("on the processor a delegate may take a part")
  func processor() throws {
    let record = try measured(asked: .cpu, placement("XNNPACK", 3, of: 9), profiledRuns: 1)
    #expect(reported(record) == nil && record.verdict == .valid)
  }
}
