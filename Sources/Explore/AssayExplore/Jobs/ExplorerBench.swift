import AssayBase
import AssayRecord

/// What the explorer asks of the program around it: the explorer itself measures nothing.
public protocol ExplorerBench: AnyObject, Sendable {
  /// What can be run: `runtimes`, `models`, `images`, `detectors`, `series`, as the page lists them.
  func inventory() -> JSON

  /// Checks a request before it waits in the queue.
  ///
  /// - Returns: what the job is called.
  /// - Throws: `Diagnostic` for what is unknown or cannot be.
  func title(_ request: JSON) throws -> String

  /// Writes a job into the ledger that the command line's sweeps work from, so that it is on the disk
  /// before it waits.
  ///
  /// - Returns: what the ledger calls it.
  /// - Throws: `Diagnostic` STO… when the ledger cannot be written.
  func enroll(_ request: JSON, title: String) throws -> String

  /// Says in the ledger that nobody wants a job any more that waits.
  func withdraw(_ entry: String)

  /// Jobs that an earlier explorer left undone, the oldest first.
  func leftOver() -> [LeftOverJob]

  /// What the newest sweeps of the ledger are doing, whoever works on them, as the page lists them.
  func ledger() -> JSON

  /// Does a job; called on the queue's thread, one job after the other.
  ///
  /// - Parameters:
  ///   - entry: what the ledger calls it.
  ///   - isWanted: whether the job is still asked for; it may be called from any thread.
  ///   - progress: told how far it is; throws when the job is given up, which ends it.
  /// - Returns: what the page shows of the result.
  func run(
    _ request: JSON,
    entry: String,
    isWanted: @escaping @Sendable () -> Bool,
    progress: (JobProgress) throws -> Void
  ) throws -> JSON

  /// Where a file of this name goes that is dropped on the page.
  ///
  /// - Throws: `Diagnostic` for a name that cannot be a model's, picture's or series'.
  func place(ofUpload name: String) throws -> String

  /// A picture of the inventory, by its name there.
  func picture(_ name: String) throws -> ByteView

  /// The network of a record, drawn as a page of its own with time and energy.
  ///
  /// - Parameter original: the record of the network that it is compared with, operator by operator;
  ///   `nil` for a drawing without errors.
  func networkPage(_ record: Record, original: Record?) throws -> String
}

/// A job that is in the ledger and was not done.
public struct LeftOverJob: Sendable {
  /// What the ledger calls it.
  public var entry: String
  /// What people call it.
  public var title: String
  /// What was asked for.
  public var request: JSON

  /// Makes a job.
  public init(entry: String, title: String, request: JSON) {
    self.entry = entry
    self.title = title
    self.request = request
  }
}

/// How far a job is.
public struct JobProgress: Sendable, Equatable {
  /// Steps done, of how many.
  public var done: Int, total: Int
  /// What runs now.
  public var current: String
  /// Seconds left; `nil` while that is not known.
  public var secondsLeft: Double?

  /// Makes a step.
  public init(done: Int, total: Int, current: String, secondsLeft: Double? = nil) {
    self.done = done
    self.total = total
    self.current = current
    self.secondsLeft = secondsLeft
  }

  var json: JSON {
    .object([
      "done": JSON(done), "total": JSON(total), "current": .string(current),
      "secondsLeft": secondsLeft.map { JSON($0) } ?? .null,
    ])
  }
}
