import AssayBase

/// How an anomaly benchmark is made of a smooth series, after the Mackey-Glass anomaly benchmark (MGAB,
/// Thill, Konen and Bäck, 2020).
///
/// An anomaly is a cut: a stretch is taken out where the series before and after it agree best in value
/// and derivatives, so that the seam cannot be seen. Noise hides what is left of it.
public struct AnomalyBenchmark: Sendable, Equatable {
  /// What is added to the series.
  public enum Noise: String, Sendable, CaseIterable {
    /// Independent and uniform between two bounds.
    case uniform
    /// The running sum of uniform numbers.
    case walk
    /// Independent and normal, with a mean and a deviation.
    case normal
    /// Nothing.
    case none

    /// The two numbers that the noise usually has.
    public var usualParameters: (Double, Double) {
      switch self {
      case .uniform: (-0.01, 0.01)
      case .walk: (-0.001, 0.001)
      case .normal: (0, 0.01)
      case .none: (0, 0)
      }
    }
  }

  /// Samples of a finished series.
  public var length = 100_000
  /// Anomalies of a series.
  public var anomalyCount = 10
  /// The least distance of two anomalies, before cutting.
  public var leastDistance = 2000
  /// The least number of samples that a cut takes out.
  public var leastCut = 100
  /// How far each end of a cut may be moved to fit best.
  public var searchLength = 100
  /// The derivatives in which the ends of a cut are to agree, beside the value.
  public var derivativeCount = 3
  /// Samples that are labelled around an anomaly, half of them on each side.
  public var windowLength = 400
  /// Samples at the start that nobody should judge by.
  public var ignoredLength = 256
  /// The kind of noise.
  public var noise = Noise.uniform
  /// The noise's two numbers: bounds, or mean and deviation; the usual ones if `nil`.
  public var noiseParameters: (Double, Double)?

  /// The published benchmark's settings.
  public init() {}

  /// Whether both make the same series.
  public static func == (a: Self, b: Self) -> Bool {
    a.length == b.length && a.anomalyCount == b.anomalyCount
      && a.leastDistance == b.leastDistance && a.leastCut == b.leastCut
      && a.searchLength == b.searchLength && a.derivativeCount == b.derivativeCount
      && a.windowLength == b.windowLength && a.ignoredLength == b.ignoredLength
      && a.noise == b.noise
      && (a.noiseParameters ?? a.noise.usualParameters)
        == (b.noiseParameters ?? b.noise.usualParameters)
  }

  /// Samples that the base of one series must have: the series and the longest cuts.
  public var baseLength: Int { length + anomalyCount * (leastCut + 2 * searchLength) }

  /// Samples that a fresh base of one series is given; the published bases have 150,000.
  public var freshBaseLength: Int { max(length * 3 / 2, baseLength) }

  /// Throws settings that make no series.
  ///
  /// - Throws: `Diagnostic` DTC012 for what is out of range or does not fit together.
  public func check() throws {
    func demand(_ holds: Bool, _ summary: String, remedy: String? = nil) throws {
      guard holds else { throw Diagnostic("DTC012", summary, remedy: remedy) }
    }
    let limit = 100_000_000
    try demand((2...limit).contains(length), "the length must be from 2 to \(limit)")
    try demand((0...100_000).contains(anomalyCount), "there may be 0 to 100000 anomalies")
    try demand((1...limit).contains(leastDistance), "the distance of anomalies must be at least 1")
    try demand((0...1_000_000).contains(leastCut), "a cut must be 0 to 1000000 samples")
    try demand((1...10_000).contains(searchLength), "the search must be over 1 to 10000 samples")
    try demand((0...10).contains(derivativeCount), "there may be 0 to 10 derivatives")
    try demand((0...limit).contains(windowLength), "the label window must not be negative")
    try demand(ignoredLength >= 0, "the ignored start must not be negative")
    let least = anomalyCount * leastDistance * 4 / 3
    try demand(
      length >= least,
      "a series of \(length) samples is too short for \(anomalyCount) anomalies that are at least "
        + "\(leastDistance) apart",
      remedy: "take a length of at least \(least), fewer anomalies or a smaller distance"
    )
    let (first, second) = noiseParameters ?? noise.usualParameters
    try demand(
      first.isFinite && second.isFinite && (noise == .normal ? second >= 0 : first <= second),
      noise == .normal
        ? "the noise's deviation must not be negative"
        : "the noise's lower bound must not be above its upper bound"
    )
  }

  /// Where the search for each cut begins, ascending.
  ///
  /// - Throws: `Diagnostic` DTC013 when a hundred draws did not fit.
  func positions(_ random: inout LegacyRandom) throws -> [Int] {
    guard anomalyCount > 0 else { return [] }
    let room = (length - leastDistance * anomalyCount) / anomalyCount
    let end = Int(0.95 * Double(length))
    for _ in 0...100 {
      var position = end
      var positions: [Int] = []
      for _ in 0..<anomalyCount {
        position -= random.integer(below: max(room, 1)) + leastDistance
        positions.append(position)
      }
      if position > 0 { return positions.reversed() }
    }
    throw Diagnostic(
      "DTC013",
      "\(anomalyCount) anomalies found no place in \(length) samples",
      remedy: "take a longer series, fewer anomalies or a smaller distance"
    )
  }

