import AssayBase
import AssayHost

/// Reads a set of small files at a given rate; each row is made of their numbers.
///
/// What RAPL, hwmon, Jetson's rails and batteries have in common. The row's time is the middle of
/// its reading; half the span of the slowest reading is noted as the times' uncertainty.
final class SysfsReader: MeterReader {
  let identity: MeterIdentity
  let channels: [MeterChannel]
  let period: UInt64
  let isPolled = true
  private let files: [PolledFile]
  private let row: ([Int64]) -> [Double]
  private var greatestSpan: UInt64 = 0

  /// A reader.
  ///
  /// - Parameters:
  ///   - paths: the files.
  ///   - row: a row of the channels from the files' numbers, in the files' order.
  init(
    identity: MeterIdentity,
    channels: [MeterChannel],
    period: UInt64,
    paths: [String],
    row: @escaping ([Int64]) -> [Double]
  ) throws {
    self.identity = identity
    self.channels = channels
    self.period = period
    self.row = row
    files = try paths.map { try PolledFile(path: $0) }
  }

  func read(into trace: inout PowerTrace, until deadline: UInt64) throws {
    let start = Host.monotonicNanoseconds()
    let numbers: [Int64]
    do {
      numbers = try files.map { try $0.integer() }
    } catch let error as Diagnostic {
      throw Diagnostic(
        "MTR010",
        "\(identity.name) cannot be read any more",
        at: error.location,
        remedy: "see assay doctor",
        cause: error.cause ?? error.summary
      )
    }
    let end = Host.monotonicNanoseconds()
    greatestSpan = max(greatestSpan, end &- start)
    trace.append(Int64(clamping: start &+ (end &- start) / 2), row(numbers))
  }

  func finish(_ trace: inout PowerTrace) {
    // Rectangular over the span of the slowest reading.
    trace.timeUncertaintyNanoseconds = Double(greatestSpan) / 2 / 3.0.squareRoot()
  }
}

/// The nanoseconds between readings at a rate, kept between 20 microseconds and a minute.
func period(rate: Double?, standard: Double) -> UInt64 {
  let asked = rate.map { $0.isFinite && $0 > 0 ? $0 : standard } ?? standard
  return UInt64(min(max(1e9 / asked, 2e4), 6e10))
}

/// Names in a folder, or none when it cannot be read.
func entries(_ folder: String) -> [String] { (try? Host.list(folder)) ?? [] }

/// One line of a small file without space at its ends.
func line(_ path: String) -> String? {
  guard let text = Host.smallText(path, limit: 4096) else { return nil }
  let line = text.split(whereSeparator: { $0 == "\n" || $0 == "\0" }).first.map { String($0) }
  guard var trimmed = line?[...] else { return nil }
  while let first = trimmed.first, first.isWhitespace { trimmed.removeFirst() }
  while let last = trimmed.last, last.isWhitespace { trimmed.removeLast() }
  return trimmed.isEmpty ? nil : String(trimmed)
}
