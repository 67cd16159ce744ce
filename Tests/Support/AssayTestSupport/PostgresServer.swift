import AssayBase
import AssayHost
import Synchronization

/// A PostgreSQL server that lives as long as the tests' process.
public final class PostgresServer: Sendable {
  /// The server, started on first use, or why there is none.
  public static let shared: Result<PostgresServer, Diagnostic> = Result { try PostgresServer() }
    .mapError { $0 as? Diagnostic ?? Diagnostic("TST001", "\($0)") }

  /// Whether tests with a server can run; says once why they cannot.
  public static let isThere: Bool = {
    if case .failure(let reason) = shared {
      print("skipping tests with PostgreSQL: \(reason.summary)")
      return false
    }
    return true
  }()

  private let folder: String
  private let programs: String
  private let count = Mutex(0)

  private init() throws {
    let input = try Pipe()
    let output = try Pipe()
    let process = try ChildProcess(
      "/bin/sh",
      [TestData.package + "/Tests/Support/postgres.sh"],
      descriptors: [0: input.readEnd, 1: output.writeEnd]
    )
    input.closeRead()
    output.closeWrite()
    let channel = LineChannel(input: output.readEnd, output: -1)
    guard case .line(let line) = channel.read(until: Host.monotonicNanoseconds() + 60_000_000_000)
    else { throw Diagnostic("TST001", "the script that starts PostgreSQL says nothing") }
    let words = line.split(separator: " ").map { String($0) }
    guard words.count == 3, words[0] == "ready" else {
      throw Diagnostic("TST001", String(line.dropFirst("none ".count)))
    }
    (folder, programs) = (words[1], words[2])
    // The server ends when the pipe does: with this process.
    PostgresServer.kept.withLock { $0 = (Kept(process, input, output), true) }
  }

  // Safe because: it is only kept, never used.
  private struct Kept: @unchecked Sendable {
    let things: [AnyObject]
    init(_ things: AnyObject...) { self.things = things }
  }
  private static let kept = Mutex<(Kept?, Bool)>((nil, false))

  /// The URL of a new, empty database.
  public func database() throws -> String {
    let number = count.withLock {
      $0 += 1
      return $0
    }
    let name = "test\(number)"
    let process = try ChildProcess(
      programs + "/createdb",
      ["-h", folder, "-U", "assay", name]
    )
    guard process.wait() == .exited(0) else {
      throw Diagnostic("TST001", "the database \(name) cannot be made")
    }
    return "postgres://assay@/\(name)?host=\(folder)"
  }
}
