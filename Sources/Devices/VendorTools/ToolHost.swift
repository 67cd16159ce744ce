import AssayBase
import AssayHost

/// What a command printed, and how it ended.
public struct ToolOutput: Sendable {
  /// Standard output and standard error in the order in which they came.
  public var text: String
  /// How it ended; `nil` when it was still running at its time limit and was killed.
  public var end: ProcessEnd?

  /// Makes an output.
  public init(text: String, end: ProcessEnd?) {
    self.text = text
    self.end = end
  }

  /// Whether it ended by itself with status 0.
  public var isDone: Bool { end == .exited(0) }

  /// Its last lines that are not empty.
  public func tail(_ count: Int = 6) -> String {
    text.split(whereSeparator: \.isNewline).map { $0.trimmed }.filter { !$0.isEmpty }
      .suffix(count).joined(separator: "\n")
  }
}

/// Where a vendor's tool runs: on this machine, or on a device that files are brought to.
public protocol ToolHost: Sendable {
  /// What records call it, such as `local` or `ssh:lab@orin`.
  var name: String { get }
  /// Where a program of this name is; `nil` when there is none.
  func find(_ program: String) throws -> String?
  /// Runs a command to its end.
  ///
  /// - Parameters:
  ///   - command: the program's path and its arguments.
  ///   - environment: variables that are set beside those that are there.
  ///   - seconds: how long it may take; then it is killed.
  /// - Throws: `Diagnostic` when it cannot be started.
  func run(
    _ command: [String],
    environment: [String: String],
    seconds: Double
  ) throws -> ToolOutput
  /// Makes a file of this machine available there, and tells its path there.
  func put(_ path: String) throws -> String
  /// The bytes of a file there; `nil` when there is none.
  func get(_ path: String) throws -> [UInt8]?
  /// A folder there for files that a tool makes and that later runs use again.
  func cacheFolder(_ name: String) throws -> String
}

/// This machine.
public struct LocalToolHost: ToolHost {
  /// Makes the host.
  public init() {}

  /// `local`.
  public var name: String { "local" }

  public func find(_ program: String) -> String? {
    if program.contains("/") { return Host.exists(program) ? program : nil }
    let folders = Host.environment("PATH")?.split(separator: ":") ?? []
    return folders.map { Host.join(String($0), program) }.first {
      Host.kind(of: $0) == .file
    }
  }

  public func run(
    _ command: [String],
    environment: [String: String] = [:],
    seconds: Double
  ) throws -> ToolOutput {
    guard let program = command.first else { preconditionFailure("a command has a program") }
    let words = try Pipe()
    let process = try ChildProcess(
      program,
      Array(command.dropFirst()),
      environment: environment,
      descriptors: [1: words.writeEnd, 2: words.writeEnd]
    )
    words.closeWrite()
    let channel = LineChannel(input: words.readEnd, output: -1, limit: 16 << 20)
    let deadline = Host.monotonicNanoseconds() &+ UInt64(min(max(seconds, 0), 1e9) * 1e9)
    var text = ""
    reading: while true {
      switch channel.read(until: deadline) {
      case .line(let line):
        // What a tool prints is read into memory: a runaway one must not fill it.
        if text.utf8.count < 64 << 20 { text += line + "\n" }
      case .end: break reading
      case .timeout, .tooLong:
        process.kill()
        return ToolOutput(text: text, end: nil)
      }
    }
    // A tool may close its output before it ends.
    return ToolOutput(text: text, end: process.wait(until: deadline) ?? killed(process))
  }

  private func killed(_ process: ChildProcess) -> ProcessEnd? {
    process.kill()
    return nil
  }

  public func put(_ path: String) throws -> String {
    guard let full = Host.realPath(path) else {
      throw Diagnostic("FIL001", "there is no such file", at: [path])
    }
    return full
  }

  public func get(_ path: String) throws -> [UInt8]? {
    guard Host.kind(of: path) == .file else { return nil }
    return try MappedFile(path: path).view.array
  }

  public func cacheFolder(_ name: String) throws -> String {
    let folder = Host.join(Host.join(AssayHome.path, "cache"), name)
    try Host.makeFolders(folder)
    return folder
  }
}

extension ToolHost {
  /// Runs a command without more variables.
  public func run(_ command: [String], seconds: Double) throws -> ToolOutput {
    try run(command, environment: [:], seconds: seconds)
  }

  /// A program of this name, or of the environment variable that names another one.
  ///
  /// - Throws: `Diagnostic` VND020 with where to get it.
  public func require(
    _ program: String,
    variable: String,
    remedy: String
  ) throws -> String {
    if let given = Host.environment(variable) {
      if let path = try find(given) { return path }
      throw Diagnostic(
        "VND020",
        "\(variable) names \(given), which is not there",
        at: [name],
        remedy: "set it to the path of \(program), or unset it"
      )
    }
    guard let path = try find(program) else {
      throw Diagnostic("VND020", "\(program) is not installed", at: [name], remedy: remedy)
    }
    return path
  }
}
