#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Writes whole files: a reader sees the old file or the new one, never a part.
public enum AtomicFile {
  /// Writes `parts`, one after the other, to `path`.
  ///
  /// The bytes go to a new file in the same folder, are synced to the disk and renamed; a failure
  /// leaves what was there.
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
    var template = Array((path + ".partial-XXXXXX").utf8CString)
    let descriptor = unsafe mkstemp(&template)
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
      if !isKept { unsafe _ = unlink(&template) }
    }
    for part in parts { try write(part, to: descriptor) { fault("writing") } }
    let mask = umask(0)
    umask(mask)
    guard fchmod(descriptor, 0o666 & ~mask) == 0 else { throw fault("setting permissions") }
    if isSynced, fsync(descriptor) != 0 { throw fault("syncing to the disk") }
    guard unsafe rename(&template, path) == 0 else { throw fault("renaming") }
    isKept = true
  }

  /// Writes text as UTF-8.
  public static func write(_ text: String, to path: String) throws {
    try write([ByteView(Array(text.utf8))], to: path)
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
