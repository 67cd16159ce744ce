import AssayBase
import AssayHost

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A stream of bytes to a server on this very machine, with a deadline on every call.
///
/// Only the loopback interface is reached: adb's server has no password, so that whoever opens it to
/// a network gives every phone away.
final class ADBSocket {
  private let descriptor: Int32
  /// What has come and was not asked for yet.
  private var buffer: [UInt8] = []
  private var isEnded = false

  /// Connects to a port of 127.0.0.1.
  ///
  /// - Throws: `Diagnostic` ADB001 when nobody listens there.
  init(port: Int) throws {
    guard let port = UInt16(exactly: port), port > 0 else {
      throw Diagnostic("ADB005", "\(port) is no port", remedy: "a number from 1 to 65535")
    }
    #if canImport(Glibc)
    let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    #else
    let kind = SOCK_STREAM
    #endif
    descriptor = socket(AF_INET, kind, 0)
    func fault() -> Diagnostic {
      Diagnostic(
        "ADB001",
        "no adb server answers on port \(port)",
        remedy: "install adb (Debian: apt install adb); assay starts its server",
        cause: lastSystemError()
      )
    }
    guard descriptor >= 0 else { throw fault() }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    // Loopback connects or refuses at once, so that no deadline is needed here.
    let status = unsafe withUnsafePointer(to: &address) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard status == 0 else {
      let fault = fault()
      close(descriptor)
      throw fault
    }
    _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    var one: Int32 = 1
    // Requests are small and each waits for its answer.
    unsafe _ = setsockopt(
      descriptor,
      Int32(IPPROTO_TCP),
      TCP_NODELAY,
      &one,
      socklen_t(MemoryLayout<Int32>.size)
    )
  }

  deinit { close(descriptor) }

  /// Sends all bytes.
  ///
  /// - Throws: `Diagnostic` ADB020 when the other side is gone, ADB021 at the deadline.
  func write(_ bytes: [UInt8], until deadline: UInt64) throws {
    var offset = 0
    while offset < bytes.count {
      let count = unsafe bytes[offset...].withUnsafeBytes {
        unsafe send(descriptor, $0.baseAddress, $0.count, ADBSocket.sendFlags)
      }
      if count > 0 {
        offset += count
        continue
      }
      if count < 0, errno == EINTR { continue }
      if count < 0, errno == EAGAIN || errno == EWOULDBLOCK {
        try wait(for: Int16(POLLOUT), until: deadline)
        continue
      }
      throw ADBSocket.lost()
    }
  }

  /// Exactly `count` bytes; on a deadline what has come stays for the next call.
  ///
  /// - Throws: `Diagnostic` ADB020 when the stream ends before, ADB021 at the deadline.
  func read(exactly count: Int, until deadline: UInt64) throws -> [UInt8] {
    while buffer.count < count {
      guard try fill(until: deadline) else { throw ADBSocket.lost() }
    }
    let bytes = Array(buffer[..<count])
    buffer.removeFirst(count)
    return bytes
  }

  /// Whether another byte comes before the stream ends; it stays for the next call.
  ///
  /// - Throws: `Diagnostic` ADB021 at the deadline.
  func hasMore(until deadline: UInt64) throws -> Bool {
    while buffer.isEmpty {
      guard try fill(until: deadline) else { return false }
    }
    return true
  }

  /// What comes next; empty at the end of the stream.
  ///
  /// - Throws: `Diagnostic` ADB021 at the deadline.
  func readSome(until deadline: UInt64) throws -> [UInt8] {
    guard try hasMore(until: deadline) else { return [] }
    defer { buffer = [] }
    return buffer
  }

  /// Ends both directions at once, as a drawn cable does.
  func abort() { _ = shutdown(descriptor, Int32(SHUT_RDWR)) }

  private func fill(until deadline: UInt64) throws -> Bool {
    if isEnded { return false }
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = unsafe chunk.withUnsafeMutableBytes {
        unsafe recv(descriptor, $0.baseAddress, $0.count, 0)
      }
      if count > 0 {
        buffer += chunk[..<count]
        return true
      }
      if count < 0, errno == EINTR { continue }
      if count < 0, errno == EAGAIN || errno == EWOULDBLOCK {
        try wait(for: Int16(POLLIN), until: deadline)
        continue
      }
      isEnded = true
      return false
    }
  }

  private func wait(for event: Int16, until deadline: UInt64) throws {
    let now = Host.monotonicNanoseconds()
    guard now < deadline else {
      throw Diagnostic(
        "ADB021",
        "no answer within the time limit",
        remedy: "look at the phone and its cable: assay devices list"
      )
    }
    var state = pollfd(fd: descriptor, events: event, revents: 0)
    unsafe _ = poll(&state, 1, Int32(clamping: (deadline - now) / 1_000_000 + 1))
  }

  private static func lost() -> Diagnostic {
    Diagnostic(
      "ADB020",
      "the connection to the phone was lost",
      remedy: "check cable or wireless network; assay devices list shows what is reachable"
    )
  }

  #if canImport(Glibc) || canImport(Musl)
  private static let sendFlags = Int32(MSG_NOSIGNAL)
  #else
  private static let sendFlags: Int32 = 0
  #endif
}
