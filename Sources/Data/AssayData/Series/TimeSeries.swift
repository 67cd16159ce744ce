import AssayBase

/// A series of samples at equal distances, of one or several channels, with labels where they are known.
public struct TimeSeries: Sendable, Equatable {
  /// A name for each channel.
  public var channels: [String]
  /// The samples, channel by channel.
  public var values: [[Double]]
  /// Whether each sample belongs to an anomaly; `nil` where nobody has told.
  public var isAnomaly: [Bool]?
  /// Whether nobody should judge by a sample, such as at the start.
  public var isIgnored: [Bool]?

  /// The number of samples.
  public var count: Int { values.first?.count ?? 0 }

  /// Makes a series.
  ///
  /// - Precondition: channels and labels have equally many samples.
  public init(
    channels: [String],
    values: [[Double]],
    isAnomaly: [Bool]? = nil,
    isIgnored: [Bool]? = nil
  ) {
    precondition(channels.count == values.count, "\(channels.count) names")
    precondition(values.allSatisfy { $0.count == values[0].count }, "uneven channels")
    self.channels = channels
    self.values = values
    self.isAnomaly = isAnomaly
    self.isIgnored = isIgnored
  }

  /// A series of one channel.
  public init(_ values: [Double], name: String = "value") {
    self.init(channels: [name], values: [values])
  }

  /// The runs of samples that are labelled as anomalies.
  public var events: [Range<Int>] { runs(isAnomaly ?? []) }

  /// Throws what no network can learn from or be judged by.
  ///
  /// - Parameter leastCount: samples that the user of the series needs.
  /// - Throws: `Diagnostics` DTC003 for a channel that never changes, DTC004 for a series that is too
  ///   short.
  public func check(leastCount: Int) throws {
    var faults: [Diagnostic] = []
    if count < leastCount {
      faults.append(
        Diagnostic(
          "DTC004",
          "the series has \(count) samples, and at least \(leastCount) are needed"
        )
      )
    }
    for (name, channel) in zip(channels, values) {
      guard let first = channel.first, channel.allSatisfy({ $0 == first }) else { continue }
      faults.append(
        Diagnostic(
          "DTC003",
          "channel '\(name)' is \(first) throughout",
          remedy: "leave it out with --columns: nothing can be told from a constant"
        )
      )
    }
    try Diagnostics(faults).throwIfErrors()
  }
}

/// The runs of `true`.
public func runs(_ flags: [Bool]) -> [Range<Int>] {
  var result: [Range<Int>] = []
  var start: Int?
  for (index, flag) in flags.enumerated() {
    if flag, start == nil { start = index }
    if !flag, let begun = start {
      result.append(begun..<index)
      start = nil
    }
  }
  if let start { result.append(start..<flags.count) }
  return result
}

/// How a file is read as a series.
public struct SeriesOptions: Sendable, Equatable {
  /// What is done about samples that are missing.
  public enum Gaps: String, Sendable, CaseIterable {
    /// The file is refused.
    case refuse
    /// They are put on the line between their neighbours.
    case interpolate
  }

  /// The character between cells; found out from the first line if `nil`.
  public var delimiter: Character?
  /// The columns or arrays to take as channels; all that are no time and no labels, if empty.
  public var columns: [String] = []
  /// The column that tells anomalies; `is_anomaly`, `anomaly` or `label` if `nil`.
  public var labelColumn: String?
  /// The column that tells what is not judged by; `is_ignored` or `ignored` if `nil`.
  public var ignoredColumn: String?
  /// What is done about missing samples.
  public var gaps = Gaps.refuse

  /// What suits most files.
  public init() {}
}
