import AssayBase
import CHost

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

extension Host {
  /// Makes a file that was written here a program: everyone may execute it, and it can be executed at once.
  ///
  /// - Throws: `Diagnostic` HST005 when its permissions cannot be changed.
  public static func makeProgram(_ path: String) throws {
    guard unsafe chmod(path, 0o755) == 0 else {
      throw Diagnostic(
        "HST005",
        "the file cannot be made a program",
        at: [path],
        cause: lastSystemError()
      )
    }
    awaitWriters(of: path)
  }

  /// Waits until nobody has a file open for writing, twenty seconds at most.
  ///
  /// A process that another thread is starting holds what this process had open until it has become its
  /// program. A file that was open for writing cannot be executed for so long ("Text file busy"), though
  /// it was closed here; a program that comes from a busy disk takes its time.
  public static func awaitWriters(of path: String) {
    let deadline = monotonicNanoseconds() + 20_000_000_000
    while unsafe chost_is_being_written(path), monotonicNanoseconds() < deadline {
      sleep(nanoseconds: 1_000_000)
    }
  }
}
