import AssayBase
import AssayDevice
import AssayHost
import AssayTestSupport
import DeviceSSH
import Synchronization

/// An ssh server on this machine's loopback that lives as long as the tests' process.
final class SSHServer: Sendable {
  /// The server, started on first use, or why there is none.
  static let shared: Result<SSHServer, Diagnostic> = Result { try SSHServer(root: nil) }
    .mapError { $0 as? Diagnostic ?? Diagnostic("TST001", "\($0)") }

  /// Whether tests with a server can run; says once why they cannot.
  static let isThere: Bool = {
    if case .failure(let reason) = shared {
      print("skipping tests with an ssh server: \(reason.summary)")
      return false
    }
    return true
  }()

  /// The configuration for `ssh -F`.
  let config: String
  private let pidFile: String

  /// Starts a server.
  ///
  /// - Parameter root: a system into which those who come are put; `nil` for this one.
  init(root: String?, script: String = "sshd.sh", seconds: UInt64 = 60) throws {
    let input = try Pipe()
    let output = try Pipe()
    let process = try ChildProcess(
      "/bin/sh",
      [TestData.package + "/Tests/Support/\(script)"] + (root.map { [$0] } ?? []),
      descriptors: [0: input.readEnd, 1: output.writeEnd]
    )
    input.closeRead()
    output.closeWrite()
    let channel = LineChannel(input: output.readEnd, output: -1)
    let deadline = Host.monotonicNanoseconds() + seconds * 1_000_000_000
    guard case .line(let line) = channel.read(until: deadline)
    else { throw Diagnostic("TST001", "the script that starts sshd says nothing") }
    let words = line.split(separator: " ").map { String($0) }
    guard words.count == 3, words[0] == "ready" else {
      throw Diagnostic("TST001", String(line.dropFirst("none ".count)))
    }
    (config, pidFile) = (words[1], words[2])
    // The server ends when the pipe does: with this process.
    SSHServer.kept.withLock { $0.append(Kept(process, input, output)) }
  }

  // Safe because: it is only kept, never used.
  private struct Kept: @unchecked Sendable {
    let things: [AnyObject]
    init(_ things: AnyObject...) { self.things = things }
  }
  private static let kept = Mutex<[Kept]>([])

  /// Settings of a device behind the server, whose files go below `root`.
  func settings(root: String? = nil) -> DeviceSettings {
    var settings = DeviceSettings()
    settings.sshOptions = ["-F", config]
    settings.root = root
    settings.grace = 2
    return settings
  }

  /// A device behind the server.
  func device(_ host: String = "board", root: String? = nil) throws -> SSHDevice {
    try SSHDevice(.ssh(user: nil, host: host, port: nil), settings(root: root))
  }

  /// Breaks every connection, as a cable that is pulled out does.
  func breakConnections() {
    guard let id = Host.smallText(pidFile)?.split(separator: "\n").first else { return }
    _ = try? ProcessCommand.run("/usr/bin/env", ["pkill", "-KILL", "-P", String(id)], seconds: 5)
  }
}

/// A folder that is removed when `body` is done.
func withFolder<T>(_ body: (String) throws -> T) throws -> T {
  let folder = try Host.makeTemporaryFolder("remote")
  defer { try? Host.remove(folder) }
  return try body(folder)
}

/// Whether the runner for this machine is built.
let hasRunner: Bool = {
  let bin = Host.folder(of: Host.executablePath ?? "")
  let name = "/\(MachineInfo.current().architecture)/assay-runner"
  let isThere = ["/../../runner", "/../../../runner"].contains { Host.exists(bin + $0 + name) }
  if !isThere { print("skipping tests with the runner: scripts/runner has not built it") }
  return isThere
}()
