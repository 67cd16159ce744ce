import AssayBase
import AssayHost

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A connection that says exactly the bytes that a test wants.
final class RawClient {
  private let socket: Int32

  init(port: Int) throws {
    #if canImport(Glibc)
    let kind = Int32(SOCK_STREAM.rawValue)
    #else
    let kind = SOCK_STREAM
    #endif
    socket = Glibc.socket(AF_INET, kind, 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let status = unsafe withUnsafePointer(to: &address) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard status == 0 else { throw Diagnostic("TST001", "no connection") }
  }

  deinit { close(socket) }

  /// Sends bytes; `false` when the server has closed.
  @discardableResult
  func send(_ bytes: [UInt8]) -> Bool {
    unsafe Glibc.send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
  }

  @discardableResult
  func send(_ text: String) -> Bool { send(Array(text.utf8)) }

  /// Bytes that come within a time; `nil` when none do, empty when the server has closed.
  func receive(milliseconds: Int32 = 60_000) -> [UInt8]? {
    var descriptor = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
    guard unsafe poll(&descriptor, 1, milliseconds) > 0 else { return nil }
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    let count = unsafe read(socket, &chunk, chunk.count)
    return count > 0 ? Array(chunk[..<count]) : []
  }

  /// Everything until the server closes or says nothing more.
  func receiveAll(milliseconds: Int32 = 60_000) -> String {
    var bytes: [UInt8] = []
    while let more = receive(milliseconds: milliseconds), !more.isEmpty { bytes += more }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The status and text of one request on a connection of its own.
  static func ask(
    _ port: Int,
    _ line: String,
    headers: [String] = [],
    host: String? = "localhost",
    body: [UInt8] = []
  ) throws -> (status: Int, text: String) {
    let client = try RawClient(port: port)
    var head = "\(line) HTTP/1.1\r\n"
    if let host { head += "Host: \(host)\r\n" }
    head += "Connection: close\r\n"
    if !body.isEmpty, !headers.contains(where: { $0.hasPrefix("Content-Length") }) {
      head += "Content-Length: \(body.count)\r\n"
    }
    for header in headers { head += header + "\r\n" }
    client.send(head + "\r\n")
    client.send(body)
    let text = client.receiveAll()
    return (Int(text.dropFirst(9).prefix(3)) ?? 0, text)
  }
}
