#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

// Safe because: the mapping is private and read-only and never changes after initialisation.
/// A file mapped read-only into memory; no byte is read before it is asked for.
@safe public final class MappedFile: ByteOwner, @unchecked Sendable {
  /// The path as it was given.
  public let path: String
  /// All bytes of the file.
  public let allBytes: UnsafeRawBufferPointer
  /// The bytes as a view.
  public var view: ByteView { ByteView(self) }

  /// Maps the regular file at `path`.
  ///
  /// - Throws: `Diagnostic` FIL001 when it cannot be opened, FIL002 when it is not a regular file.
  public init(path: String) throws {
    self.path = path
    // A named pipe is not waited for: it is no regular file.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw Diagnostic("FIL001", "the file cannot be opened", at: [path], cause: lastSystemError())
    }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw Diagnostic(
        "FIL002",
        "this is not a regular file",
        at: [path],
        remedy: "give the path of a file"
      )
    }
    let size = Int(status.st_size)
    guard size > 0 else {
      unsafe allBytes = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let address = unsafe mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0),
      unsafe address != MAP_FAILED
    else {
      throw Diagnostic("FIL001", "the file cannot be mapped", at: [path], cause: lastSystemError())
    }
    unsafe allBytes = UnsafeRawBufferPointer(start: address, count: size)
  }

  deinit {
    if let address = unsafe allBytes.baseAddress {
      unsafe munmap(UnsafeMutableRawPointer(mutating: address), allBytes.count)
    }
  }
}

/// The system's words for the last failed call of this thread.
public func lastSystemError() -> String { unsafe String(cString: strerror(errno)) }
