import AssayBase
import CHost

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Lines over a pair of descriptors, with deadlines and a second stream that is drained meanwhile.
public final class LineChannel {
  /// What a read brought.
  public enum Event: Sendable, Equatable {
    /// A line without its end.
    case line(String)
    /// The other side closed the stream.
    case end
    /// The deadline came first.
    case timeout
    /// A line longer than the limit.
    case tooLong
  }

  private let input: Int32
  private let output: Int32
  private let side: Int32
  private let limit: Int
  private var buffer: [UInt8] = []
  private var searched = 0
  private var isSideOpen: Bool
  private var sideBytes: [UInt8] = []
  private var isEnded = false
  private var chunk = [UInt8](repeating: 0, count: 1 << 16)

  /// A channel.
  ///
  /// - Parameters:
  ///   - input: read from; not closed.
  ///   - output: written to; not closed.
  ///   - side: another stream whose end is kept (`sideTail`); -1 for none.
  ///   - limit: the greatest length of a line, bytes.
  public init(input: Int32, output: Int32, side: Int32 = -1, limit: Int = 256 << 20) {
    self.input = input
    self.output = output
    self.side = side
    self.limit = limit
    isSideOpen = side >= 0
  }

  /// Writes a line.
  ///
  /// - Returns: whether all of it was taken; `false` when nobody reads.
  public func write(_ line: String) -> Bool {
    let bytes = Array(line.utf8) + [10]
    var offset = 0
    while offset < bytes.count {
      let count = unsafe bytes[offset...].withUnsafeBytes {
        unsafe systemWrite(output, $0.baseAddress, $0.count)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return false }
      offset += count
    }
    return true
  }

  /// The next line; blocks until there is one, the stream ends or `deadline` (monotonic
  /// nanoseconds) passes.
  public func read(until deadline: UInt64? = nil) -> Event {
    while true {
      if let line = takeLine() { return .line(line) }
      if isEnded { return .end }
      if buffer.count > limit { return .tooLong }
      var timeout: Int32 = -1
      if let deadline {
        let now = Host.monotonicNanoseconds()
        if now >= deadline { return .timeout }
        timeout = Int32(clamping: (deadline - now) / 1_000_000 + 1)
      }
      wait(timeout)
    }
  }

  /// The last 8 kB of the side stream so far, as text.
  public func sideTail() -> String {
    while isSideOpen {
      var ready: UInt32 = 0
      guard unsafe chost_poll_read([side], 1, 0, &ready) == 0, ready != 0 else { break }
      drainSide()
    }
    return String(decoding: sideBytes, as: UTF8.self)
  }

  private func wait(_ timeout: Int32) {
    let descriptors = isSideOpen ? [input, side] : [input]
    var ready: UInt32 = 0
    guard unsafe chost_poll_read(descriptors, descriptors.count, timeout, &ready) == 0 else {
      return
    }
    if ready & 2 != 0 { drainSide() }
    guard ready & 1 != 0 else { return }
    let count = unsafe systemRead(input, &chunk, chunk.count)
    if count > 0 {
      buffer += chunk[..<count]
    } else if count == 0 || errno != EINTR {
      isEnded = true
    }
  }

  private func drainSide() {
    let count = unsafe systemRead(side, &chunk, chunk.count)
    if count > 0 {
      sideBytes += chunk[..<count]
      if sideBytes.count > 8192 { sideBytes.removeFirst(sideBytes.count - 8192) }
    } else if count == 0 || errno != EINTR {
      isSideOpen = false
    }
  }

  private func takeLine() -> String? {
    guard let end = buffer[searched...].firstIndex(of: 10) else {
      searched = buffer.count
      return nil
    }
    let line = String(decoding: buffer[..<end], as: UTF8.self)
    buffer.removeFirst(end + 1)
    searched = 0
    return line
  }
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
  unsafe write(descriptor, bytes, count)
}

private func systemRead(_ descriptor: Int32, _ bytes: UnsafeMutableRawPointer, _ count: Int) -> Int
{
  unsafe read(descriptor, bytes, count)
}
