#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Writes whole files: a reader sees the old file or the new one, never a part.
public enum AtomicFile {
  /// A new file beside another one, open for writing; less than 0 where it cannot be made.
  ///
  /// What other threads start does not hold it: it would be open there for as long as that runs.
  private static func made(beside target: String) -> (path: String, descriptor: Int32) {
    let letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
    while true {
      let suffix = String((0..<6).map { _ in letters[Int.random(in: letters.indices)] })
      let path = target + ".partial-" + suffix
      let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
      if descriptor >= 0 || errno != EEXIST { return (path, descriptor) }
    }
  }

  /// Writes `parts`, one after the other, to `path`.
  ///
  /// The bytes go to a new file in the same folder, are synced to the disk and renamed; a failure
  /// leaves what was there. A device or a pipe, such as `/dev/null`, is written into: its name must not be
  /// taken from it. A symbolic link stays, and the file that it names is replaced.
  ///
  /// - Parameter isSynced: whether to wait for the disk, so that the new file also survives a loss of
  ///   power. What can be made again at will need not: a disk under load takes a minute for 100 MB.
  /// - Throws: `Diagnostic` FIL003 with the system's words.
  public static func write(
    _ parts: [ByteView],
    to path: String,
    isSynced: Bool = true
  ) throws {
    func fault(_ what: String) -> Diagnostic {
      Diagnostic("FIL003", "\(what) failed", at: [path], cause: lastSystemError())
    }
    let target = followed(path)
    if isSpecial(target) {
      let descriptor = unsafe open(target, O_WRONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw fault("opening") }
      defer { close(descriptor) }
      for part in parts { try write(part, to: descriptor) { fault("writing") } }
      return
    }
    let (partial, descriptor) = made(beside: target)
    guard descriptor >= 0 else {
      throw Diagnostic(
        "FIL003",
        "the file cannot be written",
        at: [path],
        remedy: "check that the folder exists and may be written to",
        cause: lastSystemError()
      )
    }
    var isKept = false
    defer {
      close(descriptor)
      if !isKept { unsafe _ = unlink(partial) }
    }
    for part in parts { try write(part, to: descriptor) { fault("writing") } }
    let mask = umask(0)
    umask(mask)
    guard fchmod(descriptor, 0o666 & ~mask) == 0 else { throw fault("setting permissions") }
    if isSynced, fsync(descriptor) != 0 { throw fault("syncing to the disk") }
    guard unsafe rename(partial, target) == 0 else { throw fault("renaming") }
    isKept = true
  }

  /// Writes text as UTF-8.
  public static func write(_ text: String, to path: String) throws {
    try write([ByteView(Array(text.utf8))], to: path)
  }

  /// The file that a path names at the end of its symbolic links; the path itself when there is none.
  private static func followed(_ path: String) -> String {
    var status = stat()
    guard unsafe lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFLNK,
      let real = unsafe realpath(path, nil)
    else { return path }
    defer { unsafe free(real) }
    return unsafe String(cString: real)
  }

  /// Whether something is there that is neither a file nor a folder.
  private static func isSpecial(_ path: String) -> Bool {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return false }
    return status.st_mode & S_IFMT != S_IFREG && status.st_mode & S_IFMT != S_IFDIR
  }

  private static func write(
    _ part: ByteView,
    to descriptor: Int32,
    fault: () -> Diagnostic
  ) throws {
    var offset = 0
    while offset < part.count {
      let written = try unsafe part.slice(offset, part.count - offset).withUnsafeBytes {
        unsafe systemWrite(descriptor, $0.baseAddress, $0.count)
      }
      if written < 0, errno == EINTR { continue }
      guard written > 0 else { throw fault() }
      offset += written
    }
  }
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
  unsafe write(descriptor, bytes, count)
}
