import AssayBase

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Files as tests need them.
enum PlainFile {
  /// Puts a text into a file without making another one.
  static func overwrite(_ path: String, _ text: String) throws {
    let descriptor = unsafe open(path, O_WRONLY | O_TRUNC)
    guard descriptor >= 0 else { throw Diagnostic("FIL003", "cannot be written", at: [path]) }
    defer { close(descriptor) }
    let bytes = Array(text.utf8)
    _ = unsafe systemWrite(descriptor, bytes, bytes.count)
  }

  /// Sets a file's permissions.
  static func setMode(_ path: String, _ mode: UInt32) { _ = unsafe chmod(path, mode) }

  /// Sets a variable of this process.
  static func setVariable(_ name: String, _ value: String) { _ = unsafe setenv(name, value, 1) }

  /// A pair of descriptors of a pseudo-terminal: the near end, and the path of the far one.
  static func pseudoTerminal() throws -> (near: Int32, path: String) {
    let near = unsafe open("/dev/ptmx", O_RDWR | O_NOCTTY)
    guard near >= 0 else {
      throw Diagnostic("HST050", "no pseudo-terminal", cause: lastSystemError())
    }
    // Linux's requests: let the far end be opened (TIOCSPTLCK), and which number it has (TIOCGPTN).
    var locked: Int32 = 0
    var number: Int32 = 0
    guard unsafe ioctl(near, 0x4004_5431, &locked) == 0,
      unsafe ioctl(near, 0x8004_5430, &number) == 0
    else { throw Diagnostic("HST050", "no pseudo-terminal", cause: lastSystemError()) }
    return (near, "/dev/pts/\(number)")
  }

  /// Writes to a descriptor.
  static func write(_ descriptor: Int32, _ text: String) {
    let bytes = Array(text.utf8)
    _ = unsafe systemWrite(descriptor, bytes, bytes.count)
  }

  static func close(_ descriptor: Int32) { _ = systemClose(descriptor) }

  /// Whether this process may do what it likes.
  static var isRoot: Bool { geteuid() == 0 }
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
  unsafe write(descriptor, bytes, count)
}

private func systemClose(_ descriptor: Int32) -> Int32 { close(descriptor) }