  /// A series of the benchmark.
  ///
  /// - Parameters:
  ///   - base: the smooth series; its first samples are used.
  ///   - seed: of the positions and of the noise, as NumPy's `RandomState` takes it.
  /// - Throws: `Diagnostic` DTC012 for settings that do not fit, DTC014 for a base that is too short or
  ///   has samples that are no numbers, DTC013.
  public func series(base: [Double], seed: UInt32) throws -> BenchmarkSeries {
    try check()
    guard base.count >= baseLength else {
      throw Diagnostic(
        "DTC014",
        "the base has \(base.count) samples, and \(baseLength) are needed",
        remedy: "a series of \(length) samples and \(anomalyCount) cuts of at most "
          + "\(leastCut + 2 * searchLength) samples each"
      )
    }
    if let index = base.firstIndex(where: { !$0.isFinite }) {
      throw Diagnostic("DTC014", "sample \(index) of the base is no finite number")
    }
    var random = LegacyRandom(seed: seed)
    let positions = try positions(&random)
    var series = base
    var cuts: [BenchmarkSeries.Cut] = []
    for position in positions {
      let cut = bestCut(series, from: position)
      series.removeSubrange(cut.index..<cut.index + cut.removedCount)
      cuts.append(cut)
    }
    addNoise(to: &series, &random)
    series.removeLast(series.count - length)
    let half = windowLength / 2
    var isAnomaly = [Bool](repeating: false, count: length)
    for cut in cuts where cut.index - half < length {
      for index in max(0, cut.index - half)..<min(length, cut.index + half + 1) {
        isAnomaly[index] = true
      }
    }
    return BenchmarkSeries(
      values: series,
      isAnomaly: isAnomaly,
      isIgnored: (0..<length).map { ignoredLength > 0 && $0 <= ignoredLength },
      cuts: cuts
    )
  }

  private func addNoise(to series: inout [Double], _ random: inout LegacyRandom) {
    let (first, second) = noiseParameters ?? noise.usualParameters
    var sum = 0.0
    for index in series.indices {
      switch noise {
      case .none: return
      case .uniform: series[index] += random.uniform(first, second)
      case .normal: series[index] += first + second * random.normal()
      case .walk:
        sum += random.uniform(first, second)
        series[index] += sum
      }
    }
  }

  /// The cut whose ends agree best: the nearest pair of a point shortly after `position` and one that
  /// is at least the least cut further on.
  private func bestCut(_ series: [Double], from position: Int) -> BenchmarkSeries.Cut {
    let second = position + searchLength + leastCut
    // A derivative looks one sample further on each side.
    let range =
      max(
        0,
        position - derivativeCount
      )..<min(series.count, second + searchLength + derivativeCount)
    var features = [Array(series[range])]
    for _ in 0..<derivativeCount {
      features.append(derivative(features[features.count - 1]))
    }
    var best = (distance: Double.infinity, start: position, end: second)
    for start in position..<position + searchLength {
      for end in second..<second + searchLength {
        var distance = 0.0
        for feature in features {
          let difference = feature[start - range.lowerBound] - feature[end - range.lowerBound]
          distance += difference * difference
        }
        if distance < best.distance { best = (distance, start, end) }
      }
    }
    return BenchmarkSeries.Cut(
      index: best.start,
      removedCount: best.end - best.start,
      distance: best.distance.squareRoot()
    )
  }

  /// Half the difference of the neighbours, or the whole one to the only neighbour at an end.
  private func derivative(_ values: [Double]) -> [Double] {
    guard values.count > 1 else { return values.map { _ in 0 } }
    return values.indices.map { index in
      if index == 0 { return values[1] - values[0] }
      if index == values.count - 1 { return values[index] - values[index - 1] }
      return (values[index + 1] - values[index - 1]) / 2
    }
  }
}

/// A finished series of the benchmark: values with labels.
public struct BenchmarkSeries: Sendable {
  /// An anomaly: what was taken out where.
  public struct Cut: Sendable, Equatable {
    /// The first sample after the seam, the middle of the labelled window.
    public var index: Int
    /// Samples that were taken out.
    public var removedCount: Int
    /// The distance of the two ends in value and derivatives.
    public var distance: Double
  }

  /// The samples.
  public var values: [Double]
  /// Whether each sample belongs to an anomaly.
  public var isAnomaly: [Bool]
  /// Whether nobody should judge by a sample.
  public var isIgnored: [Bool]
  /// The anomalies, ascending.
  public var cuts: [Cut]

  /// The series as a file of comma-separated values, as the published ones are: the time without a
  /// name, `value`, `is_anomaly` and `is_ignored`; values in the fewest digits that give them back.
  public var csv: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(values.count * 32 + 64)
    bytes += Array(",value,is_anomaly,is_ignored\n".utf8)
    for index in values.indices {
      bytes += Array("\(index),\(values[index]),".utf8)
      bytes.append(isAnomaly[index] ? 0x31 : 0x30)
      bytes.append(0x2C)
      bytes.append(isIgnored[index] ? 0x31 : 0x30)
      bytes.append(0x0A)
    }
    return bytes
  }
}
