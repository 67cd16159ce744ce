import AssayBase
import AssayHost
import AssayTestSupport
import Testing

@testable import AssayFetch

/// Downloads from a server on this machine that goes wrong as asked.
@Suite(
  .enabled(if: Curl.probe().isAvailable, "there is no curl"),
  .enabled(if: LocalServer.python != nil, "there is no python3")
)
struct FetcherTests {
  private let server: LocalServer
  private let folder: String
  private let content: [UInt8]
  private let hash: String

  init() throws {
    folder = try Host.makeTemporaryFolder("assay-fetch")
    var rng = SeededRNG(seed: 4)
    content = (0..<100_000).map { _ in UInt8(truncatingIfNeeded: rng.next()) }
    hash = sha256(ByteView(content))
    let served = Host.join(folder, "served.bin")
    try AtomicFile.write([ByteView(content)], to: served)
    server = try LocalServer(serving: served)
  }

  private func fetcher() throws -> Fetcher {
    var fetcher = try Fetcher(
      folder: Host.join(folder, "zoo"),
      confirmed: ConfirmedHashes(path: Host.join(folder, "confirmed.json"))
    )
    fetcher.quiet = 5
    return fetcher
  }

  private func file(_ kind: String, sha256: String?? = nil) -> DownloadFile {
    DownloadFile(name: "model.tflite", url: server.url(kind), sha256: sha256 ?? hash)
  }

  private func path(_ end: String = "") -> String { Host.join(folder, "zoo/model.tflite" + end) }

  private func end(_ work: () throws -> some Sendable) -> String? {
    do {
      _ = try work()
      return nil
    } catch {
      return (error as? Diagnostic)?.code ?? "\(error)"
    }
  }

  @Test(arguments: ["good", "moved", "slow", "norange"])
  func filesComeWhole(kind: String) throws {
    defer { try? Host.remove(folder) }
    let seen = Seen()
    let result = try fetcher().fetch(file(kind)) { done, total, _ in seen.note(done, total) }
    #expect(result == .fetched(bytes: content.count))
    #expect(try MappedFile(path: path()).view.array == content)
    #expect(Host.kind(of: path(".part")) == nil)
    #expect(seen.last == content.count && seen.total == content.count)
    // The second time nothing is asked of the server.
    let before = try server.requests().count
    #expect(try fetcher().fetch(file(kind)) { _, _, _ in } == .present)
    #expect(try server.requests().count == before + 1)
  }

  @Test func whatWasInterruptedGoesOn() throws {
    defer { try? Host.remove(folder) }
    try Host.makeFolders(Host.join(folder, "zoo"))
    try AtomicFile.write([ByteView(content.prefix(30_000))], to: path(".part"))
    #expect(try fetcher().fetch(file("good")) { _, _, _ in } == .fetched(bytes: 70_000))
    #expect(try MappedFile(path: path()).view.array == content)
    #expect(try server.requests().first == "/good bytes=30000-")
  }

  @Test func serversWithoutRangesSendAllOfItAgain() throws {
    defer { try? Host.remove(folder) }
    try Host.makeFolders(Host.join(folder, "zoo"))
    try AtomicFile.write([ByteView(content.prefix(30_000))], to: path(".part"))
    _ = try fetcher().fetch(file("norange")) { _, _, _ in }
    #expect(try MappedFile(path: path()).view.array == content)
  }

  @Test func anAllButFinishedPartIsFinished() throws {
    defer { try? Host.remove(folder) }
    try Host.makeFolders(Host.join(folder, "zoo"))
    try AtomicFile.write([ByteView(content)], to: path(".part"))
    _ = try fetcher().fetch(file("good")) { _, _, _ in }
    #expect(try MappedFile(path: path()).view.array == content)
  }

  @Test func aPartOfAnotherFileIsThrownAway() throws {
    defer { try? Host.remove(folder) }
    try Host.makeFolders(Host.join(folder, "zoo"))
    try AtomicFile.write([ByteView([UInt8](repeating: 7, count: 30_000))], to: path(".part"))
    _ = try fetcher().fetch(file("good")) { _, _, _ in }
    #expect(try MappedFile(path: path()).view.array == content)
    #expect(try server.requests() == ["/good bytes=30000-", "/good", "/requests"])
  }

  @Test func aConnectionThatBreaksIsTakenUpAgain() throws {
    defer { try? Host.remove(folder) }
    _ = try fetcher().fetch(file("short")) { _, _, _ in }
    #expect(try MappedFile(path: path()).view.array == content)
    #expect(try server.requests().prefix(2) == ["/short", "/short bytes=50000-"])
  }

  @Test func aDownloadThatNeverEndsIsKeptForLater() throws {
    defer { try? Host.remove(folder) }
    #expect(end { try fetcher().fetch(file("never")) { _, _, _ in } } == "FET003")
    #expect(Host.kind(of: path()) == nil)
    #expect((Host.byteCount(of: path(".part")) ?? 0) > 0)
    _ = try fetcher().fetch(file("good")) { _, _, _ in }
    #expect(try MappedFile(path: path()).view.array == content)
  }

