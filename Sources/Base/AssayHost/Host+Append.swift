import AssayBase

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

extension Host {
  /// Adds bytes to the end of a file, which is made where there is none: a log that others follow.
  ///
  /// - Throws: `Diagnostic` FIL003 with the system's words.
  public static func append(_ bytes: [UInt8], to path: String) throws {
    func fault() -> Diagnostic {
      Diagnostic(
        "FIL003",
        "the file cannot be written",
        at: [path],
        remedy: "check that the folder exists, may be written to and has room",
        cause: lastSystemError()
      )
    }
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw fault() }
    defer { close(descriptor) }
    var offset = 0
    while offset < bytes.count {
      let written = unsafe bytes[offset...].withUnsafeBytes {
        unsafe write(descriptor, $0.baseAddress, $0.count)
      }
      if written < 0, errno == EINTR { continue }
      guard written > 0 else { throw fault() }
      offset += written
    }
  }
}
