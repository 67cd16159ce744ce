import AssayMeter

// Safe because: one run of a target uses it, on one thread.
/// A power monitor whose packets are the input.
final class RecordedMonitor: USBTransport, @unchecked Sendable {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) { rest = bytes[...] }

  var isEmpty: Bool { rest.isEmpty }

  func send(request: UInt8, value: UInt16, index: UInt16, data: [UInt8]) {}

  func receive(request: UInt8, value: UInt16, index: UInt16, length: Int) -> [UInt8] {
    // An HVPM that is not sampling.
    index == 0x45 ? [2, 0, 0, 0] : [0, 0, 0, 0]
  }

  func read(endpoint: UInt8, limit: Int, milliseconds: Int) -> [UInt8] {
    let some = rest.prefix(min(limit, 640))
    rest = rest.dropFirst(some.count)
    return Array(some)
  }
}
