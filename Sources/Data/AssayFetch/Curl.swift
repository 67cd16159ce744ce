import AssayBase
import AssayHost

/// The curl program, which brings a file from the network: HTTPS and all that goes with it is its
/// business.
public struct Curl: Sendable {
  /// Where it lies.
  let program: String

  /// What a try to download gave.
  enum Outcome: Equatable {
    /// All of it is there.
    case whole
    /// The connection ended too early, or was never there; another try may go on.
    case broken(String)
    /// The server does not send parts of the file.
    case notResumable
    /// The server refused: its status.
    case refused(Int)
    /// The file could not be written.
    case notWritten(String)
    /// The user wanted to stop.
    case interrupted
  }

  /// Whether the program is there.
  public static func probe() -> Availability {
    guard let path = find() else {
      return .unavailable(
        reason: "there is no program curl in $PATH",
        remedy: "install it (Debian: apt-get install curl)"
      )
    }
    return .available(version: version(path) ?? "unknown")
  }

  /// Finds the program.
  ///
  /// - Throws: `Diagnostic` FET001 when there is none.
  public init() throws {
    guard let path = Curl.find() else {
      throw Diagnostic(
        "FET001",
        "downloads need the program curl, which is not in $PATH",
        remedy: "install it (Debian: apt-get install curl)"
      )
    }
    program = path
  }

  private static func find() -> String? {
    (Host.environment("PATH") ?? "").split(separator: ":").map { Host.join(String($0), "curl") }
      .first { Host.kind(of: $0) == .file }
  }

  private static func version(_ path: String) -> String? {
    guard let pipe = try? Pipe(),
      let child = try? ChildProcess(path, ["--version"], descriptors: [1: pipe.writeEnd])
    else { return nil }
    pipe.closeWrite()
    let channel = LineChannel(input: pipe.readEnd, output: -1)
    var words: [Substring] = []
    if case .line(let line) = channel.read() { words = line.split(separator: " ") }
    pipe.closeRead()
    _ = child.wait()
    return words.count > 1 ? String(words[1]) : nil
  }

  /// Downloads, going on where `part` ends.
  ///
  /// - Parameters:
  ///   - url: what to download.
  ///   - part: the file that grows.
  ///   - quiet: seconds after which a connection that brings nothing is given up.
  ///   - progress: called a few times a second with the bytes that are there, and how many there will
  ///     be where the server says so.
  func download(
    _ url: String,
    to part: String,
    quiet: Int,
    progress: (Int, Int?) -> Void
  ) throws -> Outcome {
    let headers = part + ".headers"
    let words = part + ".words"
    try? Host.remove(words)
    defer {
      try? Host.remove(headers)
      try? Host.remove(words)
    }
    let isLocal = url.hasPrefix("http://")
    let start = Host.byteCount(of: part) ?? 0
    let child = try ChildProcess(
      program,
      [
        // No settings of the user's that would change what comes, or where from.
        "--disable", "--fail", "--location", "--max-redirs", "10", "--silent", "--show-error",
        "--proto", isLocal ? "=http" : "=https", "--connect-timeout", "\(max(quiet, 1))",
        "--speed-limit", "1", "--speed-time", "\(max(quiet, 1))", "--continue-at", "-",
        "--dump-header", headers, "--output", part, "--stderr", words,
        "--user-agent", "assay", "--url", url,
      ]
    )
    while child.poll() == nil {
      if Host.isInterrupted {
        child.kill()
        return .interrupted
      }
      Host.sleep(nanoseconds: 50_000_000)
      progress(Host.byteCount(of: part) ?? 0, Curl.length(headers, start))
    }
    progress(Host.byteCount(of: part) ?? 0, Curl.length(headers, start))
    let said = (Host.smallText(words) ?? "").split(separator: "\n").last.map(String.init) ?? ""
    guard case .exited(let status) = child.wait() else {
      return .broken("curl ended by a signal")
    }
    switch status {
    case 0: return .whole
    case 22: return .refused(Curl.status(headers) ?? 0)
    case 23: return .notWritten(said)
    case 33: return .notResumable
    default: return .broken(said.isEmpty ? "curl ended with status \(status)" : said)
    }
  }

  /// The status of the last answer in a file of headers.
  private static func status(_ headers: String) -> Int? {
    let lines = (Host.smallText(headers) ?? "").split(whereSeparator: \.isNewline)
    return lines.last { $0.hasPrefix("HTTP/") }?.split(separator: " ").dropFirst().first
      .flatMap { Int($0) }
  }

  /// The whole length that the last answer tells.
  private static func length(_ headers: String, _ start: Int) -> Int? {
    let lines = (Host.smallText(headers) ?? "").split(whereSeparator: \.isNewline)
    guard let last = lines.lastIndex(where: { $0.hasPrefix("HTTP/") }) else { return nil }
    func field(_ name: String) -> Substring? {
      lines[last...].first { $0.lowercased().hasPrefix(name + ":") }?.dropFirst(name.count + 1)
    }
    if let range = field("content-range"), let total = range.split(separator: "/").last {
      return Int(total.filter(\.isNumber))
    }
    guard let length = field("content-length").flatMap({ Int($0.filter(\.isNumber)) }) else {
      return nil
    }
    let status = lines[last].split(separator: " ").dropFirst().first
    return status == "200" ? length : status == "206" ? start + length : nil
  }
}
