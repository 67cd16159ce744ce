import AssayBase
import Synchronization

/// A stream of events with any number of viewers (HTML standard, 9.2 server-sent events).
///
/// What a viewer has not read yet waits in memory, up to a limit; a viewer behind it is let go, since
/// it can come back and will be told where things stand.
final class EventHub: Sendable {
  /// Bytes that may wait for one viewer.
  static let limit = 1 << 18
  private let viewers = Mutex<[ObjectIdentifier: EventViewer]>([:])

  /// The number of viewers.
  var count: Int { viewers.withLock { $0.count } }

  /// Tells every viewer of an event.
  func publish(_ name: String, _ data: JSON) {
    send(Array("event: \(name)\ndata: \(data.text())\n\n".utf8))
  }

  /// A comment that finds out which viewers are gone.
  func beat() { send(Array(":\n\n".utf8)) }

  private func send(_ bytes: [UInt8]) {
    // Outside the lock: a viewer that wakes up may leave at once.
    for viewer in viewers.withLock({ Array($0.values) }) { viewer.send(bytes) }
  }

  /// Ends all streams.
  func close() { for viewer in viewers.withLock({ Array($0.values) }) { viewer.close() } }

  func add(_ viewer: EventViewer) {
    viewers.withLock { $0[ObjectIdentifier(viewer)] = viewer }
  }

  func remove(_ viewer: EventViewer) {
    viewers.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(viewer)) }
  }
}

/// One viewer of a stream.
///
/// Its connection sleeps while nothing waits; that it sleeps and what waits for it change together.
final class EventViewer: Sendable {
  private struct State {
    var waiting: [UInt8] = []
    var isAsleep = false
    var isClosed = false
  }

  private let state = Mutex(State())
  private let sleep: @Sendable () -> Void
  private let wake: @Sendable () -> Void

  /// - Parameters:
  ///   - first: what the viewer is told at once.
  ///   - sleep: stops the connection until it is woken; called while its reader runs.
  ///   - wake: lets it go on.
  init(
    first: [UInt8],
    sleep: @escaping @Sendable () -> Void,
    wake: @escaping @Sendable () -> Void
  ) {
    self.sleep = sleep
    self.wake = wake
    state.withLock { $0.waiting = first }
  }

  func send(_ bytes: [UInt8]) {
    state.withLock { state in
      guard !state.isClosed else { return }
      if state.waiting.count + bytes.count > EventHub.limit {
        state.isClosed = true
        state.waiting = []
      } else {
        state.waiting += bytes
      }
      rouse(&state)
    }
  }

  func close() {
    state.withLock { state in
      state.isClosed = true
      rouse(&state)
    }
  }

  private func rouse(_ state: inout State) {
    guard state.isAsleep else { return }
    state.isAsleep = false
    wake()
  }

  /// The next bytes; `nil` at the end.
  ///
  /// When there are none the connection is asleep.
  func next(_ capacity: Int) -> [UInt8]? {
    state.withLock { state in
      if state.waiting.isEmpty {
        if state.isClosed { return nil }
        state.isAsleep = true
        sleep()
        return []
      }
      let piece = Array(state.waiting.prefix(capacity))
      state.waiting.removeFirst(piece.count)
      return piece
    }
  }
}
