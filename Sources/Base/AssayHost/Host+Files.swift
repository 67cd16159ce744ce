import AssayBase

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

extension Host {
  /// What a path names.
  public enum FileKind: Sendable, Equatable {
    case file, folder, other
  }

  /// What the path names (links are followed); `nil` when there is nothing.
  public static func kind(of path: String) -> FileKind? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return .file
    case S_IFDIR: return .folder
    default: return .other
    }
  }

  /// Whether anything is at the path.
  public static func exists(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }

  /// Bytes of a file; `nil` when there is none.
  public static func byteCount(of path: String) -> Int? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    return Int(status.st_size)
  }

  /// The names in a folder, sorted, without `.` and `..`.
  ///
  /// - Throws: `Diagnostic` HST001 when the folder cannot be read.
  public static func list(_ folder: String) throws -> [String] {
    guard let stream = unsafe opendir(folder) else {
      throw Diagnostic(
        "HST001",
        "the folder cannot be read",
        at: [folder],
        cause: lastSystemError()
      )
    }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// Makes a folder and those above it; one that exists is left alone.
  ///
  /// - Throws: `Diagnostic` HST002 when one cannot be made.
  public static func makeFolders(_ path: String) throws {
    if kind(of: path) == .folder { return }
    let above = folder(of: path)
    if above != path, kind(of: above) != .folder { try makeFolders(above) }
    guard unsafe mkdir(path, 0o777) == 0 || errno == EEXIST, kind(of: path) == .folder else {
      throw Diagnostic(
        "HST002",
        "the folder cannot be made",
        at: [path],
        remedy: "give a path that you may write to",
        cause: lastSystemError()
      )
    }
  }

  /// Removes a file, or a folder with all that is in it; links are removed, not followed.
  ///
  /// - Throws: `Diagnostic` HST003 when something cannot be removed; nothing at the path is fine.
  public static func remove(_ path: String) throws {
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else { return }
    let isFolder = status.st_mode & S_IFMT == S_IFDIR
    if isFolder {
      for name in try list(path) { try remove(join(path, name)) }
    }
    guard unsafe (isFolder ? rmdir(path) : unlink(path)) == 0 else {
      throw Diagnostic("HST003", "this cannot be removed", at: [path], cause: lastSystemError())
    }
  }

  /// Puts the folder `draft` in the place of `path`, and removes a folder that was there.
  ///
  /// - Throws: `Diagnostic` HST002 when it cannot be put there; what was there is there again.
  public static func replaceFolder(_ path: String, with draft: String) throws {
    func fault() -> Diagnostic {
      Diagnostic(
        "HST002",
        "the folder cannot be put in its place",
        at: [path],
        remedy: "give a path that you may write to",
        cause: lastSystemError()
      )
    }
    let old = path + ".old-\(processID)"
    let isThere = kind(of: path) != nil
    if isThere { guard unsafe rename(path, old) == 0 else { throw fault() } }
    guard unsafe rename(draft, path) == 0 else {
      let fault = fault()
      if isThere { unsafe _ = rename(old, path) }
      throw fault
    }
    if isThere { try remove(old) }
  }

  /// Makes a new folder for temporary files.
  ///
  /// - Throws: `Diagnostic` HST002 when it cannot be made.
  public static func makeTemporaryFolder(_ prefix: String = "assay") throws -> String {
    let base = environment("TMPDIR") ?? "/tmp"
    var template = Array(join(base, "\(prefix)-XXXXXX").utf8CString)
    guard unsafe mkdtemp(&template) != nil else {
      throw Diagnostic(
        "HST002",
        "a temporary folder cannot be made",
        at: [base],
        remedy: "set TMPDIR to a folder that you may write to",
        cause: lastSystemError()
      )
    }
    return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// The text of a small file of the system, such as one below `/proc` (whose size is told as 0).
  public static func smallText(_ path: String, limit: Int = 1 << 20) -> String? {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16384)
    while bytes.count < limit {
      let count = unsafe read(descriptor, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { return nil }
      if count == 0 { break }
      bytes += chunk[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// A path below another; one that is absolute stands for itself.
  public static func join(_ folder: String, _ name: String) -> String {
    if name.hasPrefix("/") || folder.isEmpty { return name }
    return folder.hasSuffix("/") ? folder + name : folder + "/" + name
  }

  /// The folder that holds a path: `.` for a bare name.
  public static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The last part of a path.
  public static func name(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
  }

  /// The path without links and without `.` and `..`; `nil` when it does not exist.
  public static func realPath(_ path: String) -> String? {
    guard let resolved = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(resolved) }
    return unsafe String(cString: resolved)
  }

  static func linkTarget(_ path: String) -> String? {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = unsafe readlink(path, &buffer, buffer.count)
    guard count > 0 else { return nil }
    return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

/// The folder where Assay keeps what outlives one command: runtimes, store, cache.
public enum AssayHome {
  /// `$ASSAY_HOME`, else `assay` in the user's data folder (`$XDG_DATA_HOME`, `~/.local/share`).
  public static var path: String {
    if let given = Host.environment("ASSAY_HOME") { return given }
    if let data = Host.environment("XDG_DATA_HOME") { return Host.join(data, "assay") }
    return Host.join(Host.environment("HOME") ?? ".", ".local/share/assay")
  }
}

extension Host {
  /// Reads a file from its beginning to its end and keeps nothing of it, so that it lies in the
  /// system's cache.
  ///
  /// - Returns: the number of bytes read.
  /// - Throws: `Diagnostic` FIL001 when it cannot be read.
  @discardableResult
  public static func readThrough(_ path: String) throws -> Int {
    func fault() -> Diagnostic {
      Diagnostic("FIL001", "the file cannot be read", at: [path], cause: lastSystemError())
    }
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw fault() }
    defer { close(descriptor) }
    var chunk = [UInt8](repeating: 0, count: 1 << 18)
    var total = 0
    while true {
      let count = unsafe read(descriptor, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw fault() }
      if count == 0 { return total }
      total += count
    }
  }
}
