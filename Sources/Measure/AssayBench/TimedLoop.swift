import AssayHost
import AssayRuntime

/// When a block of inferences ends.
public struct BlockLimits: Sendable, Equatable {
  /// The least number of inferences.
  public var minimumCount: Int
  /// The least duration, nanoseconds; both minima must be met.
  public var minimumNanoseconds: UInt64
  /// The greatest number of inferences.
  public var maximumCount: Int
  /// The duration after which no further inference starts, nanoseconds; one is always done.
  public var maximumNanoseconds: UInt64

  /// Makes limits.
  public init(
    minimumCount: Int,
    minimumNanoseconds: UInt64,
    maximumCount: Int = 1 << 17,
    maximumNanoseconds: UInt64
  ) {
    self.minimumCount = minimumCount
    self.minimumNanoseconds = minimumNanoseconds
    self.maximumCount = maximumCount
    self.maximumNanoseconds = maximumNanoseconds
  }

  /// Whether a block of `count` inferences that took `elapsed` nanoseconds is over.
  @inline(__always)
  public func isOver(count: Int, elapsed: UInt64) -> Bool {
    if count >= maximumCount { return true }
    if count > 0, elapsed >= maximumNanoseconds { return true }
    return count >= minimumCount && elapsed >= minimumNanoseconds
  }
}

/// The timed section: reads the clock, runs, stores a number; nothing else.
///
/// The buffer of samples is allocated once. Belongs to one thread.
@safe public final class TimedLoop {
  private let buffer: UnsafeMutableBufferPointer<UInt64>
  /// How many samples the last block has.
  public private(set) var count = 0
  /// When the last block began and ended, on `Host.monotonicNanoseconds()`'s clock.
  public private(set) var window: (begin: UInt64, end: UInt64) = (0, 0)

  /// The most samples of a block that a loop keeps unless it is told otherwise.
  ///
  /// With a meter beside it, whose turns are long, a second of a model that takes 2 µs. Each loop has memory
  /// for so many, so that a worker's is above that of one that does nothing by the model's alone.
  public static let capacity = 1 << 19

  /// Makes a loop that keeps at most `capacity` samples of a block.
  public init(capacity: Int = TimedLoop.capacity) {
    unsafe buffer = .allocate(capacity: max(capacity, 1))
    // Every page is touched here, not in the middle of a block.
    unsafe buffer.initialize(repeating: 0)
  }

  deinit { unsafe buffer.deallocate() }

  /// Runs one block, allocating nothing.
  ///
  /// - Parameter inferences: how many inferences, one after the other, a sample is of.
  /// - Throws: the session's failure; samples of earlier inferences stay.
  public func run(
    _ session: any Session,
    _ limits: BlockLimits,
    inferences: Int = 1
  ) throws(RunFailure) {
    count = 0
    let start = Host.monotonicNanoseconds()
    var now = start
    defer { window = (start, now) }
    while !limits.isOver(count: count, elapsed: now &- start), unsafe count < buffer.count {
      let begin = Host.monotonicNanoseconds()
      try session.run()
      // A branch where a sample is one inference.
      var further = inferences
      while further > 1 {
        try session.run()
        further &-= 1
      }
      now = Host.monotonicNanoseconds()
      unsafe buffer[count] = now &- begin
      count &+= 1
    }
  }

  /// The last block's latencies, nanoseconds, in order.
  public var samples: [Int64] {
    unsafe buffer[..<count].map { Int64(clamping: $0) }
  }
}
