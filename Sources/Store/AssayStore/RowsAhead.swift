import AssayBase
import AssayHost
import AssayRecord
import Synchronization

/// The rows of many records, made by other threads while earlier ones are put into a database.
final class RowsAhead: Sendable {
  /// Records whose rows are made at a time.
  private static let part = 128

  private struct State: Sendable {
    var made: [Int: [[SQLValue]]] = [:]
    var next = 0
  }

  private let records: [Record]
  private let parts: Int
  private let state = Mutex(State())

  /// Makes the first rows.
  private init(_ records: [Record]) {
    self.records = records
    parts = (records.count + RowsAhead.part - 1) / RowsAhead.part
    _ = makeNext()
  }

  /// Hands over the row of each record, in order, on the caller's thread.
  ///
  /// - Parameters:
  ///   - records: the records; the rows of the first ones are made before `body` is called.
  ///   - body: is called once, with what hands over the rows.
  static func rows<T>(
    of records: [Record],
    _ body: (_ forEach: (_ take: (Record, [SQLValue]) throws -> Void) throws -> Void) throws -> T
  ) throws -> T {
    let rows = RowsAhead(records)
    var helpers: [OwnThread] = []
    let wanted = min(Host.allowedProcessors().count, rows.parts) - 1
    for _ in 0..<wanted {
      // Without a thread the caller makes them all.
      guard let helper = (try? OwnThread { _ in rows.makeAll() }) else { break }
      helpers.append(helper)
    }
    defer {
      // What throws leaves nothing to be made.
      rows.state.withLock { $0.next = rows.parts }
      for helper in helpers { helper.join() }
    }
    return try body(rows.forEach)
  }

  private func forEach(_ take: (Record, [SQLValue]) throws -> Void) throws {
    for part in 0..<parts {
      let first = part * RowsAhead.part
      for (place, row) in rows(of: part).enumerated() { try take(records[first + place], row) }
    }
  }

  private func rows(of part: Int) -> [[SQLValue]] {
    while true {
      if let rows = state.withLock({ $0.made.removeValue(forKey: part) }) { return rows }
      // Somebody else makes these: make others meanwhile, or wait when there are none left.
      if !makeNext() { Host.sleep(nanoseconds: 20_000) }
    }
  }

  private func makeAll() { while makeNext() { continue } }

  /// Makes the rows of the next part.
  ///
  /// - Returns: false when there is none.
  private func makeNext() -> Bool {
    let part = state.withLock { state in
      defer { state.next = min(state.next + 1, parts) }
      return state.next
    }
    guard part < parts else { return false }
    let first = part * RowsAhead.part
    let rows = records[first..<min(first + RowsAhead.part, records.count)].map {
      StoreLayout.row(of: $0)
    }
    state.withLock { $0.made[part] = rows }
    return true
  }
}
