import AssayBase
import AssayHost
import Synchronization

/// Reads a meter on a thread of its own, with its own times, until it is stopped.
///
/// The thread shares nothing with a measured worker: that is another process, and the thread keeps to
/// the processors given where the system allows it.
public final class MeterSampler: Sendable {
  private struct State: Sendable {
    var latest: (time: Int64, row: [Double])?
    var count = 0
    var fault: Diagnostic?
    var trace: PowerTrace?
  }

  /// Which instrument it is.
  public let identity: MeterIdentity
  /// What it gives.
  public let channels: [MeterChannel]
  /// Nanoseconds between readings.
  public let period: UInt64
  /// Which clock its times are of.
  public let clock: PowerTrace.Clock
  private let isStopped = Atomic(false)
  private let state = Mutex(State())
  private let thread = Mutex<ThreadBox>(ThreadBox())

  /// Opens a meter and starts to read it.
  ///
  /// - Parameters:
  ///   - meter: the instrument.
  ///   - options: what is asked of it; its processors are those of the thread.
  ///   - limit: rows after which nothing more is kept.
  /// - Throws: what opening throws, or `Diagnostic` HST010.
  public init(
    _ meter: any PowerMeter,
    _ options: MeterOptions = MeterOptions(),
    limit: Int = 50_000_000
  ) throws {
    let reader = try meter.open(options)
    identity = reader.identity
    channels = reader.channels
    period = reader.period
    clock = reader.clock
    let box = ReaderBox(reader)
    let settings = ThreadOptions(processors: options.processors)
    let started = try OwnThread(settings) { [self] refused in
      run(box.reader, refused, limit)
    }
    let handle = ThreadBox(started)
    thread.withLock { $0 = handle }
  }

  deinit { isStopped.store(true, ordering: .releasing) }

  /// The latest reading, for a live view.
  public var latest: (time: Int64, row: [Double])? { state.withLock { $0.latest } }

  /// How many readings there are so far.
  public var count: Int { state.withLock { $0.count } }

  /// Why the meter stopped by itself, if it did.
  public var fault: Diagnostic? { state.withLock { $0.fault } }

  /// Ends the reading and gives what was read.
  ///
  /// - Throws: `Diagnostic` MTR010 when the meter failed before it gave two readings.
  public func stop() throws -> PowerTrace {
    isStopped.store(true, ordering: .releasing)
    thread.withLock { $0.thread?.join() }
    let (trace, fault) = state.withLock { ($0.trace, $0.fault) }
    if let fault, (trace?.count ?? 0) < 2 { throw fault }
    guard let trace else { throw Diagnostic("MTR010", "the meter gave nothing") }
    if trace.count < 2, let cause = trace.notes.first(where: { $0.severity == .error }) {
      throw cause
    }
    return trace
  }

  private func run(_ reader: any MeterReader, _ refused: [String], _ limit: Int) {
    var trace = PowerTrace(
      identity: reader.identity,
      channels: reader.channels,
      clock: reader.clock,
      period: reader.period
    )
    for wish in refused {
      trace.notes.append(
        Diagnostic(
          "MTR011",
          "the meter's thread could not be kept apart",
          cause: wish,
          severity: .note
        )
      )
    }
    var next = Host.monotonicNanoseconds()
    do {
      while !isStopped.load(ordering: .acquiring), trace.count < limit {
        if reader.isPolled {
          let now = Host.monotonicNanoseconds()
          if now < next { Host.sleep(nanoseconds: next - now) }
          // A reading that came late does not make the next ones come in a heap.
          next = max(next &+ reader.period, Host.monotonicNanoseconds())
          try reader.read(into: &trace, until: next)
        } else {
          try reader.read(into: &trace, until: Host.monotonicNanoseconds() &+ 50_000_000)
        }
        publish(trace)
      }
    } catch {
      let fault =
        (error as? Diagnostic) ?? Diagnostic("MTR010", "the meter failed", cause: "\(error)")
      trace.notes.append(fault)
      state.withLock { $0.fault = fault }
    }
    reader.finish(&trace)
    state.withLock { $0.trace = trace }
  }

  private func publish(_ trace: PowerTrace) {
    guard let time = trace.times.last else { return }
    let row = trace.values.map { $0[$0.count - 1] }
    state.withLock { state in
      state.latest = (time, row)
      state.count = trace.count
    }
  }
}

// Safe because: the thread is joined under the sampler's lock only.
/// The sampler's thread, once it runs.
private final class ThreadBox: @unchecked Sendable {
  let thread: OwnThread?
  init(_ thread: OwnThread? = nil) { self.thread = thread }
}

// Safe because: the reader is made on one thread, handed over once and then used only on the other.
/// Hands a reader to the thread that owns it from then on.
private final class ReaderBox: @unchecked Sendable {
  let reader: any MeterReader
  init(_ reader: any MeterReader) { self.reader = reader }
}

extension MeterSampler {
  /// Processors for a meter's thread: the last of those allowed, when the measured threads leave one
  /// over; otherwise any.
  public static func sparedProcessors(threads: Int) -> [Int] {
    let allowed = Host.allowedProcessors()
    guard allowed.count > max(threads, 1), let last = allowed.last else { return [] }
    return [last]
  }
}
