import AssayBase
import AssayHost
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// One accepted connection, which may be cut after so many bytes.
final class Wire: @unchecked Sendable {
  // Safe because: the descriptor is closed once, by the thread that serves it; the budget is locked.
  private let descriptor: Int32
  private let budget: Mutex<Int?>

  /// - Parameter budget: bytes in both directions after which the cable is drawn; `nil` for never.
  init(_ descriptor: Int32, budget: Int?) {
    self.descriptor = descriptor
    self.budget = Mutex(budget)
  }

  /// The end of a connection.
  struct Cut: Error {}

  /// Draws the cable after so many more bytes.
  func limit(_ bytes: Int?) { budget.withLock { $0 = bytes } }

  func cut() { _ = shutdown(descriptor, Int32(SHUT_RDWR)) }

  func end() { _ = Glibc.close(descriptor) }

  private func spend(_ count: Int) throws {
    let isOver = budget.withLock { left in
      guard let some = left else { return false }
      left = some - count
      return some < count
    }
    if isOver {
      cut()
      throw Cut()
    }
  }

  func read(_ count: Int) throws -> [UInt8] {
    try spend(count)
    var bytes = [UInt8](repeating: 0, count: count)
    var offset = 0
    while offset < count {
      let got = unsafe bytes[offset...].withUnsafeMutableBytes {
        unsafe recv(descriptor, $0.baseAddress, $0.count, 0)
      }
      if got < 0, errno == EINTR { continue }
      guard got > 0 else { throw Cut() }
      offset += got
    }
    return bytes
  }

  func write(_ bytes: [UInt8]) throws {
    try spend(bytes.count)
    var offset = 0
    while offset < bytes.count {
      let sent = unsafe bytes[offset...].withUnsafeBytes {
        unsafe send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if sent < 0, errno == EINTR { continue }
      guard sent > 0 else { throw Cut() }
      offset += sent
    }
  }

  func write(_ text: String) throws { try write(Array(text.utf8)) }

  /// Whether the other side has closed, or has something to say.
  func isReadable(milliseconds: Int32) -> Bool {
    var state = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return unsafe poll(&state, 1, milliseconds) > 0
  }

  static func word(_ value: UInt32) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * UInt32($0))) }
  }

  static func long(_ value: UInt64) -> [UInt8] {
    word(UInt32(truncatingIfNeeded: value)) + word(UInt32(truncatingIfNeeded: value >> 32))
  }

  static func value(_ bytes: [UInt8]) -> Int {
    bytes.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
  }

  func frame(_ text: String) throws {
    let digits = String(text.utf8.count, radix: 16)
    try write(String(repeating: "0", count: 4 - digits.count) + digits + text)
  }
}

/// A listening socket of the loopback interface, on a port that the system chose.
final class Listener: Sendable {
  let port: Int
  private let descriptor: Int32

  init() throws {
    #if canImport(Glibc)
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    #else
    let descriptor = socket(AF_INET, SOCK_STREAM, 0)
    #endif
    self.descriptor = descriptor
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let status = unsafe withUnsafeMutablePointer(to: &address) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(descriptor, $0, length) == 0 && listen(descriptor, 64) == 0
          && getsockname(descriptor, $0, &length) == 0
      }
    }
    guard status else { throw Diagnostic("TST001", "no port", cause: lastSystemError()) }
    port = Int(UInt16(bigEndian: address.sin_port))
  }

  /// The next connection; `nil` when there is none within a tenth of a second.
  func accept() -> Int32? {
    var state = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard unsafe poll(&state, 1, 100) > 0 else { return nil }
    let connection = Glibc.accept(descriptor, nil, nil)
    guard connection >= 0 else { return nil }
    _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
    return connection
  }

  func end() { _ = Glibc.close(descriptor) }
}

/// Sends a signal.
func hangUp(_ process: Int32) { _ = kill(process, SIGHUP) }
