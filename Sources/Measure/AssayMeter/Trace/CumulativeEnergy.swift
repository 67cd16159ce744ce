/// The energy of one channel as a function of time.
///
/// A counter is linear between its readings. Power is linear between its readings (trapezoid), or
/// constant since the reading before when the meter averages. Gaps are bridged and counted.
public struct CumulativeEnergy: Sendable {
  /// Times of the readings, nanoseconds.
  public let times: [Int64]
  /// Joules up to each reading.
  let joules: [Double]
  /// Watts at each reading; `nil` for a function that is linear between readings.
  private let watts: [Double]?
  /// Readings of this channel that were missing.
  public let missingCount: Int

  /// The energy of a channel; `nil` when it tells none or has fewer than two readings.
  public init?(_ trace: PowerTrace, channel: Int) {
    guard trace.channels.indices.contains(channel), trace.channels[channel].tellsEnergy else {
      return nil
    }
    let series = trace.values[channel]
    var times: [Int64] = []
    var values: [Double] = []
    for (time, value) in zip(trace.times, series) where value.isFinite {
      // Two readings of one moment: the later counts.
      if times.last == time {
        values[values.count - 1] = value
        continue
      }
      times.append(time)
      values.append(value)
    }
    guard times.count >= 2 else { return nil }
    missingCount = series.count(where: { !$0.isFinite })
    self.times = times
    if trace.channels[channel].quantity == .energy {
      let first = values[0]
      joules = values.map { $0 - first }
      watts = nil
      return
    }
    let isStep = trace.channels[channel].accuracy.isIntegrating
    var sum = 0.0
    var joules = [0.0]
    joules.reserveCapacity(times.count)
    for index in 1..<times.count {
      let seconds = Double(times[index] - times[index - 1]) / 1e9
      sum += seconds * (isStep ? values[index] : (values[index] + values[index - 1]) / 2)
      joules.append(sum)
    }
    self.joules = joules
    watts = isStep ? nil : values
  }

  /// The first and last reading.
  public var range: ClosedRange<Int64> { times[0]...times[times.count - 1] }

  /// Joules from the first reading to `time` (nanoseconds, fractions count); held at both ends.
  public func joules(at time: Double) -> Double {
    let origin = times[0]
    let asked = time - Double(origin)
    if asked <= 0 { return 0 }
    var (low, high) = (0, times.count)
    while low < high {
      let middle = (low + high) / 2
      if Double(times[middle] - origin) > asked { high = middle } else { low = middle + 1 }
    }
    guard low < times.count else { return joules[joules.count - 1] }
    let start = Double(times[low - 1] - origin)
    let span = Double(times[low] - origin) - start
    let part = span > 0 ? (asked - start) / span : 0
    guard let watts else {
      return joules[low - 1] + part * (joules[low] - joules[low - 1])
    }
    let (from, to) = (watts[low - 1], watts[low])
    return joules[low - 1] + span / 1e9 * part * (from + (to - from) * part / 2)
  }

  /// Joules between two times.
  public func joules(_ window: ClosedRange<Double>) -> Double {
    joules(at: window.upperBound) - joules(at: window.lowerBound)
  }

  /// Mean watts between two times; 0 for an empty window.
  public func watts(_ window: ClosedRange<Double>) -> Double {
    let seconds = (window.upperBound - window.lowerBound) / 1e9
    return seconds > 0 ? joules(window) / seconds : 0
  }

  /// The readings of a window that are at least `margin` away from both its ends: their span and
  /// the joules between the first and the last of them; `nil` with fewer than two.
  ///
  /// Nothing is interpolated, so that what happens at the ends does not reach in.
  public func interior(
    _ window: ClosedRange<Double>,
    margin: Double
  ) -> (span: ClosedRange<Double>, joules: Double)? {
    let first = firstIndex(from: window.lowerBound + margin)
    let last = firstIndex(from: (window.upperBound - margin).nextUp) - 1
    guard first < last else { return nil }
    return (Double(times[first])...Double(times[last]), joules[last] - joules[first])
  }

  /// The first reading at a time or later.
  private func firstIndex(from time: Double) -> Int {
    var (low, high) = (0, times.count)
    while low < high {
      let middle = (low + high) / 2
      if Double(times[middle]) >= time { high = middle } else { low = middle + 1 }
    }
    return low
  }

  /// How many readings lie in a window.
  public func count(in window: ClosedRange<Double>) -> Int {
    max(0, firstIndex(from: window.upperBound) - firstIndex(from: window.lowerBound))
  }
}
