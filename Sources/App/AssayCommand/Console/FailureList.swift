import Synchronization

/// What went wrong on several threads.
final class FailureList: Sendable {
  private let errors = Mutex<[any Error]>([])

  /// Adds a failure.
  func add(_ error: any Error) { errors.withLock { $0.append(error) } }

  /// The failure that was added first.
  var first: (any Error)? { errors.withLock { $0.first } }
}
