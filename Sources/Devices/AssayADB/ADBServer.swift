import AssayBase
import AssayHost

/// The adb server of this machine, spoken to in its own protocol.
///
/// Every call opens a connection of its own, so that values may be shared between threads.
public struct ADBServer: Sendable, Equatable {
  /// The port on the loopback interface.
  public var port: Int
  /// How long a short question may take, seconds.
  public var patience: Double

  /// The port that adb takes unless told.
  public static let standardPort = 5037

  /// Makes a server's address.
  public init(port: Int = standardPort, patience: Double = 10) {
    self.port = port
    self.patience = patience
  }

  /// The server that the environment names, as the adb program reads it.
  ///
  /// - Throws: `Diagnostic` ADB005 when it names another machine.
  public static func standard() throws -> ADBServer {
    try named(
      socket: Host.environment("ADB_SERVER_SOCKET"),
      port: Host.environment("ANDROID_ADB_SERVER_PORT")
    )
  }

  /// The server that two variables of the environment name.
  static func named(socket: String?, port text: String?) throws -> ADBServer {
    if let socket {
      let parts = socket.split(separator: ":", omittingEmptySubsequences: false)
      let host = parts.count == 3 ? parts[1] : "127.0.0.1"
      guard parts.first == "tcp", parts.count <= 3, ["localhost", "127.0.0.1"].contains(host),
        let port = parts.last.flatMap({ Int($0) }), (1...65535).contains(port)
      else {
        throw Diagnostic(
          "ADB005",
          "ADB_SERVER_SOCKET is '\(socket)': only a server of this machine is used",
          remedy: "a server on a network gives its phones to everybody there; unset the variable "
            + "and tunnel the port through ssh instead"
        )
      }
      return ADBServer(port: port)
    }
    guard let text else { return ADBServer() }
    guard let port = Int(text), (1...65535).contains(port) else {
      throw Diagnostic("ADB005", "ANDROID_ADB_SERVER_PORT is '\(text)', which is no port")
    }
    return ADBServer(port: port)
  }

  /// The moment until which a short question may take.
  func deadline(_ seconds: Double? = nil) -> UInt64 {
    Host.monotonicNanoseconds() &+ UInt64(max(seconds ?? patience, 0) * 1e9)
  }

  /// The protocol's number that the server speaks.
  public func version() throws -> Int {
    let text = try question("host:version")
    guard let version = Int(text, radix: 16) else {
      throw Diagnostic("ADB002", "adb's server gives '\(text)' as its version")
    }
    return version
  }

  /// The phones that the server knows, usable or not.
  public func devices() throws -> [ADBEntry] { ADBEntry.list(try question("host:devices-l")) }

  /// One phone.
  ///
  /// - Throws: `Diagnostic` ADB010 when it is not there, ADB011 and ADB012 when it cannot be used.
  public func device(_ serial: String) throws -> ADBEntry {
    let all = try devices()
    guard let entry = all.first(where: { $0.serial == serial }) else {
      let known = all.map { "adb:\($0.serial)" }.joined(separator: ", ")
      throw Diagnostic(
        "ADB010",
        "there is no phone adb:\(serial)",
        remedy: known.isEmpty
          ? "plug one in with USB debugging on, or assay devices connect HOST:PORT"
          : "there is \(known)"
      )
    }
    if let obstacle = entry.obstacle { throw obstacle }
    return entry
  }

  /// What the phone's daemon can do, such as `shell_v2`.
  public func features(_ serial: String) throws -> Set<String> {
    let text = try question("host-serial:\(serial):features")
    return Set(text.split(separator: ",").map { String($0) })
  }

  /// Connects to a phone over the network, and sees that it answers.
  ///
  /// The server's words are not enough. It says that authentication failed when the phone still asks its
  /// owner, so that the phone's state is what is waited for. It says that a phone is connected whose
  /// connection is being torn down: that one vanishes from its list, stays there as offline, or stays
  /// there as usable and ends the first question; it is let go of and connected to anew.
  ///
  /// - Parameter seconds: how long to wait until it can be used.
  /// - Throws: `Diagnostic` ADB040 with the server's words, ADB011 when nobody allowed it.
  @discardableResult
  public func connect(_ address: ADBAddress, seconds: Double = 15) throws -> ADBEntry {
    let end = deadline(seconds)
    var words = ""
    var last: ADBEntry?
    repeat {
      words = try question("host:connect:\(address.text)", until: max(end, deadline(1)))
      let isConnected = words.hasPrefix("connected") || words.hasPrefix("already")
      let patience = min(end, deadline(isConnected ? 1 : seconds))
      var asked = 0
      repeat {
        if asked > 0 { Host.sleep(nanoseconds: 50_000_000) }
        asked += 1
        last = try devices().first { $0.serial == address.text }
        if let last, last.state == .ready, answers(last.serial) { return last }
        // One that vanishes was being torn down; one that never came is not there.
        if last == nil, asked > 2 || !isConnected { break }
      } while Host.monotonicNanoseconds() < patience
      if last == nil, !isConnected { break }
      // Its owner is being asked: a new connection would ask once more.
      if let last, last.state != .offline, last.state != .ready { continue }
      try? disconnect(address)
    } while Host.monotonicNanoseconds() < end
    if let obstacle = last?.obstacle, last?.state != .offline { throw obstacle }
    throw Diagnostic(
      "ADB040",
      "no phone answers at \(address.text)",
      remedy: "look up address and port under Wireless debugging on the phone; a new pairing is "
        + "made by assay devices pair HOST:PORT",
      cause: words
    )
  }

