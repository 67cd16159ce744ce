import AssayAccuracy
import AssayBase
import AssayHost
import AssaySets
import AssayStore
import AssayTestSupport
import Testing

@testable import AssayCommand

private func samplePlan(runtime: String = "reference") -> EvaluationPlan {
  EvaluationPlan(
    model: "model.tflite",
    sha256: "a",
    runtime: runtime,
    version: "1",
    provider: "cpu",
    threads: 1,
    set: "set",
    setHash: "b",
    preprocess: "",
    head: nil,
    labelOffset: 0,
    vocabulary: nil,
    isUncased: true,
    detectorClasses: 0
  )
}

/// Figures that nobody should go by.
struct EvaluationVerdictTests {
  private let set = LabelledSet(
    task: .classes,
    source: "",
    classes: (0..<10).map { "\($0)" },
    items: []
  )

  private func result(_ runtime: String, predicted: (Int) -> Int) -> EvaluationResult {
    var outcomes: [Int: Outcome] = [:]
    for index in 0..<100 {
      let (label, found) = (index % 10, predicted(index))
      outcomes[index] = .label(
        ClassOutcome(predicted: found, label: label, rank: found == label ? 0 : 5)
      )
    }
    return EvaluationResult(
      plan: samplePlan(runtime: runtime),
      task: .classes,
      classCount: 10,
      outcomes: outcomes
    )
  }

  @Test func aProviderThatComputesNonsenseIsFlagged() throws {
    let good = result("cpu") { $0 % 10 == 3 && $0 > 50 ? 4 : $0 % 10 }
    let bad = result("npu") { $0 < 12 ? $0 % 10 : ($0 * 7 + 1) % 10 }
    let table = EvaluationTable(set: set, results: [good, bad], reference: nil, threads: 1)
    #expect(table.findings(good).isEmpty)
    #expect(table.findings(bad).map(\.code).contains("EVA011"))
    #expect(table.json(good)["verdict"] == "VALID" && table.json(bad)["verdict"] == "INVALID")
    let lines = table.text.split(separator: "\n")
    #expect(lines.contains { $0.contains("npu") && $0.contains("INVALID") })
    // Against the original too, also when it is the only row.
    let alone = EvaluationTable(set: set, results: [bad], reference: good, threads: 1)
    #expect(alone.json(bad)["verdict"] == "INVALID")
    #expect(
      EvaluationTable(set: set, results: [good], reference: good, threads: 1).json(good)["verdict"]
        == "VALID"
    )
  }

  @Test func oneClassForEverythingIsFlagged() {
    let blind = result("cpu") { _ in 4 }
    let table = EvaluationTable(set: set, results: [blind], reference: nil, threads: 1)
    #expect(table.findings(blind).map(\.code) == ["EVA012"])
    #expect(table.json(blind)["verdict"] == "INVALID")
  }

  @Test func labelsOfAnotherOrderAreFound() {
    let shifted = result("cpu") { ($0 % 10 + 1) % 11 }
    let table = EvaluationTable(set: set, results: [shifted], reference: nil, threads: 1)
    #expect(table.findings(shifted).map(\.code) == ["EVA010"])
  }

  @Test func aFailedRowIsInvalid() {
    var failed = result("cpu") { $0 % 10 }
    failed.fault = [Diagnostic("EVA020", "the worker ended")]
    let table = EvaluationTable(set: set, results: [failed], reference: nil, threads: 1)
    #expect(table.json(failed)["verdict"] == "INVALID" && table.text.contains("failed"))
  }
}

/// Shares of an evaluation in the store's ledger.
struct EvaluationLedgerTests {
  private func ledger(_ folder: String, items: Int = 40) throws -> EvaluationLedger {
    let plan = samplePlan()
    let store = try openStore("sqlite:" + Host.join(folder, "store.sqlite"))
    let ledger = EvaluationLedger(store: store, plan: plan, itemCount: items)
    try ledger.enroll()
    return ledger
  }

  private func outcome(_ index: Int) -> (Int, Outcome) {
    let counts = ClassOutcome(predicted: index, label: index, rank: 0, confidence: 0.5)
    return (index, .label(counts))
  }

  @Test func everyItemIsGivenOutOnceToTwoWorkers() throws {
    try withFolder { folder in
      let ledger = try ledger(folder)
      let workers = (0..<2).map { _ in EvaluationShares(ledger, batch: 3) }
      var given: [Int] = []
      // Each looks one batch ahead, as a worker does.
      var ahead = try workers.map { try $0.next() }
      while ahead.contains(where: { !$0.isEmpty }) {
        for side in 0..<2 where !ahead[side].isEmpty {
          let batch = ahead[side]
          ahead[side] = try workers[side].next()
          given += batch
          try workers[side].note(batch.map { outcome($0) })
        }
      }
      #expect(given.sorted() == Array(0..<40))
      #expect(try ledger.outcomes().count == 40 && ledger.count() == 40)
      #expect(try ledger.outcomes()[7] == outcome(7).1)
      // Enrolled again, nothing is left to do.
      try ledger.enroll()
      #expect(try ledger.claim() == nil)
    }
  }

  @Test func aShareThatFailsWaitsAgainWithItsReason() throws {
    try withFolder { folder in
      let ledger = try ledger(folder)
      let first = EvaluationShares(ledger, batch: 8)
      let batch = try first.next()
      // The next share was taken already when the first one fails.
      _ = try first.next()
      try first.fail([Diagnostic("DAT001", "a broken picture")])
      #expect(try ledger.failures() == [[Diagnostic("DAT001", "a broken picture")]])
      #expect(try ledger.held().isEmpty && ledger.count() == 0)
      var seen: [Int] = []
      let second = EvaluationShares(ledger, batch: 8)
      var next = try second.next()
      while !next.isEmpty {
        seen += next
        try second.note(next.map { outcome($0) })
        next = try second.next()
      }
      #expect(seen.sorted() == Array(0..<40))
      // What failed comes last.
      #expect(Array(seen.suffix(8)) == batch)
    }
  }

  @Test func aWorkerThatCannotBeginSaysWhy() throws {
    try withFolder { folder in
      let ledger = try ledger(folder)
      try EvaluationShares(ledger, batch: 8).fail([Diagnostic("EVA004", "no vocabulary")])
      #expect(try ledger.failures().flatMap { $0 }.map(\.code) == ["EVA004"])
    }
  }
}
