import AssayBase
import AssayBench
import AssayCatalog
import AssayDevice
import AssayHost
import AssayJobs
import AssayMachine
import AssayMeter
import AssayRecord
import AssayRemote
import AssayRuntime
import AssayStore
import Synchronization

extension Shared {
  static let device = Option(
    "--device",
    .value("DEVICE"),
    "where to measure: local (default), ssh:[USER@]HOST[:PORT], adb:SERIAL, or a name; see assay devices"
  )
}

/// The device that `--device` names, opened for a job; `nil` for this machine itself.
func deviceSession(_ arguments: Arguments, _ console: Console) throws -> DeviceSession? {
  guard let word = arguments.value("--device"), word != "local" else { return nil }
  let (device, settings) = try Catalog.device(word, DeviceBook.read())
  let lease = try deviceLease(device.address, storeURL(arguments), console)
  let session = try DeviceSession(device, settings, progress: { console.progress($0) })
  session.whenClosed { lease.release() }
  session.lease = { lease.renew() }
  console.endProgress()
  return session
}

/// Takes a device for one job, by the ledger of a store.
func deviceLease(
  _ address: DeviceAddress,
  _ store: String,
  _ console: Console
) throws -> DeviceLease {
  defer { console.endProgress() }
  return try DeviceLease.take(
    ["device " + address.text],
    in: try openStore(store),
    waits: { console.progress($0) }
  )
}

/// Takes the meters of a job, by the ledger of a store; `nil` when there are none.
func meterLease(
  _ words: String?,
  _ store: @autoclosure () throws -> any Store,
  _ console: Console
) throws -> DeviceLease? {
  guard let words, words != "none" else { return nil }
  // A meter that computes its figures may serve many.
  let names = try MeterSpec.list(words).map(\.driver).filter { !["virtual", "file"].contains($0) }
  guard !names.isEmpty else { return nil }
  return try DeviceLease.take(
    names.map { "meter \($0) of \(MachineInfo.current().identity)" },
    in: try store(),
    waits: { console.progress($0) }
  )
}

/// The runtime as it is, or its sessions on the device.
///
/// - Parameter provider: the hardware path, whose plug-ins go along.
func placed(
  _ runtime: any InferenceRuntime,
  on session: DeviceSession?,
  provider: Provider = .cpu
) -> any InferenceRuntime {
  guard let session else { return runtime }
  let id = runtime.id
  return WorkerRuntime(id: id, formats: runtime.formats) {
    try session.makeWorker(runtime: id, provider: provider)
  }
}

extension Comparison {
  /// Lets a comparison measure on a device, and leaves out what only this machine can do.
  mutating func place(on session: DeviceSession) {
    makeWorker = { configuration in
      try session.makeWorker(
        runtime: configuration.runtime,
        provider: configuration.provider
      )
    }
    deviceFacts = session.environment
    // Counters and pictures are this machine's.
    countsEvents = false
    pipeline = nil
    // The device's memory is not this machine's: one worker at a time.
    availableMemory = { 0 }
    watchers.append(DeviceWatcher(session))
  }
}

/// Looks at a device's state before and after its trials, and joins it to the records.
final class DeviceWatcher: BenchWatcher {
  private let session: DeviceSession
  private let before = Mutex<JSON>(.null)

  init(_ session: DeviceSession) {
    self.session = session
    let conditions = session.facts.conditions?.json ?? .null
    before.withLock { $0 = conditions }
  }

  func turnBegins(record _: String) { session.lease?() }

  func trialEnds(_ record: inout Record) {
    let first = before.withLock { $0 }
    guard first != .null else { return }
    let facts = try? session.journal.note("probe", { try session.device.probe() })
    let after = facts?.conditions
    record.conditions = Record.Conditions(
      policy: "tag",
      before: first,
      after: after?.json ?? .null,
      stealShare: .missing(reason: "it is another machine's")
    )
    if let before = session.facts.conditions {
      var notes = Preflight(before, threads: record.threads).findings
      if let after { notes += Preflight(after, threads: record.threads).findings }
      var seen: Set<String> = []
      for var note in notes where seen.insert(note.code).inserted {
        if note.severity == .error { note.severity = .warning }
        note.location.insert(session.name, at: 0)
        record.reasons.append(note)
      }
    }
    if let after { before.withLock { $0 = after.json } }
  }
}
