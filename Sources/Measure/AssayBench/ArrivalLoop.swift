import AssayBase
import AssayHost
import AssayRuntime
import Synchronization

// Safe because: each query's entry is written by the one stream that drew its number, and read after
// all streams have ended.
/// The timed section of the server scenario: streams take queries in order of their arrival.
///
/// The moments of arrival are computed before. A stream draws the next query's number, waits until
/// that is due, runs, and stores how long after its due time it was done: what waited because every
/// stream was busy waited in the queue. Nothing locks or allocates.
@safe final class ArrivalLoop: @unchecked Sendable {
  private let due: UnsafeMutableBufferPointer<UInt64>
  private let latencies: UnsafeMutableBufferPointer<UInt64>
  private let services: UnsafeMutableBufferPointer<UInt64>
  private let next = Atomic<Int>(0)
  private let served = Atomic<Int>(0)
  private let start: UInt64
  private let deadline: UInt64
  private let inferences: Int

  /// Makes a loop whose clock begins at `start`.
  ///
  /// - Parameters:
  ///   - arrivals: nanoseconds from the start, in ascending order.
  ///   - start: when the clock of arrivals begins.
  ///   - limit: nanoseconds from the start after which no further query is begun.
  ///   - inferences: inferences of one query.
  init(arrivals: [UInt64], start: UInt64, limit: UInt64, inferences: Int) {
    unsafe due = .allocate(capacity: max(arrivals.count, 1))
    unsafe latencies = .allocate(capacity: max(arrivals.count, 1))
    unsafe services = .allocate(capacity: max(arrivals.count, 1))
    unsafe due.initialize(repeating: .max)
    // Every page is touched here, not in the middle of a block.
    unsafe latencies.initialize(repeating: .max)
    unsafe services.initialize(repeating: 0)
    for (index, moment) in arrivals.enumerated() { unsafe due[index] = start &+ moment }
    self.start = start
    self.inferences = inferences
    deadline = start &+ limit
    count = arrivals.count
  }

  deinit {
    unsafe due.deallocate()
    unsafe latencies.deallocate()
    unsafe services.deallocate()
  }

  /// How many queries arrive.
  let count: Int

  /// One stream's work, until every query was drawn or the time is over.
  func serve(_ session: any Session) throws(RunFailure) {
    while true {
      let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
      guard index < count else { return }
      let moment = unsafe due[index]
      var now = Host.monotonicNanoseconds()
      if now >= deadline { return }
      // Sleeping wakes late by tens of microseconds: the last stretch is watched on the clock.
      if moment > now &+ 300_000 {
        Host.sleep(nanoseconds: moment &- now &- 200_000)
        now = Host.monotonicNanoseconds()
      }
      while now < moment { now = Host.monotonicNanoseconds() }
      let begin = now
      for _ in 0..<inferences { try session.run() }
      now = Host.monotonicNanoseconds()
      unsafe latencies[index] = now &- moment
      unsafe services[index] = now &- begin
      served.wrappingAdd(1, ordering: .relaxed)
    }
  }

  /// What the streams did, after all of them have ended.
  func block(end: UInt64) -> QueryBlock {
    var samples: [Int64] = []
    var work = 0.0
    for index in 0..<count {
      let latency = unsafe latencies[index]
      if latency == .max { continue }
      samples.append(Int64(clamping: latency))
      work += Double(unsafe services[index])
    }
    return QueryBlock(
      samples: samples,
      window: (start, end),
      serviceTime: samples.isEmpty ? nil : work / Double(samples.count),
      unserved: count - samples.count
    )
  }
}
