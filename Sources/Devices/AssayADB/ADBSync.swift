import AssayBase
import AssayHost

/// Files to and from a phone (sync protocol, in its second version where the phone has it).
public final class ADBSync {
  /// What the phone tells of a file.
  public struct FileStatus: Sendable, Equatable {
    /// Kind and permissions as `st_mode`.
    public var mode: UInt32
    /// Bytes.
    public var size: UInt64
    /// When it was last written, seconds since 1970.
    public var modified: Int64

    /// Whether it is a regular file.
    public var isFile: Bool { mode & 0o170000 == 0o100000 }
    /// Whether it is a folder.
    public var isFolder: Bool { mode & 0o170000 == 0o040000 }
  }

  private let socket: ADBSocket
  private let place: String
  private let hasLongStatus: Bool
  private let hasLongTransfer: Bool
  private let hasLongList: Bool
  private var isSpoilt = false

  /// The greatest part of a file that one message may carry.
  static let greatestPart = 65_536

  /// Opens the service.
  ///
  /// - Throws: `Diagnostic` ADB010-012 when the phone cannot be used.
  public init(_ server: ADBServer, _ serial: String, features: Set<String>? = nil) throws {
    let features = try features ?? server.features(serial)
    hasLongStatus = features.contains("stat_v2")
    hasLongTransfer = features.contains("sendrecv_v2")
    hasLongList = features.contains("ls_v2")
    place = "adb:\(serial)"
    socket = try server.open("sync:", on: serial, until: server.deadline())
  }

  /// What is at a path, links followed where the phone can; `nil` when there is nothing.
  public func status(_ path: String, until deadline: UInt64) throws -> FileStatus? {
    try exchange(path) {
      if hasLongStatus {
        try request("STA2", path, until: deadline)
        let answer = try socket.read(exactly: 72, until: deadline)
        try expect(answer, "STA2")
        guard ADBWire.word(answer, at: 4) == 0 else { return nil }
        return FileStatus(
          mode: ADBWire.word(answer, at: 24),
          size: ADBWire.long(answer, at: 40),
          modified: Int64(bitPattern: ADBWire.long(answer, at: 56))
        )
      }
      try request("STAT", path, until: deadline)
      let answer = try socket.read(exactly: 16, until: deadline)
      try expect(answer, "STAT")
      let mode = ADBWire.word(answer, at: 4)
      guard mode != 0 else { return nil }
      return FileStatus(
        mode: mode,
        size: UInt64(ADBWire.word(answer, at: 8)),
        modified: Int64(ADBWire.word(answer, at: 12))
      )
    }
  }

  /// The entries of a folder, sorted, without `.` and `..`; empty when there is no such folder.
  public func list(_ path: String, until deadline: UInt64) throws -> [String: FileStatus] {
    try exchange(path) {
      try request(hasLongList ? "LIS2" : "LIST", path, until: deadline)
      var entries: [String: FileStatus] = [:]
      while true {
        let id = try socket.read(exactly: 4, until: deadline)
        let word = String(decoding: id, as: UTF8.self)
        guard ["DENT", "DNT2", "DONE"].contains(word) else { throw unexpected(word) }
        // What ends the list is as long as an entry.
        let body = try socket.read(exactly: hasLongList ? 72 : 16, until: deadline)
        if word == "DONE" { return entries }
        let length = Int(ADBWire.word(body, at: hasLongList ? 68 : 12))
        guard length <= 4096 else { throw unexpected("a name of \(length) bytes") }
        let name = String(
          decoding: try socket.read(exactly: length, until: deadline),
          as: UTF8.self
        )
        if name == "." || name == ".." { continue }
        entries[name] =
          hasLongList
          ? FileStatus(
            mode: ADBWire.word(body, at: 20),
            size: ADBWire.long(body, at: 36),
            modified: Int64(bitPattern: ADBWire.long(body, at: 52))
          )
          : FileStatus(
            mode: ADBWire.word(body, at: 0),
            size: UInt64(ADBWire.word(body, at: 4)),
            modified: Int64(ADBWire.word(body, at: 8))
          )
      }
    }
  }

