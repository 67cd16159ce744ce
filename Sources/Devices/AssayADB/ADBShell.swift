import AssayBase
import AssayHost

/// A command that runs on a phone, with its three streams apart (shell protocol 2, Android 7 and
/// later).
///
/// When the object goes before the command has ended, the phone's daemon hangs it up (SIGHUP).
public final class ADBShell {
  /// What comes from the command.
  public enum Event: Sendable, Equatable {
    /// Bytes of its standard output.
    case output([UInt8])
    /// Bytes of its standard error.
    case error([UInt8])
    /// It exited with this status; nothing comes after.
    case exit(Int32)
  }

  private let socket: ADBSocket
  private let place: String
  private var header: (id: UInt8, length: Int)?
  private var isInputOpen = true

  /// Starts a command under the phone's `sh -c`.
  ///
  /// - Throws: `Diagnostic` ADB010-012 when the phone cannot be used.
  public init(_ server: ADBServer, _ serial: String, _ command: String) throws {
    place = "adb:\(serial)"
    socket = try server.open("shell,v2,raw:\(command)", on: serial, until: server.deadline())
  }

  /// What comes next.
  ///
  /// - Throws: `Diagnostic` ADB021 when nothing comes until `deadline`; the command runs on and may be
  ///   asked again. ADB020 when the phone is lost.
  public func next(until deadline: UInt64) throws -> Event {
    try locating(place) {
      while true {
        if header == nil {
          let bytes = try socket.read(exactly: 5, until: deadline)
          let length = Int(ADBWire.word(bytes, at: 1))
          guard length <= 1 << 24 else {
            throw Diagnostic("ADB002", "the phone's shell sends a packet of \(length) bytes")
          }
          header = (bytes[0], length)
        }
        guard let (id, length) = header else { continue }
        let bytes = try socket.read(exactly: length, until: deadline)
        header = nil
        switch id {
        case 1 where !bytes.isEmpty: return .output(bytes)
        case 2 where !bytes.isEmpty: return .error(bytes)
        case 3: return .exit(Int32(bytes.first ?? 0))
        // Empty packets, and kinds that later versions may bring.
        default: continue
        }
      }
    }
  }

  /// Gives the command bytes to read.
  public func write(_ bytes: [UInt8], until deadline: UInt64) throws {
    try locating(place) {
      var offset = 0
      while offset < bytes.count {
        // Packets above the daemon's own maximum are cut by the server at a cost.
        let part = bytes[offset..<min(offset + 65_536, bytes.count)]
        try socket.write([0] + ADBWire.word(UInt32(part.count)) + part, until: deadline)
        offset += part.count
      }
    }
  }

  /// Ends the command's standard input.
  public func closeInput(until deadline: UInt64) throws {
    guard isInputOpen else { return }
    isInputOpen = false
    try locating(place) { try socket.write([4] + ADBWire.word(0), until: deadline) }
  }

  /// Hangs the command up at once.
  public func abort() { socket.abort() }
}

/// How a command on a phone ended, with all that it printed.
public struct ADBOutcome: Sendable, Equatable {
  /// Its exit status; 128 and more means that a signal ended it.
  public var status: Int32
  /// Its standard output.
  public var output: [UInt8]
  /// Its standard error.
  public var errors: [UInt8]

  /// Makes an outcome.
  public init(status: Int32, output: [UInt8], errors: [UInt8] = []) {
    self.status = status
    self.output = output
    self.errors = errors
  }

  /// The standard output as text.
  public var text: String { String(decoding: output, as: UTF8.self) }
  /// The standard error as text.
  public var errorText: String { String(decoding: errors, as: UTF8.self) }
}

extension ADBServer {
  /// Runs a command on a phone and waits for its end.
  ///
  /// - Parameters:
  ///   - input: what it can read.
  ///   - seconds: how long it may take; then it is hung up.
  ///   - limit: the greatest number of bytes that it may print.
  /// - Throws: `Diagnostic` ADB020 lost, ADB021 too long, ADB023 too much output.
  public func run(
    _ command: String,
    on serial: String,
    input: [UInt8] = [],
    seconds: Double = 30,
    limit: Int = 64 << 20
  ) throws -> ADBOutcome {
    let shell = try ADBShell(self, serial, command)
    let end = deadline(seconds)
    if !input.isEmpty { try shell.write(input, until: end) }
    try shell.closeInput(until: end)
    var outcome = ADBOutcome(status: -1, output: [])
    while true {
      switch try shell.next(until: end) {
      case .output(let bytes): outcome.output += bytes
      case .error(let bytes): outcome.errors += bytes
      case .exit(let status):
        outcome.status = status
        return outcome
      }
      guard outcome.output.count + outcome.errors.count <= limit else {
        throw Diagnostic(
          "ADB023",
          "a command on the phone prints more than \(Words.bytes(limit))",
          at: ["adb:\(serial)"],
          cause: command
        )
      }
    }
  }
}
