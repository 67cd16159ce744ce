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