  /// Writes a file on the phone; folders above it are made.
  ///
  /// An interrupted transfer leaves a part of the file: callers write to a name of their own and
  /// rename.
  ///
  /// - Parameters:
  ///   - mode: permissions.
  ///   - stall: seconds that one part may take.
  ///   - progress: is told how many bytes have gone.
  /// - Throws: `Diagnostic` ADB030 with the phone's reason, ADB020 and ADB021 when it is lost.
  public func push(
    _ bytes: ByteView,
    to path: String,
    mode: UInt32 = 0o644,
    stall: Double = 30,
    progress: (Int) -> Void = { _ in }
  ) throws {
    func deadline() -> UInt64 { Host.monotonicNanoseconds() &+ UInt64(stall * 1e9) }
    try exchange(path) {
      let mode = 0o100000 | mode & 0o777
      if hasLongTransfer {
        try request("SND2", path, until: deadline())
        try socket.write(
          Array("SND2".utf8) + ADBWire.word(mode) + ADBWire.word(0),
          until: deadline()
        )
      } else {
        try request("SEND", "\(path),\(mode)", until: deadline())
      }
      var offset = 0
      while offset < bytes.count {
        let part = try bytes.slice(offset, min(ADBSync.greatestPart, bytes.count - offset)).array
        try socket.write(
          Array("DATA".utf8) + ADBWire.word(UInt32(part.count)) + part,
          until: deadline()
        )
        offset += part.count
        progress(offset)
      }
      let now = UInt32(clamping: Host.wallNanoseconds() / 1_000_000_000)
      try socket.write(Array("DONE".utf8) + ADBWire.word(now), until: deadline())
      let answer = try socket.read(exactly: 8, until: deadline())
      try expect(answer, "OKAY", until: deadline())
    }
  }

  /// Reads a file from the phone.
  ///
  /// - Parameter limit: the greatest length that is taken.
  /// - Throws: `Diagnostic` ADB030 with the phone's reason, ADB023 when it is longer than `limit`.
  public func pull(
    _ path: String,
    limit: Int = 1 << 30,
    stall: Double = 30,
    progress: (Int) -> Void = { _ in }
  ) throws -> [UInt8] {
    func deadline() -> UInt64 { Host.monotonicNanoseconds() &+ UInt64(stall * 1e9) }
    return try exchange(path) {
      if hasLongTransfer {
        try request("RCV2", path, until: deadline())
        try socket.write(Array("RCV2".utf8) + ADBWire.word(0), until: deadline())
      } else {
        try request("RECV", path, until: deadline())
      }
      var bytes: [UInt8] = []
      while true {
        let answer = try socket.read(exactly: 8, until: deadline())
        let word = String(decoding: answer[..<4], as: UTF8.self)
        let length = Int(ADBWire.word(answer, at: 4))
        switch word {
        case "DATA":
          guard length <= ADBSync.greatestPart else {
            throw unexpected("a part of \(length) bytes")
          }
          bytes += try socket.read(exactly: length, until: deadline())
          guard bytes.count <= limit else {
            throw Diagnostic("ADB023", "the file is longer than \(Words.bytes(limit))")
          }
          progress(bytes.count)
        case "DONE": return bytes
        case "FAIL": throw try failure(length, until: deadline())
        default: throw unexpected(word)
        }
      }
    }
  }

  /// One request and its answer; after a fault in the middle nothing more can be asked.
  private func exchange<T>(_ path: String, _ body: () throws -> T) throws -> T {
    guard !isSpoilt else {
      throw Diagnostic("ADB020", "the connection for files has failed before", at: [place])
    }
    do {
      return try body()
    } catch let error as Diagnostic {
      // A refusal ends a transfer in good order only where the phone reads on; it does not always.
      isSpoilt = true
      throw error.inside(path).inside(place)
    }
  }

  private func request(_ id: String, _ path: String, until deadline: UInt64) throws {
    let bytes = Array(path.utf8)
    guard bytes.count <= 1024, !bytes.contains(0) else {
      throw Diagnostic("ADB030", "the path is too long for adb, or holds a zero byte")
    }
    try socket.write(Array(id.utf8) + ADBWire.word(UInt32(bytes.count)) + bytes, until: deadline)
  }

  private func expect(_ answer: [UInt8], _ id: String, until deadline: UInt64? = nil) throws {
    let word = String(decoding: answer.prefix(4), as: UTF8.self)
    if word == id { return }
    if word == "FAIL", let deadline {
      throw try failure(Int(ADBWire.word(answer, at: 4)), until: deadline)
    }
    throw unexpected(word)
  }

  private func failure(_ length: Int, until deadline: UInt64) throws -> Diagnostic {
    guard length <= ADBSync.greatestPart else { return unexpected("a reason of \(length) bytes") }
    let reason = String(decoding: try socket.read(exactly: length, until: deadline), as: UTF8.self)
    return Diagnostic(
      "ADB030",
      "the phone refuses the file",
      remedy: reason.contains("No space") ? "free storage on the phone" : nil,
      cause: reason
    )
  }

  private func unexpected(_ what: String) -> Diagnostic {
    Diagnostic("ADB002", "the phone answers with \(Words.printable(what)) where it may not")
  }
}
