/// One model file of which a store has records.
public struct StoredModel: Sendable, Equatable {
  /// SHA-256 of the file.
  public var sha256: String
  /// Records of it.
  public var count: Int
  /// Those whose verdict is VALID.
  public var validCount: Int
}

/// What a store knows of one configuration of one model, by a query and without reading the records.
///
/// Figures are over VALID records; `nil` when there is none, or none that has the figure.
public struct StoredSummary: Sendable, Equatable {
  /// The variant's recipe.
  public var variant: String
  /// The runtime's id.
  public var runtime: String
  /// The provider asked for.
  public var provider: String
  /// The device.
  public var device: String
  /// Threads of the runtime.
  public var threads: Int
  /// Records of the configuration.
  public var count: Int
  /// Those whose verdict is VALID.
  public var validCount: Int
  /// The least median latency of a record, nanoseconds.
  public var leastMedian: Int64?
  /// The mean of the records' median latencies, nanoseconds.
  public var meanMedian: Double?
  /// The greatest median latency of a record, nanoseconds.
  public var greatestMedian: Int64?
  /// The greatest 99th percentile of a record, nanoseconds.
  public var greatestP99: Int64?
  /// The greatest peak of memory of a record, bytes.
  public var greatestPeakMemory: Int64?
}
