import AssayBase
import AssayHost

/// The program `adb`: it starts the server and pairs phones; everything else is spoken directly.
public struct ADBProgram: Sendable, Equatable {
  /// Where it lies.
  public var path: String

  /// Takes the program at a path.
  public init(path: String) { self.path = path }

  /// Looks for the program: `$ASSAY_ADB`, the search path, Android's own folders.
  ///
  /// - Throws: `Diagnostic` ADB003 when there is none.
  public static func find() throws -> ADBProgram {
    var places: [String] = []
    if let given = Host.environment("ASSAY_ADB") { places.append(given) }
    for folder in (Host.environment("PATH") ?? "").split(separator: ":") {
      places.append(Host.join(String(folder), "adb"))
    }
    for name in ["ANDROID_HOME", "ANDROID_SDK_ROOT"] {
      if let folder = Host.environment(name) {
        places.append(Host.join(folder, "platform-tools/adb"))
      }
    }
    if let home = Host.environment("HOME") {
      places.append(Host.join(home, "Android/Sdk/platform-tools/adb"))
    }
    guard let path = places.first(where: { Host.kind(of: $0) == .file }) else {
      throw Diagnostic(
        "ADB003",
        "there is no adb program",
        remedy:
          "apt install adb, or Android's platform tools with ANDROID_HOME set; ASSAY_ADB names "
          + "a program elsewhere"
      )
    }
    return ADBProgram(path: path)
  }

  /// The version that it tells, such as `1.0.41 (29.0.6)`; `nil` when it tells none.
  public func version() -> String? {
    guard let outcome = try? run(["version"], seconds: 10), outcome.status == 0 else { return nil }
    func after(_ prefix: String) -> String? {
      outcome.text.split(whereSeparator: \.isNewline).first { $0.hasPrefix(prefix) }
        .map { String($0.dropFirst(prefix.count)) }
    }
    guard let version = after("Android Debug Bridge version ") else { return nil }
    return after("Version ").map { "\(version) (\($0))" } ?? version
  }

  /// Starts a server on the loopback interface unless one answers already.
  ///
  /// - Returns: whether a new one was started.
  /// - Throws: `Diagnostic` ADB004 when it does not come up.
  @discardableResult
  public func start(_ server: ADBServer) throws -> Bool {
    if (try? server.version()) != nil { return false }
    let outcome = try run(["-P", "\(server.port)", "start-server"], seconds: 30)
    guard (try? server.version()) != nil else {
      throw Diagnostic(
        "ADB004",
        "adb's server does not start",
        remedy: "try adb -P \(server.port) nodaemon server, which shows why",
        cause: outcome.text + outcome.errorText
      )
    }
    return true
  }

  /// Pairs with a phone whose screen shows an address and a code of six digits.
  ///
  /// The code goes through the program's standard input and stands on no command line.
  ///
  /// - Throws: `Diagnostic` ADB041 with the program's words.
  public func pair(_ address: ADBAddress, code: String, server: ADBServer) throws -> String {
    guard code.count == 6, code.allSatisfy({ $0.isASCII && $0.isNumber }) else {
      throw Diagnostic(
        "ADB041",
        "a pairing code has six digits",
        remedy: "on the phone: Developer options, Wireless debugging, Pair device with pairing code"
      )
    }
    let outcome = try run(
      ["-P", "\(server.port)", "pair", address.text],
      input: Array("\(code)\n".utf8),
      seconds: 60
    )
    let words = outcome.text + outcome.errorText
    guard
      let line = words.split(whereSeparator: \.isNewline).first(where: {
        $0.contains("Successfully paired")
      })
    else {
      let isOld = words.contains("unknown command")
      throw Diagnostic(
        "ADB041",
        isOld ? "this adb cannot pair" : "the phone at \(address.text) was not paired",
        remedy: isOld
          ? "adb of platform tools 30 or later is needed; Debian 13 has 34"
          : "the port for pairing is another one than that for connecting, and the code is new each "
            + "time: look at the phone's screen",
        cause: words.isEmpty ? outcome.endText : words
      )
    }
    return String(line.drop { $0 != "S" })
  }

  /// Runs the program to its end.
  func run(
    _ arguments: [String],
    input: [UInt8] = [],
    seconds: Double
  ) throws -> ADBProgramOutcome {
    try ADBProgramOutcome(running: path, arguments, input: input, seconds: seconds)
  }
}

/// How a program of this machine ended, with what it printed.
struct ADBProgramOutcome {
  private(set) var end: ProcessEnd?
  private(set) var text = ""
  private(set) var errorText = ""

  var status: Int32 {
    if case .exited(let status)? = end { return status }
    return -1
  }

  var endText: String { end?.text ?? "it did not end in time" }

  /// Runs a program; it is killed at the limit.
  init(
    running path: String,
    _ arguments: [String],
    input: [UInt8],
    seconds: Double
  ) throws {
    Host.ignoreBrokenPipes()
    let deadline = Host.monotonicNanoseconds() + UInt64(seconds * 1e9)
    let given = try Pipe()
    let output = try Pipe()
    let process = try ChildProcess(
      path,
      arguments,
      descriptors: [0: given.readEnd, 1: output.writeEnd, 2: output.writeEnd]
    )
    given.closeRead()
    output.closeWrite()
    let channel = LineChannel(input: output.readEnd, output: given.writeEnd, limit: 1 << 20)
    if !input.isEmpty { _ = channel.write(String(decoding: input.dropLast(), as: UTF8.self)) }
    given.closeWrite()
    // A server that was started keeps the stream open: the program's own end is what counts.
    while true {
      let step = min(deadline, Host.monotonicNanoseconds() + 50_000_000)
      switch channel.read(until: step) {
      case .line(let line):
        text += line + "\n"
        continue
      case .timeout where process.poll() == nil && Host.monotonicNanoseconds() < deadline:
        continue
      default: break
      }
      break
    }
    end = process.wait(until: deadline) ?? process.kill()
  }
}
