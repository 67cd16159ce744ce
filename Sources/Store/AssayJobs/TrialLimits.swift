import AssayBase
import AssayBench
import AssayHost

/// A worker that has a limited time in all, whatever each of its steps may take.
final class LimitedWorker: WorkerLink {
  private let worker: any WorkerLink
  private let deadline: UInt64
  private let seconds: Double
  private let isWanted: @Sendable () -> Bool

  /// - Parameters:
  ///   - deadline: when the time is over, on `Host.monotonicNanoseconds()`'s clock.
  ///   - seconds: the limit in words.
  ///   - isWanted: whether the trial is still asked for.
  init(
    _ worker: any WorkerLink,
    deadline: UInt64,
    seconds: Double,
    isWanted: @escaping @Sendable () -> Bool = { true }
  ) {
    self.worker = worker
    self.deadline = deadline
    self.seconds = seconds
    self.isWanted = isWanted
  }

  func ask(_ request: JSON, seconds wanted: Double) throws -> JSON {
    guard isWanted() else {
      throw Diagnostic("JOB012", "the trial was canceled", remedy: "start it again")
    }
    let now = Host.monotonicNanoseconds()
    let left = deadline > now ? Double(deadline - now) / 1e9 : 0
    do {
      return try worker.ask(request, seconds: min(wanted, left))
    } catch let error as Diagnostic where error.code == "BEN111" && left <= wanted {
      throw Diagnostic(
        "JOB010",
        "the trial was not over after \(Int(seconds.rounded())) s, its limit",
        remedy: "raise limits.time in the plan, or leave this combination out",
        cause: error.cause
      )
    }
  }

  func end() { worker.end() }
}

/// How a trial failed by itself: a runtime that crashes, hangs or eats memory, and not one that says
/// that it cannot run the file.
public struct TrialFault: Sendable, Equatable {
  /// What happened.
  public var reason: Diagnostic
  /// How the worker ended, such as `SIGSEGV`; `nil` when it was killed because of its limits.
  public var end: String?

  /// Makes a fault.
  public init(reason: Diagnostic, end: String? = nil) {
    self.reason = reason
    self.end = end
  }

  static let codes: Set<String> = [
    "BEN110", "BEN111", "BEN112", "JOB010", "JOB011", "JOB012",
    // A device that was lost, or that took a file in vain.
    "DEV010", "DEV011", "DEV012", "DEV016",
  ]
}
