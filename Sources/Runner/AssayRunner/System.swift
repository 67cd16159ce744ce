import CRunner

/// The system, under the name by which the shared timed loop asks it.
enum Host {
  /// Nanoseconds of the monotonic clock that all latencies are measured with.
  @inline(__always)
  static func monotonicNanoseconds() -> UInt64 { chost_monotonic_ns() }

  /// Waits.
  static func sleep(nanoseconds: UInt64) { crunner_sleep(nanoseconds) }

  /// The whole bytes of a file; `nil` when it cannot be read.
  static func bytes(of path: String) -> [UInt8]? {
    let file = path.withCString { crunner_open($0, false) }
    guard file >= 0 else { return nil }
    defer { crunner_close(file) }
    var all: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = chunk.withUnsafeMutableBytes { crunner_read(file, $0.baseAddress, $0.count) }
      if count < 0 { return nil }
      if count == 0 { return all }
      all += chunk[..<Int(count)]
    }
  }

  /// Reads a file and forgets it, so that the system has it at hand.
  static func readThrough(_ path: String) -> Bool {
    let file = path.withCString { crunner_open($0, false) }
    guard file >= 0 else { return false }
    defer { crunner_close(file) }
    var chunk = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = chunk.withUnsafeMutableBytes { crunner_read(file, $0.baseAddress, $0.count) }
      if count <= 0 { return count == 0 }
    }
  }

  /// Writes a file.
  static func write(_ bytes: [UInt8], to path: String) -> Bool {
    let file = path.withCString { crunner_open($0, true) }
    guard file >= 0 else { return false }
    defer { crunner_close(file) }
    return write(bytes, to: file)
  }

  /// Writes to an open descriptor.
  static func write(_ bytes: [UInt8], to file: Int32) -> Bool {
    bytes.withUnsafeBytes { all in
      var offset = 0
      while offset < all.count {
        let count = crunner_write(file, all.baseAddress?.advanced(by: offset), all.count - offset)
        if count <= 0 { return false }
        offset += Int(count)
      }
      return true
    }
  }

  /// Processors that everybody kept busy since the system started, nanoseconds; `nil` when it does not
  /// tell.
  static func busyNanoseconds() -> UInt64? {
    guard let text = bytes(of: "/proc/stat") else { return nil }
    var fields: [UInt64] = []
    for field in text.prefix(while: { $0 != 10 }).split(separator: 32).dropFirst() {
      fields.append(field.reduce(0) { $0 &* 10 &+ UInt64($1 &- 48) })
    }
    guard fields.count >= 8 else { return nil }
    // user, nice, system, irq, softirq, steal; idle and waiting are left out. Ticks are 10 ms.
    let ticks = fields[0] &+ fields[1] &+ fields[2] &+ fields[5] &+ fields[6] &+ fields[7]
    return ticks &* 10_000_000
  }
}

/// Why a request cannot be done: what a diagnostic of the host says.
struct Failure: Error {
  var code: String
  var summary: String
  var cause: String?

  init(_ code: String, _ summary: String, cause: String? = nil) {
    self.code = code
    self.summary = summary
    self.cause = cause
  }

  var value: Value {
    var members: [(String, Value)] = [
      ("code", .string(code)), ("severity", .string("error")), ("summary", .string(summary)),
      ("location", .array([])),
    ]
    if let cause { members.append(("cause", .string(cause))) }
    return .object(members)
  }
}

/// A number with all its digits.
func text(of value: Double) -> String {
  guard value.isFinite else { return "null" }
  var buffer = [CChar](repeating: 0, count: 64)
  buffer.withUnsafeMutableBufferPointer { crunner_format(value, $0.baseAddress, $0.count) }
  return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// The memory of this process, from the same files as the host's worker.
struct ProcessMemory {
  private static func kilobytes(_ key: StaticString, _ text: [UInt8]) -> Value? {
    let count = key.utf8CodeUnitCount
    for line in text.split(separator: 10) {
      guard line.count > count else { continue }
      var isKey = true
      for index in 0..<count where line[line.startIndex + index] != key.utf8Start[index] {
        isKey = false
        break
      }
      guard isKey else { continue }
      var number: Int64 = 0
      for byte in line.dropFirst(count) where (48...57).contains(byte) {
        number = number &* 10 &+ Int64(byte - 48)
      }
      return .integer(number &* 1024)
    }
    return nil
  }

  /// The memory as a worker tells it.
  static func value() -> [(String, Value)] {
    var members: [(String, Value)] = [("ok", .bool(true))]
    func add(_ name: String, _ value: Value?) { if let value { members.append((name, value)) } }
    let status = Host.bytes(of: "/proc/self/status") ?? []
    let peak = kilobytes("VmHWM:", status)
    add("peakResident", peak)
    add("resident", kilobytes("VmRSS:", status))
    let rollup = Host.bytes(of: "/proc/self/smaps_rollup") ?? []
    add("proportional", kilobytes("Pss:", rollup))
    add("privateDirty", kilobytes("Private_Dirty:", rollup))
    if let text = Host.bytes(of: "/proc/self/stat"), let end = text.lastIndex(of: 41) {
      let fields = text[(end + 1)...].split(separator: 32)
      if fields.count > 9 {
        func number(_ field: ArraySlice<UInt8>) -> Value {
          .integer(field.reduce(0) { $0 &* 10 &+ Int64($1 &- 48) })
        }
        add("minorFaults", number(fields[7]))
        add("majorFaults", number(fields[9]))
      }
    }
    add("peak", peak ?? .integer(0))
    return members
  }
}
