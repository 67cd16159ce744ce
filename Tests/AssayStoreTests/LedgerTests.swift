import AssayBase
import AssayHost
import AssayRecord
import AssayTestSupport
import Testing

@testable import AssayStore

private let minute: Int64 = 60_000_000_000

private func trials(_ count: Int, device: String = "local") -> [LedgerTrial] {
  (0..<count).map {
    LedgerTrial(
      key: "k\($0)",
      device: device,
      title: "trial \($0)",
      specification: ["n", JSON($0)]
    )
  }
}

private let sweep = LedgerSweep(id: "sweep", name: "test", plan: .object(["a": 1]))

extension TrialLedger {
  fileprivate func next(
    _ holder: String = "me",
    lease: Int64 = minute,
    isGone: (String) -> Bool = { _ in false }
  ) throws -> LedgerClaim? {
    try claim(sweep: "sweep", devices: ["local"], holder: holder, lease: lease, isGone: isGone)
  }
}

private func answer(_ claim: LedgerClaim, id: String? = nil, givenUp: Bool = false) -> Record {
  var record = sampleRecord(id ?? "r-\(claim.trial.key)-\(claim.attempt)-\(claim.holder)")
  record.trial = Record.Trial(
    key: claim.trial.key,
    sweep: claim.sweep,
    repetition: 1,
    attempt: claim.attempt,
    isGivenUp: givenUp
  )
  return record
}

