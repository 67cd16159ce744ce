import AssayBase
import AssayDevice
import AssayHost
import Synchronization

/// A machine with an ssh server, driven by the system's own `ssh`.
///
/// One connection carries everything (`ControlMaster`). Host keys are checked always, and no password
/// is ever asked for or given: keys and agents are the user's.
public final class SSHDevice: ShellDevice {
  public let address: DeviceAddress
  public let transport = "ssh"
  public let scratchRoot: String
  private let program: String
  private let options: [String]
  private let destination: String
  private let port: Int?
  private let patience: Double?
  private let master = Mutex<Master?>(nil)

  /// The connection that others share, and the folder of its socket.
  private final class Master: @unchecked Sendable {
    // Safe because: it is only touched while the device's lock is held.
    let stream: ProcessStream
    let folder: String
    init(_ stream: ProcessStream, _ folder: String) {
      self.stream = stream
      self.folder = folder
    }
  }

  /// A device at an `ssh:` address.
  ///
  /// - Parameter program: the program to use instead of `ssh`.
  public init(
    _ address: DeviceAddress,
    _ settings: DeviceSettings = DeviceSettings(),
    program: String = "ssh"
  ) throws {
    guard case .ssh(let user, let host, let port) = address else {
      throw Diagnostic("DEV001", "'\(address)' is no ssh address")
    }
    self.address = address
    self.program = program
    self.port = port
    destination = user.map { "\($0)@\(host)" } ?? host
    options = settings.sshOptions
    scratchRoot = settings.root ?? "/tmp"
    patience = settings.patience
  }

  deinit { close() }

  // MARK: The connection

  /// Options of every call; the first value of an option holds, so that ours come first.
  private func arguments(_ socket: String?, isMaster: Bool = false) -> [String] {
    var words = [
      "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", "ForwardAgent=no",
      "-o", "ForwardX11=no", "-o", "ClearAllForwardings=yes", "-o", "RequestTTY=no",
      "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3",
      "-o", "LogLevel=ERROR", "-o", "EscapeChar=none", "-o", "ControlPersist=no",
      "-o", "ControlMaster=\(isMaster ? "yes" : "no")", "-o", "ControlPath=\(socket ?? "none")",
    ]
    if let port { words += ["-p", "\(port)"] }
    return words + options + ["--", destination]
  }

  /// The socket of the shared connection, which is made when there is none.
  private func socket() throws -> String {
    try master.withLock { master in
      if let master, Host.exists(Host.join(master.folder, "s")) { return master.folder + "/s" }
      master?.stream.kill()
      if let folder = master?.folder { try? Host.remove(folder) }
      master = nil
      // The path of a socket has room for a hundred characters.
      let folder = try Host.makeTemporaryFolder("assay-ssh")
      let socket = folder + "/s"
      do {
        // It lives as long as its input: when this process ends, so does the connection.
        let stream = try ProcessStream(
          "/usr/bin/env",
          [program] + arguments(socket, isMaster: true) + ["echo assay-ready; cat >/dev/null"]
        )
        let seconds = patience ?? 30
        let deadline = Host.monotonicNanoseconds() &+ UInt64(seconds * 1e9)
        while true {
          switch stream.readLine(until: deadline) {
          case .line("assay-ready"):
            master = Master(stream, folder)
            return socket
          case .line: continue
          case .timeout:
            let words = stream.errorTail()
            stream.kill()
            throw DeviceFault.silent(address, "connecting", seconds, cause: words)
          case .end, .tooLong:
            let words = stream.errorTail()
            stream.kill()
            throw SSHWords.fault(address, "connecting", destination, words)
          }
        }
      } catch {
        try? Host.remove(folder)
        throw error
      }
    }
  }

  public func reconnect() throws {
    close()
    _ = try socket()
  }

  public func close() {
    master.withLock { master in
      guard let open = master else { return }
      if open.stream.end(seconds: 2) == nil { open.stream.kill() }
      try? Host.remove(open.folder)
      master = nil
    }
  }

  // MARK: Actions

  public func run(_ script: String, seconds: Double) throws -> CommandResult {
    try call(script, "a command", seconds: seconds)
  }

  public func open(_ script: String) throws -> any DeviceStream {
    let socket = try socket()
    return try ProcessStream(
      "/usr/bin/env",
      [program] + arguments(socket) + [SSHDevice.remote(script)]
    )
  }

  public func push(
    _ file: String,
    to path: String,
    isExecutable: Bool,
    seconds: Double?
  ) throws {
    let size = Host.byteCount(of: file) ?? 0
    let part = Words.shell([path + ".part"])
    let target = Words.shell([path])
    // The file has its name only when it is whole.
    let script =
      "cat >\(part) && chmod \(isExecutable ? "700" : "600") \(part) && mv -f \(part) \(target)"
    let result = try call(
      script,
      "pushing a file",
      input: file,
      seconds: seconds ?? SSHDevice.seconds(for: size)
    )
    guard result.status == 0 else {
      _ = try? run("rm -f \(part)", seconds: 10)
      throw DeviceFault.refused(address, "writing \(path)", result.errors)
    }
  }

  public func pull(_ path: String, to file: String, seconds: Double?) throws {
    let part = file + ".part-\(Host.processID)"
    defer { try? Host.remove(part) }
    let result = try call(
      "exec cat \(Words.shell([path]))",
      "pulling a file",
      output: part,
      seconds: seconds ?? 600
    )
    guard result.status == 0 else {
      throw DeviceFault.refused(address, "reading \(path)", result.errors)
    }
    try AtomicFile.write([try MappedFile(path: part).view], to: file, isSynced: false)
  }

  private func call(
    _ script: String,
    _ action: String,
    input: String? = nil,
    output: String? = nil,
    seconds: Double
  ) throws -> CommandResult {
    let socket = try socket()
    let limit = max(seconds, patience ?? 0)
    let result = try ProcessCommand.run(
      "/usr/bin/env",
      [program] + arguments(socket) + [SSHDevice.remote(script)],
      input: input,
      output: output,
      seconds: limit
    )
    guard let result else { throw DeviceFault.silent(address, action, limit) }
    // ssh's own status when the way breaks.
    if result.status == 255 { throw SSHWords.fault(address, action, destination, result.errors) }
    return result
  }

  /// A script as one word for the user's login shell, whichever that is.
  static func remote(_ script: String) -> String { "exec sh -c " + Words.shell([script + "\n"]) }

  /// What a size takes over a slow way (200 kB/s), and some.
  static func seconds(for bytes: Int) -> Double { 30 + Double(bytes) / 200_000 }
}
