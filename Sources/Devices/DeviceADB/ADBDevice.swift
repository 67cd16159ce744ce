import AssayADB
import AssayBase
import AssayDevice
import AssayHost

/// A phone, tablet or board with Android's debug bridge, spoken to through adb's server.
public final class ADBDevice: ShellDevice {
  public let address: DeviceAddress
  public let scratchRoot: String
  /// The server that knows it.
  public let server: ADBServer
  /// The word by which the server knows it.
  public let serial: String

  /// A phone at an `adb:` address.
  ///
  /// - Throws: `Diagnostic` DEV001, or ADB005 when the environment names a server elsewhere.
  public init(
    _ address: DeviceAddress,
    _ settings: DeviceSettings = DeviceSettings(),
    server: ADBServer? = nil
  ) throws {
    guard case .adb(let serial) = address else {
      throw Diagnostic("DEV001", "'\(address)' is no adb address")
    }
    self.address = address
    self.serial = serial
    self.server = try server ?? ADBServer.standard()
    // The one folder of every Android in which programs may be run by the shell's user.
    scratchRoot = settings.root ?? "/data/local/tmp"
  }

  public var transport: String {
    let entry = try? server.devices().first { $0.serial == serial }
    return (entry?.transport ?? ADBEntry(serial: serial, state: .offline).transport).rawValue
  }

  /// The phone's own facts beside those of its Linux.
  public func probe() throws -> DeviceFacts {
    let result = try run(DeviceFacts.script(root: scratchRoot), seconds: 30)
    var facts = DeviceFacts(transcript: result.output)
    facts.transport = transport
    let android = try run(AndroidFacts.script, seconds: 30)
    AndroidFacts(transcript: android.output).add(to: &facts)
    return facts
  }

  public func reconnect() throws {
    try startServer()
    if let target = ADBAddress(serial), transport == ADBEntry.Transport.tcp.rawValue {
      try way("reconnecting") { _ = try server.connect(target) }
      return
    }
    try way("reconnecting") { _ = try waitUntilReady(seconds: 10) }
  }

  /// Takes the phone off the bus and finds it anew, as far as adb's server can.
  public func enumerateAgain() throws {
    if let target = ADBAddress(serial), transport == ADBEntry.Transport.tcp.rawValue {
      try? server.disconnect(target)
      try way("connecting anew") { _ = try server.connect(target) }
      return
    }
    try? server.reset(serial)
    try way("finding it anew") { _ = try waitUntilReady(seconds: 20) }
  }

  public func close() {}

  public func run(_ script: String, seconds: Double) throws -> CommandResult {
    try way("a command", seconds: seconds) {
      let outcome = try server.run(script, on: serial, seconds: seconds)
      return CommandResult(
        status: outcome.status,
        output: outcome.text,
        errors: outcome.errorText
      )
    }
  }

  public func open(_ script: String) throws -> any DeviceStream {
    try way("starting a command") { ADBStream(try ADBShell(server, serial, script)) }
  }

  public func push(
    _ file: String,
    to path: String,
    isExecutable: Bool,
    seconds: Double?
  ) throws {
    let bytes = try MappedFile(path: file).view
    let part = path + ".part"
    try way("pushing a file", seconds: seconds) {
      let sync = try ADBSync(server, serial)
      // The file has its name only when it is whole.
      try sync.push(
        bytes,
        to: part,
        mode: isExecutable ? 0o755 : 0o644,
        stall: seconds ?? 30
      )
    }
    let moved = try run(
      "mv -f \(Words.shell([part])) \(Words.shell([path]))",
      seconds: 20
    )
    guard moved.status == 0 else {
      throw DeviceFault.refused(address, "writing \(path)", moved.errors)
    }
  }

  public func pull(_ path: String, to file: String, seconds: Double?) throws {
    let bytes = try way("pulling a file", seconds: seconds) {
      try ADBSync(server, serial).pull(path, stall: seconds ?? 30)
    }
    try AtomicFile.write([ByteView(bytes)], to: file, isSynced: false)
  }

