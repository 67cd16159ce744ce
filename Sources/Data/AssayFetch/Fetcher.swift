import AssayBase
import AssayHost

/// Brings files into a folder, each whole and checked or not at all.
///
/// A file grows as `NAME.part` and takes its name only once its hash was seen to be right; what was
/// interrupted goes on where it stopped.
public struct Fetcher: Sendable {
  /// How a file came to be there.
  public enum Result: Sendable, Equatable {
    /// It was there and is right.
    case present
    /// It was downloaded, so many bytes of it now.
    case fetched(bytes: Int)
    /// It is there as `NAME.part`, but nobody has seen its hash before: the user is to say whether it is
    /// the right one.
    case unconfirmed(sha256: String, bytes: Int, hasPublishedMD5: Bool)
  }

  /// What happens, for those who show it: bytes that are there, how many there will be, bytes a second.
  public typealias Progress = (_ done: Int, _ total: Int?, _ rate: Double) -> Void

  /// Where the files go.
  public let folder: String
  /// Hashes that the user has confirmed.
  public let confirmed: ConfirmedHashes
  /// Tries of one download that bring nothing new, before it is given up.
  public var patience = 3
  /// Seconds after which a connection that brings nothing is given up.
  public var quiet = 30
  private let curl: Curl

  /// A fetcher into a folder.
  ///
  /// - Throws: `Diagnostic` FET001 when there is no curl.
  public init(folder: String, confirmed: ConfirmedHashes) throws {
    self.folder = folder
    self.confirmed = confirmed
    curl = try Curl()
  }

  /// Brings one file.
  ///
  /// - Throws: `Diagnostic` FET002 when the server refuses, FET003 when the connection breaks or is cut
  ///   short again and again, FET004 for a file that is not the one that is pinned (nothing of it is
  ///   kept), FET005 when the disk is full or cannot be written, FET006 when the user interrupts; but for
  ///   FET004 the next call goes on where this one ended.
  public func fetch(_ file: DownloadFile, progress: Progress) throws -> Result {
    let path = Host.join(folder, file.name)
    let pinned = try file.sha256 ?? confirmed.sha256(of: file.url)
    if Host.kind(of: path) == .file {
      let found = try sha256(MappedFile(path: path).view)
      guard let pinned else {
        return .unconfirmed(
          sha256: found,
          bytes: Host.byteCount(of: path) ?? 0,
          hasPublishedMD5: try check(md5: file, path)
        )
      }
      if found == pinned { return .present }
      throw wrong(file, path, pinned, found, isKept: true)
    }
    try Host.makeFolders(folder)
    let part = path + ".part"
    let before = Host.byteCount(of: part) ?? 0
    var isResumed = before > 0
    if isResumed, let size = file.byteCount, before > size {
      try Host.remove(part)
      isResumed = false
    }
    while true {
      try download(file, to: part, progress)
      let found = try sha256(MappedFile(path: part).view)
      if let pinned, found != pinned {
        try Host.remove(part)
        // What was there before may have been of another file: once more, from the start.
        if isResumed {
          isResumed = false
          continue
        }
        throw wrong(file, file.url, pinned, found, isKept: false)
      }
      let bytes = Host.byteCount(of: part) ?? 0
      let isPublished: Bool
      do {
        isPublished = try check(md5: file, part)
      } catch {
        try Host.remove(part)
        if isResumed {
          isResumed = false
          continue
        }
        throw error
      }
      guard pinned != nil else {
        return .unconfirmed(sha256: found, bytes: bytes, hasPublishedMD5: isPublished)
      }
      try Fetcher.take(part, as: path)
      return .fetched(bytes: bytes - (isResumed ? before : 0))
    }
  }

  /// Takes a file whose hash the user confirmed.
  ///
  /// - Throws: `Diagnostic` FET004 when the file is not of that hash, FET007 when there is none.
  public func confirm(_ file: DownloadFile, sha256 hash: String) throws {
    let path = Host.join(folder, file.name)
    let part = path + ".part"
    guard let place = [path, part].first(where: { Host.kind(of: $0) == .file }) else {
      throw Diagnostic("FET007", "'\(file.name)' was not downloaded yet", remedy: "fetch it first")
    }
    let found = try sha256(MappedFile(path: place).view)
    guard found == hash.lowercased() else {
      throw wrong(file, place, hash.lowercased(), found, isKept: true)
    }
    try confirmed.remember(file.url, found)
    if place == part { try Fetcher.take(part, as: path) }
  }

  /// Gives a file that was checked its name; one that was there, wrong, is gone.
  private static func take(_ part: String, as path: String) throws {
    try Host.replaceFolder(path, with: part)
  }

