import AssayBase

/// What a meter told, raw: rows of numbers with their times.
public struct PowerTrace: Sendable, Equatable {
  /// Which clock the times are of.
  public enum Clock: String, Sendable {
    /// This machine's, `CLOCK_MONOTONIC_RAW`: comparable with the windows of inferences.
    case host
    /// The instrument's own, which has to be joined first.
    case own
  }

  /// Which instrument it was.
  public var identity: MeterIdentity
  /// What the columns are.
  public var channels: [MeterChannel]
  /// Which clock the times are of.
  public var clock: Clock
  /// Nanoseconds between readings, nominally.
  public var period: UInt64
  /// The time of each row, nanoseconds; they never fall.
  public private(set) var times: [Int64] = []
  /// The numbers of each channel; not a number where a reading is missing.
  public private(set) var values: [[Double]]
  /// Digital inputs of each row, bit by bit; empty for a meter that has none.
  public private(set) var markers: [UInt8] = []
  /// Readings that are known to be lost.
  public var lostCount = 0
  /// How far the times themselves may be off one by one, nanoseconds (standard uncertainty).
  public var timeUncertaintyNanoseconds = 0.0
  /// What happened meanwhile.
  public var notes: [Diagnostic] = []

  /// Makes an empty trace.
  public init(
    identity: MeterIdentity,
    channels: [MeterChannel],
    clock: Clock,
    period: UInt64
  ) {
    self.identity = identity
    self.channels = channels
    self.clock = clock
    self.period = period
    values = channels.map { _ in [] }
  }

  /// The number of rows.
  public var count: Int { times.count }

  /// Seconds from the first row to the last.
  public var seconds: Double {
    guard let first = times.first, let last = times.last else { return 0 }
    return Double(last - first) / 1e9
  }

  /// Rows a second that really came.
  public var rate: Double { seconds > 0 ? Double(count - 1) / seconds : 0 }

  /// Adds a row; one that is not later than the last is moved to it, since no clock goes back.
  ///
  /// - Parameter row: a number for each channel; missing ones are not a number.
  public mutating func append(_ time: Int64, _ row: [Double], marker: UInt8? = nil) {
    times.append(max(time, times.last ?? time))
    for index in values.indices {
      values[index].append(row.indices.contains(index) ? row[index] : .nan)
    }
    if let marker {
      while markers.count < times.count - 1 { markers.append(0) }
      markers.append(marker)
    }
  }

  /// The same rows with times changed by `body`, which must keep their order.
  public func retimed(_ clock: Clock, _ body: (Int, Int64) -> Int64) -> PowerTrace {
    var copy = self
    copy.clock = clock
    copy.times = times.enumerated().map { body($0.offset, $0.element) }
    return copy
  }

  /// Another series for a channel, such as an unwrapped one.
  mutating func replace(_ channel: Int, with series: [Double]) { values[channel] = series }

  /// The rows whose times lie in a range.
  public func rows(in range: ClosedRange<Int64>) -> Range<Int> {
    func first(where isBeyond: (Int64) -> Bool) -> Int {
      var (low, high) = (0, times.count)
      while low < high {
        let middle = (low + high) / 2
        if isBeyond(times[middle]) { high = middle } else { low = middle + 1 }
      }
      return low
    }
    let start = first { $0 >= range.lowerBound }
    return start..<max(start, first { $0 > range.upperBound })
  }

  /// The rows of a range as a trace of its own.
  public func slice(_ rows: Range<Int>) -> PowerTrace {
    var copy = self
    copy.times = Array(times[rows])
    copy.values = values.map { Array($0[rows]) }
    copy.markers = markers.count == times.count ? Array(markers[rows]) : []
    return copy
  }

  /// The channel that stands for the device: the one marked so, else the first that tells energy.
  public var primary: Int? {
    channels.firstIndex { $0.isPrimary && $0.tellsEnergy }
      ?? channels.firstIndex { $0.tellsEnergy }
  }
}
