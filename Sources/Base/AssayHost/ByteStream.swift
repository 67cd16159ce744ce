import AssayBase

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Bytes that come over time: of standard input until it ends, or of a file that grows.
public final class ByteStream {
  private let descriptor: Int32
  private let idleNanoseconds: UInt64?
  private let isStandardInput: Bool
  private let isRegular: Bool

  /// Opens `-` for standard input, or a file.
  ///
  /// - Parameter idleNanoseconds: after how long without growth a file counts as complete; never if
  ///   `nil`.
  /// - Throws: `Diagnostic` FIL001 when it cannot be opened.
  public init(path: String, idleNanoseconds: UInt64? = nil) throws {
    self.idleNanoseconds = idleNanoseconds
    isStandardInput = path == "-"
    descriptor = isStandardInput ? 0 : unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw Diagnostic("FIL001", "the file cannot be opened", at: [path], cause: lastSystemError())
    }
    var status = stat()
    isRegular = unsafe fstat(descriptor, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }

  deinit { if !isStandardInput { close(descriptor) } }

  /// The next bytes, for which it waits; `nil` at the end.
  ///
  /// - Throws: `Diagnostic` FIL001 when they cannot be read.
  public func next() throws -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    var waited: UInt64 = 0
    while true {
      let count = unsafe bytes.withUnsafeMutableBytes {
        unsafe read(descriptor, $0.baseAddress, $0.count)
      }
      if count > 0 { return Array(bytes[..<count]) }
      if count < 0 {
        if errno == EINTR { continue }
        throw Diagnostic("FIL001", "reading failed", cause: lastSystemError())
      }
      // The end of a pipe is the end; a file may grow.
      guard isRegular, !isStandardInput else { return nil }
      if let idleNanoseconds, waited >= idleNanoseconds { return nil }
      let pause: UInt64 = 50_000_000
      Host.sleep(nanoseconds: pause)
      waited += pause
    }
  }
}