  @Test func otherBytesAreNotKept() throws {
    defer { try? Host.remove(folder) }
    #expect(end { try fetcher().fetch(file("changed")) { _, _, _ in } } == "FET004")
    #expect(Host.kind(of: path()) == nil && Host.kind(of: path(".part")) == nil)
  }

  @Test func aFileThatIsThereAndWrongIsSaid() throws {
    defer { try? Host.remove(folder) }
    try Host.makeFolders(Host.join(folder, "zoo"))
    try AtomicFile.write("mine", to: path())
    #expect(end { try fetcher().fetch(file("good")) { _, _, _ in } } == "FET004")
    #expect(Host.smallText(path()) == "mine")
  }

  @Test func whatIsMissingOrElsewhereIsRefused() throws {
    defer { try? Host.remove(folder) }
    #expect(end { try fetcher().fetch(file("missing")) { _, _, _ in } } == "FET002")
    // A file that this machine serves must not come from another one.
    #expect(end { try fetcher().fetch(file("away")) { _, _, _ in } } == "FET003")
    let gone = DownloadFile(name: "x", url: "http://127.0.0.1:9/x", sha256: hash)
    #expect(end { try fetcher().fetch(gone) { _, _, _ in } } == "FET003")
    #expect(Host.kind(of: path(".part")) == nil)
  }

  @Test func aFullDiskIsSaidAndNothingIsTakenForWhole() throws {
    defer { try? Host.remove(folder) }
    try #require(Host.exists("/dev/full"))
    try Host.makeFolders(Host.join(folder, "zoo"))
    let link = try ChildProcess("/bin/ln", ["-s", "/dev/full", path(".part")])
    #expect(link.wait() == .exited(0))
    #expect(end { try fetcher().fetch(file("good")) { _, _, _ in } } == "FET005")
    #expect(Host.kind(of: path()) == nil)
  }

  @Test func anUnknownHashIsConfirmedOnce() throws {
    defer { try? Host.remove(folder) }
    let unknown = file("good", sha256: .some(nil))
    let wanted = Fetcher.Result.unconfirmed(
      sha256: hash,
      bytes: content.count,
      hasPublishedMD5: false
    )
    #expect(try fetcher().fetch(unknown) { _, _, _ in } == wanted)
    #expect(Host.kind(of: path()) == nil)
    // Asked again, nothing is downloaded again.
    #expect(try fetcher().fetch(unknown) { _, _, _ in } == wanted)
    #expect(
      end { try fetcher().confirm(unknown, sha256: String(repeating: "0", count: 64)) } == "FET004"
    )
    try fetcher().confirm(unknown, sha256: hash)
    #expect(try MappedFile(path: path()).view.array == content)
    #expect(try fetcher().fetch(unknown) { _, _, _ in } == .present)
    // Remembered for the next machine's folder, and held against.
    try Host.remove(path())
    #expect(try fetcher().fetch(unknown) { _, _, _ in } == .fetched(bytes: content.count))
  }

  @Test func thePublishersMD5IsHeldAgainst() throws {
    defer { try? Host.remove(folder) }
    var good = file("good", sha256: .some(nil))
    good.md5 = try md5(ByteView(content))
    guard
      case .unconfirmed(_, _, let isPublished) = try fetcher().fetch(good, progress: { _, _, _ in })
    else {
      Issue.record("a hash that nobody has seen was taken")
      return
    }
    #expect(isPublished)
    var bad = file("changed", sha256: .some(nil))
    bad.md5 = good.md5
    bad.name = "other"
    #expect(end { try fetcher().fetch(bad) { _, _, _ in } } == "FET004")
  }
}

// Safe because: the download calls it on the test's own thread.
/// What a download told of itself.
private final class Seen: @unchecked Sendable {
  private(set) var last = 0
  private(set) var total: Int?

  func note(_ done: Int, _ total: Int?) {
    last = done
    if let total { self.total = total }
  }
}

/// The server of `Tests/Support/fetch_server.py`, for as long as the object lives.
private final class LocalServer {
  static let python: String? = (Host.environment("PATH") ?? "").split(separator: ":")
    .map { Host.join(String($0), "python3") }.first { Host.kind(of: $0) == .file }

  private let process: ChildProcess
  private let port: Int

  init(serving path: String) throws {
    let pipe = try Pipe()
    process = try ChildProcess(
      try #require(LocalServer.python),
      [TestData.package + "/Tests/Support/fetch_server.py", path],
      descriptors: [1: pipe.writeEnd, 2: 2]
    )
    pipe.closeWrite()
    let channel = LineChannel(input: pipe.readEnd, output: -1)
    guard case .line(let line) = channel.read(), let port = Int(line) else {
      throw Diagnostic("TST001", "the server does not begin")
    }
    self.port = port
  }

  func url(_ kind: String) -> String { "http://127.0.0.1:\(port)/\(kind)" }

  /// What was asked of the server, this question included.
  func requests() throws -> [String] {
    let folder = try Host.makeTemporaryFolder("assay-requests")
    defer { try? Host.remove(folder) }
    let path = Host.join(folder, "requests")
    let outcome = try Curl().download(url("requests"), to: path, quiet: 5) { _, _ in }
    try #require(outcome == .whole)
    return (Host.smallText(path) ?? "").split(separator: "\n").map(String.init)
  }

  deinit { process.kill() }
}