  /// Waits until the server says that the phone can be used.
  private func waitUntilReady(seconds: Double) throws -> ADBEntry {
    let deadline = Host.monotonicNanoseconds() &+ UInt64(seconds * 1e9)
    while true {
      do {
        return try server.device(serial)
      } catch let error as Diagnostic {
        // The owner must act: waiting does not help.
        if error.code == "ADB011" || Host.monotonicNanoseconds() >= deadline { throw error }
        Host.sleep(nanoseconds: 200_000_000)
      }
    }
  }

  private func startServer() throws {
    if (try? server.version()) != nil { return }
    try ADBProgram.find().start(server)
  }

  /// Faults of the way in the words that every driver uses.
  private func way<T>(
    _ action: String,
    seconds: Double? = nil,
    _ body: () throws -> T
  ) throws -> T {
    do {
      return try body()
    } catch let error as Diagnostic {
      let words = [error.summary, error.cause].compactMap(\.self).joined(separator: ": ")
      switch error.code {
      case "ADB021": throw DeviceFault.silent(address, action, seconds ?? 30, cause: words)
      case "ADB001", "ADB010", "ADB012", "ADB020", "ADB022", "ADB040":
        throw DeviceFault.lost(address, action, remedy: error.remedy, cause: words)
      case "ADB023", "ADB030":
        throw DeviceFault.refused(address, action, error.cause ?? error.summary)
      default: throw error
      }
    }
  }
}

/// A command of a phone as lines.
final class ADBStream: DeviceStream {
  private let shell: ADBShell
  private var buffer: [UInt8] = []
  private var searched = 0
  private var errors: [UInt8] = []
  private var status: Int32?
  private var isOver = false
  private let limit = 64 << 20

  init(_ shell: ADBShell) { self.shell = shell }

  func write(_ line: String) -> Bool {
    let deadline = Host.monotonicNanoseconds() &+ 30_000_000_000
    return (try? shell.write(Array(line.utf8) + [10], until: deadline)) != nil
  }

  func readLine(until deadline: UInt64?) -> DeviceLine {
    while true {
      if let end = buffer[searched...].firstIndex(of: 10) {
        let line = String(decoding: buffer[..<end], as: UTF8.self)
        buffer.removeFirst(end + 1)
        searched = 0
        return .line(line)
      }
      searched = buffer.count
      if isOver { return .end }
      if buffer.count > limit { return .tooLong }
      // Without a deadline, the connection is looked at again each minute.
      let until = deadline ?? Host.monotonicNanoseconds() &+ 60_000_000_000
      switch take(until: until) {
      case .more, .over: continue
      case .nothing: if deadline != nil { return .timeout }
      }
    }
  }

  private enum Taken { case more, nothing, over }

  private func take(until deadline: UInt64) -> Taken {
    do {
      switch try shell.next(until: deadline) {
      case .output(let bytes): buffer += bytes
      case .error(let bytes):
        errors += bytes
        if errors.count > 8192 { errors.removeFirst(errors.count - 8192) }
      case .exit(let code):
        status = code
        isOver = true
      }
      return isOver ? .over : .more
    } catch let error as Diagnostic where error.code == "ADB021" {
      return .nothing
    } catch {
      isOver = true
      return .over
    }
  }

  func errorTail() -> String {
    while !isOver, take(until: Host.monotonicNanoseconds() &+ 1_000_000) == .more {}
    return String(decoding: errors, as: UTF8.self)
  }

  @discardableResult
  func end(seconds: Double) -> Int32? {
    let deadline = Host.monotonicNanoseconds() &+ UInt64(max(seconds, 0) * 1e9)
    try? shell.closeInput(until: deadline)
    while !isOver {
      if take(until: deadline) == .nothing {
        kill()
        return nil
      }
    }
    return status
  }

  func kill() {
    shell.abort()
    isOver = true
  }
}