  private func download(_ file: DownloadFile, to part: String, _ progress: Progress) throws {
    if let size = file.byteCount, Host.byteCount(of: part) == size { return }
    var failures = 0
    while true {
      let start = Host.monotonicNanoseconds()
      let before = Host.byteCount(of: part) ?? 0
      let outcome = try curl.download(file.url, to: part, quiet: quiet) { done, total in
        let seconds = Double(Host.monotonicNanoseconds() - start) / 1e9
        progress(done, total ?? file.byteCount, Double(done - before) / max(seconds, 0.001))
      }
      let after = Host.byteCount(of: part) ?? 0
      switch outcome {
      case .whole:
        if let size = file.byteCount, after < size {
          failures += after > before ? 0 : 1
          guard failures < patience else { throw broken(file, after, "the server sent too little") }
          continue
        }
        return
      case .interrupted:
        throw Diagnostic(
          "FET006",
          "the download was interrupted at \(after) bytes",
          at: [file.url],
          remedy: "the same command goes on there"
        )
      case .notResumable:
        try Host.remove(part)
        failures += 1
      case .refused(416):
        // Nothing lies behind what is there: whether it is whole its hash tells.
        if before > 0, file.byteCount.map({ $0 <= before }) ?? true { return }
        try Host.remove(part)
        failures += 1
      case .refused(let status):
        throw Diagnostic(
          "FET002",
          "the server refuses with status \(status)"
            + (status == 404 ? ": there is no such file any more" : ""),
          at: [file.url],
          remedy: "a table of your own can name another address: assay zoo fetch --table FILE"
        )
      case .notWritten(let words):
        throw Diagnostic(
          "FET005",
          "the file cannot be written: the disk may be full",
          at: [part],
          remedy: "make room, or give another folder with --output; the same command then goes on",
          cause: words
        )
      case .broken(let words):
        failures = after > before ? 0 : failures + 1
        if failures >= patience { throw broken(file, after, words) }
      }
      if failures >= patience { throw broken(file, after, "the server does not send the file") }
    }
  }

  private func broken(_ file: DownloadFile, _ bytes: Int, _ words: String) -> Diagnostic {
    Diagnostic(
      "FET003",
      bytes > 0
        ? "the download broke off at \(bytes) bytes, \(patience) times in a row"
        : "the server cannot be reached",
      at: [file.url],
      remedy: "the same command goes on where this one stopped",
      cause: words
    )
  }

  private func wrong(
    _ file: DownloadFile,
    _ place: String,
    _ wanted: String,
    _ found: String,
    isKept: Bool
  ) -> Diagnostic {
    Diagnostic(
      "FET004",
      "'\(file.name)' is not the file that is known: its SHA-256 is \(found), not \(wanted)",
      at: [place],
      remedy: isKept
        ? "remove it and fetch it again"
        : "it was changed at its source or on its way, and was not kept"
    )
  }

  /// Holds a file against the MD5 that its publisher gives.
  ///
  /// - Returns: whether there is one.
  private func check(md5 file: DownloadFile, _ path: String) throws -> Bool {
    guard let wanted = file.md5 else { return false }
    let found = try md5(MappedFile(path: path).view)
    guard found == wanted else {
      throw Diagnostic(
        "FET004",
        "'\(file.name)' is not what its publisher says: its MD5 is \(found), not \(wanted)",
        at: [file.url],
        remedy: "it was changed at its source or on its way, and was not kept"
      )
    }
    return true
  }
}

/// The hashes that a user has confirmed, by address; kept in one file.
public struct ConfirmedHashes: Sendable {
  private static let schema = "assay.confirmed-downloads/1"
  private let path: String

  /// The hashes in a file, which need not exist.
  public init(path: String) { self.path = path }

  private func read() throws -> JSON {
    guard Host.kind(of: path) == .file else { return .emptyObject }
    return try locating(path) {
      let json = try JSON(parsing: MappedFile(path: path).view.array)
      guard json["schema"]?.string == ConfirmedHashes.schema, let hashes = json["sha256"],
        hashes.pairs != nil
      else {
        throw Diagnostic(
          "FET012",
          "this is no file of confirmed hashes",
          remedy: "remove it; hashes are then asked for again"
        )
      }
      return hashes
    }
  }

  /// The hash that was confirmed for an address.
  ///
  /// - Throws: `Diagnostic` FET012 for a broken file.
  public func sha256(of url: String) throws -> String? { try read()[url]?.string }

  /// Remembers a hash.
  public func remember(_ url: String, _ sha256: String) throws {
    var hashes = try read()
    hashes[url] = .string(sha256)
    try Host.makeFolders(Host.folder(of: path))
    let json = JSON.object(["schema": .string(ConfirmedHashes.schema), "sha256": hashes])
    try AtomicFile.write(json.text(pretty: true) + "\n", to: path)
  }
}
