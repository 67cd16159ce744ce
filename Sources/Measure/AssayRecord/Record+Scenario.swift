import AssayBase
import AssayStatistics

extension Record {
  /// How queries were issued, and which percentile of their latency counts.
  ///
  /// The four kinds are MLPerf's. A sample of the record is the latency of one query.
  public struct Scenario: Sendable, Equatable {
    /// How queries are issued.
    public enum Kind: String, Sendable, CaseIterable {
      /// One inference after the other; a query is one inference.
      case singleStream = "single-stream"
      /// Several inputs at once, one query after the other; a query is done when its last input is.
      case multiStream = "multi-stream"
      /// All inputs at once: what counts is throughput.
      case offline
      /// Queries arrive at random; latency counts from when a query was due, so that waiting counts.
      case server
    }

    /// How queries are issued.
    public var kind: Kind
    /// Inputs of one query.
    public var samplesPerQuery: Int
    /// Sessions that work at the same time.
    public var streams: Int
    /// Queries per second that arrive; server only.
    public var ratePerSecond: Double?
    /// The percentile that counts.
    public var percentile: Percentile
    /// The latency that the percentile must hold, nanoseconds.
    public var targetLatency: Int64?
    /// The seed of the arrivals.
    public var seed: UInt64
    /// Inferences that a query takes: its inputs over the model's batch.
    public var inferencesPerQuery: Int
    /// Nanoseconds that a query was worked on, on average, without waiting; server only.
    public var serviceTime: Double?
    /// Queries that were due when a round had to end and were never begun.
    public var unserved: Int

    /// A scenario with its usual figures: p90 for single-stream, p99 for the others, 8 inputs a query in
    /// multi-stream.
    public init(_ kind: Kind, streams: Int = 1) {
      self.kind = kind
      self.streams = streams
      samplesPerQuery = kind == .multiStream ? 8 : 1
      percentile = kind == .singleStream ? .p90 : .p99
      ratePerSecond = nil
      targetLatency = nil
      seed = 1
      inferencesPerQuery = samplesPerQuery
      serviceTime = nil
      unserved = 0
    }

    /// The part of the sessions' time that the arriving queries need; `nil` but for a server.
    ///
    /// From 1 on the queue grows without end.
    public var utilization: Double? {
      guard let ratePerSecond, let serviceTime, streams > 0 else { return nil }
      return ratePerSecond * serviceTime / 1e9 / Double(streams)
    }
  }

  /// What may be claimed of the percentile that counts, by MLPerf's early-stopping test at 99 %.
  public struct Claim: Sendable, Equatable {
    /// The percentile.
    public var percentile: Percentile
    /// Queries, those that were never begun included.
    public var queries: Int
    /// The percentile's conservative estimate, nanoseconds: with 99 % confidence the true one is no
    /// greater.
    public var estimate: Figure<Int64>
    /// Queries over the target latency; `nil` without a target.
    public var over: Int?
    /// What the test says of the target; `nil` without one.
    public var outcome: EarlyStopping.Outcome?
  }

  /// The claim that the samples support.
  public var claim: Claim {
    let scenario = scenario ?? Scenario(.singleStream)
    let test = EarlyStopping(scenario.percentile)
    let queries = samples.count + scenario.unserved
    let sorted = samples.sorted()
    let estimate: Figure<Int64>
    if let rank = test.estimateRank(count: queries) {
      estimate =
        rank <= sorted.count
        ? .value(sorted[rank - 1])
        : .missing(reason: "\(scenario.unserved) queries were never begun")
    } else {
      estimate = .missing(
        reason:
          "\(scenario.percentile) needs \(test.minimumCount(over: 1)) queries for a claim with "
          + "99 % confidence, there are \(queries)"
      )
    }
    guard let target = scenario.targetLatency else {
      return Claim(percentile: scenario.percentile, queries: queries, estimate: estimate)
    }
    let over = samples.count { $0 > target } + scenario.unserved
    return Claim(
      percentile: scenario.percentile,
      queries: queries,
      estimate: estimate,
      over: over,
      outcome: test.outcome(count: queries, over: over)
    )
  }

  /// Inputs per second: of one after the other in single-stream, else of all sessions together while
  /// rounds ran.
  public var throughput: Figure<Double> {
    guard let scenario, scenario.kind != .singleStream, imported == nil || !samples.isEmpty else {
      return summary.throughput
    }
    let time = windows.reduce(0.0) { $0 + Double($1.end &- $1.begin) }
    guard windows.count == rounds.count, time > 0 else {
      return .missing(reason: "the record does not tell when its rounds ran")
    }
    return .value(Double(samples.count) * Double(scenario.samplesPerQuery) * 1e9 / time)
  }
}

extension Record.Scenario {
  /// The scenario as a record keeps it.
  var json: JSON {
    var object = JSON.object([
      "kind": .string(kind.rawValue), "samplesPerQuery": JSON(samplesPerQuery),
      "inferencesPerQuery": JSON(inferencesPerQuery), "streams": JSON(streams),
      "percentile": .string(percentile.description),
      "seed": .integer(Int64(bitPattern: seed)),
    ])
    object["ratePerSecond"] = ratePerSecond.map { .number($0) }
    object["targetLatencyNs"] = targetLatency.map { .integer($0) }
    object["serviceNs"] = serviceTime.map { .number($0) }
    if kind == .server { object["unserved"] = JSON(unserved) }
    return object
  }

  /// Reads a scenario; `nil` when it is none that this version knows.
  init?(json: JSON) {
    guard let kind = json["kind"]?.string.flatMap(Kind.init),
      let percentile = json["percentile"]?.string.flatMap({ Percentile($0) })
    else { return nil }
    func count(_ name: String, _ usual: Int, least: Int = 1) -> Int {
      json[name]?.int.map { min(max($0, least), 1 << 40) } ?? usual
    }
    self.init(kind, streams: count("streams", 1))
    self.percentile = percentile
    samplesPerQuery = count("samplesPerQuery", samplesPerQuery)
    inferencesPerQuery = count("inferencesPerQuery", samplesPerQuery)
    ratePerSecond = json["ratePerSecond"]?.double
    targetLatency = json["targetLatencyNs"]?.int.map { Int64($0) }
    serviceTime = json["serviceNs"]?.double
    unserved = count("unserved", 0, least: 0)
    seed = json["seed"]?.int.map { UInt64(bitPattern: Int64($0)) } ?? 1
  }
}

extension Record.Claim {
  /// The claim as a record tells it; derived, never read back.
  var json: JSON {
    var object = JSON.object([
      "percentile": .string(percentile.description), "confidence": 0.99, "queries": JSON(queries),
      "estimateNs": estimate.json,
    ])
    object["over"] = over.map { JSON($0) }
    switch outcome {
    case .holds: object["holds"] = true
    case .fails: object["holds"] = false
    case .needs(let more):
      object["holds"] = false
      object["queriesMissing"] = JSON(more)
    case nil: break
    }
    return object
  }
}
