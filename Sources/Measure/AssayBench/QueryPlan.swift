import AssayBase
import AssayRecord

/// How a worker issues the queries of one block.
struct QueryPlan: Sendable {
  /// How queries are issued.
  var kind: Record.Scenario.Kind
  /// Inferences of one query.
  var inferences: Int
  /// Queries per second that arrive.
  var rate: Double
  /// The seed of the arrivals.
  var seed: UInt64

  /// Reads a plan; `nil` for none, and for one inference after the other.
  init?(json: JSON?) {
    guard let json, let kind = json["kind"]?.string.flatMap(Record.Scenario.Kind.init),
      kind != .singleStream
    else { return nil }
    self.kind = kind
    inferences = min(max(json["inferences"]?.int ?? 1, 1), 1 << 20)
    let rate = json["rate"]?.double ?? 0
    self.rate = rate.isFinite && rate > 0 ? rate : 1
    seed = UInt64(bitPattern: Int64(json["seed"]?.int ?? 1))
  }
}

/// What a block of queries gave.
struct QueryBlock {
  /// Latencies of the queries, nanoseconds: in order of issue, stream after stream when offline.
  var samples: [Int64]
  /// When the block began and ended on the monotonic clock.
  var window: (begin: UInt64, end: UInt64)
  /// Nanoseconds that a query was worked on, on average; server only.
  var serviceTime: Double?
  /// Queries that were due when the block had to end and were never begun.
  var unserved = 0
}
