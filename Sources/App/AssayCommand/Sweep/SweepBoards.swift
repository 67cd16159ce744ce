import AssayBase
import AssayCatalog
import AssayDevice
import AssayHost
import AssayJobs
import AssayRemote
import AssayStore

/// The devices of a plan that this machine drives: those whose names are addresses or stand in the file
/// of devices.
///
/// Others are machines that run assay themselves.
///
/// Belongs to the thread of the sweep.
final class SweepBoards {
  private let book: DeviceBook
  private let console: Console
  private var sessions: [String: DeviceSession] = [:]
  private var faults: [String: Diagnostic] = [:]
  /// The rights to use devices alone, by their addresses: a plan may have two names for one.
  private var leases: [String: DeviceLease] = [:]
  private var readings: [String: DeviceHealth.Reading] = [:]
  private var health: DeviceHealth?
  private var scratch: Scratch?

  init(_ console: Console) throws {
    book = try DeviceBook.read()
    self.console = console
  }

  deinit { close() }

  /// Leaves every device.
  func close() {
    for session in sessions.values { session.close() }
    sessions = [:]
    leases = [:]
    scratch?.remove()
    scratch = nil
    health = nil
  }

  /// Makes a device ready for its trials: it is this job's alone from now on, and computes rightly.
  ///
  /// - Parameter store: the store with the ledger.
  /// - Throws: `Diagnostic` DEV030 when another job keeps it, DEV032 when it computes wrongly; it is in
  ///   quarantine then.
  func begin(_ board: DeviceSession, _ name: String, _ store: any Store) throws {
    if let lease = leases[board.name] {
      lease.renew()
      // One that has a second name in the plan is this job's already.
      if readings[name] != nil { return }
    } else {
      leases[board.name] = try DeviceLease.take(
        ["device " + board.name],
        in: store,
        waits: { [console] in console.progress($0) }
      )
    }
    do {
      let reading = try look(board, name)
      guard reading.isRight else { throw DeviceHealth.wrong(name) }
      readings[name] = reading
    } catch let fault as Diagnostic where fault.code == "DEV032" {
      try DeviceQuarantine().put(board.device.address, reason: fault.summary)
      lose(board, name, fault)
      throw fault
    }
  }

  /// What the golden network told of each device at the end of the batch, with what is to be said of it.
  func finish() -> [(health: JSON, finding: Diagnostic?)] {
    readings.sorted { $0.key < $1.key }.map { name, before in
      var json = JSON.object([
        "device": .string(name), "beforeNs": JSON(before.median), "isRight": .bool(before.isRight),
      ])
      guard let board = sessions[name] else {
        json["lost"] = true
        return (json, nil)
      }
      do {
        let after = try look(board, name)
        json["afterNs"] = JSON(after.median)
        json["isRight"] = .bool(after.isRight)
        let finding = DeviceHealth.finding(name, before: before, after: after)
        if !after.isRight {
          try DeviceQuarantine().put(
            board.device.address,
            reason: DeviceHealth.wrong(name).summary
          )
        }
        return (json, finding)
      } catch {
        json["lost"] = true
        return (json, (error as? Diagnostic) ?? Diagnostic("DEV010", "\(error)"))
      }
    }
  }

  private func look(_ board: DeviceSession, _ name: String) throws -> DeviceHealth.Reading {
    console.progress("\(name): a look at its health")
    if health == nil {
      let scratch = try Scratch()
      self.scratch = scratch
      health = try DeviceHealth(folder: scratch.path)
    }
    guard let health else { return DeviceHealth.Reading(isRight: true, median: .nan) }
    // What the runner does not serve is told when a trial asks for it.
    guard board.refusal(of: "litert") == nil else {
      return DeviceHealth.Reading(isRight: true, median: .nan)
    }
    return try health.look(board)
  }

  private func lose(_ board: DeviceSession, _ name: String, _ fault: Diagnostic) {
    board.close()
    sessions[name] = nil
    if !sessions.values.contains(where: { $0.name == board.name }) { leases[board.name] = nil }
    faults[name] = fault
  }

  /// Whether a device of a plan is driven from here.
  func isDriven(_ name: String) -> Bool {
    name != "local" && (name.contains(":") || book.entries.contains { $0.name == name })
  }

  /// The ledger's names of the devices that were opened.
  private(set) var ledgerDevices: [String] = []

  /// The open device of a name; `nil` for one that is not driven from here.
  ///
  /// - Throws: `Diagnostic` when it cannot be opened, now or before.
  func board(_ name: String) throws -> DeviceSession? {
    guard isDriven(name) else { return nil }
    if let open = sessions[name] { return open }
    if let fault = faults[name] { throw fault }
    do {
      let (device, settings) = try Catalog.device(name, book)
      let session = try DeviceSession(
        device,
        settings,
        progress: { [console] in console.progress($0) }
      )
      sessions[name] = session
      if !ledgerDevices.contains(name) { ledgerDevices.append(name) }
      return session
    } catch let fault as Diagnostic {
      faults[name] = fault
      throw fault
    }
  }

  /// Brings a lost device back; one that stays away is in quarantine, and its trials end with that.
  func recover(_ board: DeviceSession, _ name: String, _ console: Console) {
    do {
      let steps = try board.recover()
      console.note("\(name) is back after \(steps.map(\.rung).joined(separator: ", "))")
    } catch {
      let fault = (error as? Diagnostic) ?? Diagnostic("DEV010", "\(error)")
      console.report(fault)
      // Its further trials end with this reason at once.
      lose(board, name, fault)
    }
  }
}