  /// Whether a phone that the server calls usable takes a command; one that is only slow does.
  private func answers(_ serial: String) -> Bool {
    do {
      _ = try run(":", on: serial, seconds: 3)
      return true
    } catch {
      return (error as? Diagnostic)?.code == "ADB021"
    }
  }

  /// Lets go of a phone that was connected to over the network.
  public func disconnect(_ address: ADBAddress) throws {
    _ = try question("host:disconnect:\(address.text)")
  }

  /// Makes a port of this machine lead to one of the phone's.
  ///
  /// - Returns: the port on the loopback interface here; the system chose it.
  public func forward(_ serial: String, toPort port: Int) throws -> Int {
    let end = deadline()
    let socket = try ADBSocket(port: self.port)
    try socket.ask("host-serial:\(serial):forward:tcp:0;tcp:\(port)", until: end)
    // The first answer says that the phone is there, the second that the port is open.
    try socket.takeStatus(until: end)
    let text = try socket.takeText(until: end)
    guard let local = Int(text), (1...65535).contains(local) else {
      throw Diagnostic("ADB002", "adb's server forwards the port '\(text)'")
    }
    return local
  }

  /// Takes back what `forward` gave.
  public func stopForward(_ serial: String, port: Int) throws {
    let end = deadline()
    let socket = try ADBSocket(port: self.port)
    try socket.ask("host-serial:\(serial):killforward:tcp:\(port)", until: end)
    try socket.takeStatus(until: end)
  }

  /// The ports of this machine that lead to the phone.
  public func forwards(_ serial: String) throws -> [Int] {
    let text = try question("host:list-forward")
    return text.split(whereSeparator: \.isNewline).compactMap { line in
      let words = line.split(separator: " ")
      guard words.count == 3, words[0] == serial, words[1].hasPrefix("tcp:") else { return nil }
      return Int(words[1].dropFirst(4))
    }
  }

  /// Ends the server; the next connection needs a new one.
  public func end() throws {
    let socket = try ADBSocket(port: port)
    try socket.ask("host:kill", until: deadline())
  }

  /// A connection to a service of the phone, such as `shell,v2,raw:…` or `sync:`.
  ///
  /// - Throws: `Diagnostic` ADB010-012 when the phone cannot be used, ADB022 when it refuses.
  func open(_ service: String, on serial: String, until deadline: UInt64) throws -> ADBSocket {
    let socket = try ADBSocket(port: port)
    do {
      try socket.ask("host:transport:\(serial)", until: deadline)
    } catch let error as Diagnostic where error.code == "ADB022" {
      // The server's words differ from version to version; its list of phones does not.
      _ = try device(serial)
      throw error.inside("adb:\(serial)")
    }
    do {
      try socket.ask(service, until: deadline)
    } catch let error as Diagnostic {
      throw error.inside("adb:\(serial)")
    }
    return socket
  }

  private func question(_ text: String, until end: UInt64? = nil) throws -> String {
    let end = end ?? deadline()
    let socket = try ADBSocket(port: port)
    try socket.ask(text, until: end)
    return try socket.takeText(until: end)
  }
}

/// The list of phones, again at every change.
public final class ADBTracker {
  private let socket: ADBSocket
  private let hasDetails: Bool

  /// Starts to watch.
  public init(_ server: ADBServer) throws {
    var isDetailed = true
    var socket = try ADBSocket(port: server.port)
    do {
      try socket.ask("host:track-devices-l", until: server.deadline())
    } catch let error as Diagnostic where error.code == "ADB022" || error.code == "ADB020" {
      // Servers of before 2019 know the short form only.
      socket = try ADBSocket(port: server.port)
      try socket.ask("host:track-devices", until: server.deadline())
      isDetailed = false
    }
    self.socket = socket
    hasDetails = isDetailed
  }

  /// The next list; the first comes at once.
  ///
  /// - Returns: `nil` when nothing changed until `deadline` (monotonic nanoseconds).
  /// - Throws: `Diagnostic` ADB020 when the server has ended.
  public func next(until deadline: UInt64) throws -> [ADBEntry]? {
    do {
      guard try socket.hasMore(until: deadline) else {
        throw Diagnostic("ADB020", "adb's server has ended", remedy: "assay devices list starts it")
      }
      // A list has begun: its rest is under way.
      return ADBEntry.list(try socket.takeText(until: deadline &+ 5_000_000_000))
    } catch let error as Diagnostic where error.code == "ADB021" {
      return nil
    }
  }
}

extension ADBServer {
  /// Asks the server to drop a phone and to find it again on its bus.
  public func reset(_ serial: String) throws {
    let socket = try ADBSocket(port: port)
    try socket.ask("host-serial:\(serial):reconnect", until: deadline())
  }
}
