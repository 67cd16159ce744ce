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

  /// Does a job; called on the queue's thread, one job after the other.
  ///
  /// - Parameter progress: told how far it is; throws when the job is given up, which ends it.
  /// - Returns: what the page shows of the result.
  func run(_ request: JSON, progress: (JobProgress) throws -> Void) throws -> JSON

  /// Where a file of this name goes that is dropped on the page.
  ///
  /// - Throws: `Diagnostic` for a name that cannot be a model's, picture's or series'.
  func place(ofUpload name: String) throws -> String

  /// A picture of the inventory, by its name there.
  func picture(_ name: String) throws -> ByteView

  /// The network of a record, drawn as a page of its own.
  func networkPage(_ record: Record) throws -> String
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