@Suite struct LedgerTests {
  @Test(arguments: StoreKind.here)
  func trialsAreDoneInOrderAndOnce(kind: StoreKind) throws {
    let folder = try StoreFolder()
    let url = try kind.newURL(folder)
    let store = try openStore(url)
    #expect(try store.enroll(sweep, trials(3)) == 0)
    // A second start with the same plan changes nothing.
    #expect(try openStore(url).enroll(sweep, trials(3)) == 0)
    #expect(try store.sweeps() == [sweep])
    var seen: [String] = []
    while let claim = try store.next() {
      try store.start(claim)
      #expect(try store.renew(claim, lease: minute))
      #expect(try store.finish(claim, answer(claim), detail: .object(["s": 1]), isClosing: false))
      seen.append(claim.trial.key)
    }
    #expect(seen == ["k0", "k1", "k2"])
    let progress = try store.progress(sweep: "sweep", devices: nil)
    #expect(progress.finished == 3 && progress.isComplete && progress.total == 3)
    #expect(try store.records(ofSweep: "sweep").map { $0.trial?.key } == ["k0", "k1", "k2"])
    #expect(
      try store.events(sweep: "sweep").map(\.kind)
        == Array(repeating: [LedgerEventKind.claimed, .started, .finished], count: 3).flatMap(
          \.self
        )
    )
    #expect(try store.finishedDetails(limit: 2) == [.object(["s": 1]), .object(["s": 1])])
    // Another sweep that wants the same finds it done.
    let other = LedgerSweep(id: "other", name: "other", plan: .null)
    #expect(try store.enroll(other, trials(4)) == 3)
    let left = try #require(
      try store.claim(
        sweep: "other",
        devices: ["local"],
        holder: "me",
        lease: minute,
        isGone: { _ in false }
      )
    )
    #expect(left.trial.key == "k3")
  }

  @Test(arguments: StoreKind.here)
  func aLostLeaseLosesTheRightToAnswer(kind: StoreKind) throws {
    let folder = try StoreFolder()
    let store = try openStore(try kind.newURL(folder))
    _ = try store.enroll(sweep, trials(2))
    let first = try #require(try store.next("slow", lease: -1))
    let second = try #require(try store.next("quick"))
    // What nobody lost comes before what somebody lost.
    #expect(first.trial.key == "k0" && second.trial.key == "k1")
    let again = try #require(try store.next("quick"))
    #expect(again.trial.key == "k0" && again.attempt == 2 && again.losses == 1)
    #expect(try store.next("quick") == nil)
    #expect(try !store.renew(first, lease: minute))
    #expect(try !store.finish(first, answer(first), detail: .null, isClosing: false))
    try store.fail(first, detail: .null)
    try store.release(first)
    #expect(try store.finish(again, answer(again), detail: .null, isClosing: false))
    #expect(try store.count() == 1)
    // A holder that is known to be gone is not waited for.
    let third = try #require(try store.next("heir", isGone: { $0 == "quick" }))
    #expect(third.trial.key == "k1" && third.losses == 1)
    let kinds = try store.events(sweep: "sweep").map(\.kind)
    #expect(kinds == [.claimed, .lost, .claimed, .claimed, .finished, .lost, .claimed])
  }

  @Test(arguments: StoreKind.here)
  func failuresWaitBehindTheOthersAndAreGivenUp(kind: StoreKind) throws {
    let folder = try StoreFolder()
    let store = try openStore(try kind.newURL(folder))
    _ = try store.enroll(sweep, trials(2))
    let first = try #require(try store.next())
    try store.fail(first, detail: .object(["signal": "SIGSEGV"]))
    let second = try #require(try store.next())
    #expect(second.trial.key == "k1")
    try store.release(second)
    #expect(try store.next()?.trial.key == "k1")
    let again = try #require(try store.next())
    #expect(again.trial.key == "k0" && again.failures == 1)
    #expect(
      try store.finish(again, answer(again, givenUp: true), detail: .null, isClosing: true)
    )
    #expect(try store.progress(sweep: "sweep", devices: ["local"]).closed == 1)
    #expect(try store.progress(sweep: "sweep", devices: ["elsewhere"]).total == 0)
    // It can be wanted again, and its answer then takes the place of the reason.
    #expect(try store.reopen(sweep: "sweep") == 1)
    let last = try #require(try store.next())
    #expect(last.trial.key == "k0" && last.failures == 0)
    #expect(try store.finish(last, answer(last), detail: .null, isClosing: false))
    #expect(try store.records(ofSweep: "sweep").map { $0.trial?.isGivenUp } == [false])
    #expect(try store.count() == 2)
  }

  @Test(arguments: StoreKind.here)
  func anotherSweepThatWasFasterCounts(kind: StoreKind) throws {
    let folder = try StoreFolder()
    let store = try openStore(try kind.newURL(folder))
    _ = try store.enroll(sweep, trials(1))
    _ = try store.enroll(LedgerSweep(id: "other", name: "", plan: .null), trials(1))
    let mine = try #require(try store.next())
    let theirs = try #require(
      try store.claim(
        sweep: "other",
        devices: ["local"],
        holder: "they",
        lease: minute,
        isGone: { _ in false }
      )
    )
    #expect(try store.finish(theirs, answer(theirs), detail: .null, isClosing: false))
    #expect(try !store.finish(mine, answer(mine), detail: .null, isClosing: false))
    #expect(try store.progress(sweep: "sweep", devices: nil).finished == 1)
    #expect(try store.count() == 1)
    #expect(try store.records(ofSweep: "sweep").map(\.id) == [answer(theirs).id])
  }

  /// Many holders at once, each with a connection of its own: every trial is run by exactly one.
  @Test(arguments: StoreKind.here)
  func holdersNeverShareATrial(kind: StoreKind) throws {
    let folder = try StoreFolder()
    let url = try kind.newURL(folder)
    _ = try openStore(url).enroll(sweep, trials(40))
    let faults = Faults()
    Host.forEach(below: 4, threads: 4) { number in
      do {
        let store = try openStore(url)
        while let claim = try store.next("holder \(number)") {
          let stored = try store.finish(claim, answer(claim), detail: .null, isClosing: false)
          if !stored { faults.add("\(claim.trial.key) was not stored") }
        }
      } catch {
        faults.add("\(error)")
      }
    }
    #expect(faults.all == [])
    let store = try openStore(url)
    #expect(try store.count() == 40)
    #expect(Set(try store.records(ofSweep: "sweep").compactMap { $0.trial?.key }).count == 40)
    let claims = try store.events(sweep: "sweep").filter { $0.kind == .claimed }
    #expect(Set(claims.map(\.trial)).count == 40 && claims.count == 40)
  }

  @Test(arguments: StoreKind.here)
  func theLedgerIsAppendOnly(kind: StoreKind) throws {
    let folder = try StoreFolder()
    let url = try kind.newURL(folder)
    let store = try #require(try openStore(url) as? SQLStore)
    _ = try store.enroll(sweep, trials(1))
    try store.append([sampleRecord("1")])
    _ = try store.next()
    for table in StoreLayout.appendOnly {
      let changes = [
        "DELETE FROM \(table)",
        "UPDATE \(table) SET \(table == "trial_events" ? "kind" : "id") = 'other'",
      ]
      for change in changes {
        #expect(thrownCode { try store.withDatabase { _ = try $0.run(change) } } == "STO006")
      }
    }
  }
}
