import AssayBase

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A small file of the system that is read again and again, such as a counter below `/sys`.
///
/// It is opened once; each read starts at its beginning, at which the system writes it anew. Belongs
/// to one thread.
public final class PolledFile {
  /// The path.
  public let path: String
  private let descriptor: Int32
  private var bytes = [UInt8](repeating: 0, count: 4096)

  /// Opens the file.
  ///
  /// - Throws: `Diagnostic` FIL001 with the system's words.
  public init(path: String) throws {
    self.path = path
    descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw Diagnostic("FIL001", "the file cannot be opened", at: [path], cause: lastSystemError())
    }
  }

  deinit { close(descriptor) }

  /// Its text now, without space at its end; at most 4 kB.
  ///
  /// - Throws: `Diagnostic` FIL001 when it cannot be read, such as a sensor that went away.
  public func text() throws -> String {
    while true {
      let count = unsafe pread(descriptor, &bytes, bytes.count, 0)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else {
        throw Diagnostic("FIL001", "the file cannot be read", at: [path], cause: lastSystemError())
      }
      var end = count
      while end > 0, bytes[end - 1] <= 32 { end -= 1 }
      return String(decoding: bytes[..<end], as: UTF8.self)
    }
  }

  /// Its whole number now.
  ///
  /// - Throws: `Diagnostic` FIL001, or HST006 when it holds no whole number.
  public func integer() throws -> Int64 {
    let text = try text()
    guard let value = Int64(text) else {
      throw Diagnostic("HST006", "the file holds no whole number", at: [path], cause: text)
    }
    return value
  }
}

extension Host {
  /// Whether this process may read the path.
  public static func isReadable(_ path: String) -> Bool { unsafe access(path, R_OK) == 0 }
}
