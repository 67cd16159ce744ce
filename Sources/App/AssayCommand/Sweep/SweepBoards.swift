import AssayBase
import AssayCatalog
import AssayDevice
import AssayHost
import AssayJobs
import AssayRemote

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

  init(_ console: Console) throws {
    book = try DeviceBook.read()
    self.console = console
  }

  deinit { close() }

  /// Leaves every device.
  func close() {
    for session in sessions.values { session.close() }
    sessions = [:]
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
      board.close()
      sessions[name] = nil
      faults[name] = fault
    }
  }
}
