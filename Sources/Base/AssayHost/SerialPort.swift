import AssayBase

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A serial line, raw: bytes come as they are sent, without echo and without line editing.
public final class SerialPort {
  /// The descriptor; it is closed with the object.
  public let descriptor: Int32

  /// Rates that can be asked for, baud.
  public static let rates: [Int] = speeds.keys.sorted()

  private static let speeds: [Int: speed_t] = [
    9600: speed_t(B9600), 19200: speed_t(B19200), 38400: speed_t(B38400),
    57600: speed_t(B57600), 115_200: speed_t(B115200), 230_400: speed_t(B230400),
    460_800: speed_t(B460800), 921_600: speed_t(B921600), 1_000_000: speed_t(B1000000),
  ]

  /// Opens a line, 8 bits without parity.
  ///
  /// - Throws: `Diagnostic` HST050 when it cannot be opened, HST051 when it is no serial line or has
  ///   no such rate.
  public init(path: String, baud: Int = 115_200) throws {
    guard let speed = SerialPort.speeds[baud] else {
      throw Diagnostic(
        "HST051",
        "\(baud) baud is no rate of a serial line",
        at: [path],
        remedy: "one of \(SerialPort.rates.map { "\($0)" }.joined(separator: ", "))"
      )
    }
    descriptor = unsafe open(path, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw Diagnostic(
        "HST050",
        "the serial line cannot be opened",
        at: [path],
        remedy: "check the cable and the path; on Debian, users of the group dialout may open it",
        cause: lastSystemError()
      )
    }
    var settings = termios()
    guard unsafe tcgetattr(descriptor, &settings) == 0 else {
      let cause = lastSystemError()
      close(descriptor)
      throw Diagnostic("HST051", "this is no serial line", at: [path], cause: cause)
    }
    unsafe cfmakeraw(&settings)
    settings.c_cflag |= tcflag_t(CLOCAL) | tcflag_t(CREAD)
    unsafe _ = cfsetispeed(&settings, speed)
    unsafe _ = cfsetospeed(&settings, speed)
    guard unsafe tcsetattr(descriptor, TCSANOW, &settings) == 0 else {
      let cause = lastSystemError()
      close(descriptor)
      throw Diagnostic("HST051", "the line refuses \(baud) baud", at: [path], cause: cause)
    }
    // Opened without waiting for a carrier; reads wait by poll.
    let flags = fcntl(descriptor, F_GETFL)
    _ = fcntl(descriptor, F_SETFL, flags & ~O_NONBLOCK)
  }

  deinit { close(descriptor) }

  /// Sends bytes.
  ///
  /// - Throws: `Diagnostic` HST050 when the line is gone.
  public func write(_ bytes: [UInt8]) throws {
    var offset = 0
    while offset < bytes.count {
      let count = unsafe bytes[offset...].withUnsafeBytes {
        unsafe systemWrite(descriptor, $0.baseAddress, $0.count)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        throw Diagnostic("HST050", "the serial line is gone", cause: lastSystemError())
      }
      offset += count
    }
  }

  /// Bytes that have come, at most `limit`; empty when none came until `deadline`.
  ///
  /// - Throws: `Diagnostic` HST050 when the line is gone.
  public func read(limit: Int = 4096, until deadline: UInt64) throws -> [UInt8] {
    let now = Host.monotonicNanoseconds()
    let wait = deadline > now ? (deadline - now) / 1_000_000 + 1 : 0
    var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard unsafe poll(&ready, 1, Int32(clamping: wait)) > 0 else { return [] }
    var bytes = [UInt8](repeating: 0, count: max(limit, 1))
    let count = unsafe systemRead(descriptor, &bytes, bytes.count)
    if count < 0, errno == EINTR || errno == EAGAIN { return [] }
    guard count > 0 else {
      throw Diagnostic("HST050", "the serial line is gone", cause: lastSystemError())
    }
    return Array(bytes[..<count])
  }
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
  unsafe write(descriptor, bytes, count)
}

private func systemRead(_ descriptor: Int32, _ bytes: UnsafeMutableRawPointer, _ count: Int) -> Int
{
  unsafe read(descriptor, bytes, count)
}
