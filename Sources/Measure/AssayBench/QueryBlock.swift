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
