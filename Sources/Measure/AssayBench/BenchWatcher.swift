import AssayRecord

/// Looks on while a comparison runs, and adds what it saw to the records: a power meter, the
/// machine's state before and after.
///
/// Every call comes from the comparison's thread between steps, never while anything is timed. What
/// a watcher does on threads of its own must not disturb the worker.
public protocol BenchWatcher: Sendable {
  /// The comparison is about to start its first worker.
  func comparisonBegins(_ configurations: [Configuration])

  /// The worker of a trial lives and has loaded; its warm-up is over.
  func trialBegins(_ configuration: Configuration, record: String)

  /// A turn of the trial is about to begin.
  func turnBegins(record: String)

  /// A turn of the trial has ended.
  ///
  /// - Parameter window: when its timed inferences ran; `nil` when the turn failed.
  func turnEnds(record: String, window: Record.Window?)

  /// The trial's worker has ended; the record is whole but for its verdict.
  func trialEnds(_ record: inout Record)

  /// The last worker has ended, or the comparison was given up.
  func comparisonEnds()
}

extension BenchWatcher {
  /// Does nothing.
  public func comparisonBegins(_: [Configuration]) {}
  /// Does nothing.
  public func trialBegins(_: Configuration, record _: String) {}
  /// Does nothing.
  public func turnBegins(record _: String) {}
  /// Does nothing.
  public func turnEnds(record _: String, window _: Record.Window?) {}
  /// Does nothing.
  public func trialEnds(_: inout Record) {}
  /// Does nothing.
  public func comparisonEnds() {}
}
