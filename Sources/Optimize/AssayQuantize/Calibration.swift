import AssayBase
import AssayEvaluator
import AssayGraph
import AssayKernels
import AssayTensor

/// What is known of the values of a network from representative data, by value name.
public struct Calibration: Sendable, Equatable {
  /// What was seen of one value.
  public struct Range: Sendable, Equatable {
    /// The ends that 8 bits should hold, by the method of calibration.
    public var low: Float, high: Float
    /// The least and greatest number; 16 bits hold them all.
    public var least: Float, greatest: Float
    /// How many elements were NaN or infinite.
    public var faults: Int

    /// A range that is held whole.
    public init(_ low: Float, _ high: Float, faults: Int = 0) {
      (self.low, self.high, self.faults) = (low, high, faults)
      (least, greatest) = (low, high)
    }

    /// The range of both.
    public func union(_ other: Range) -> Range {
      var result = Range(
        min(low, other.low),
        max(high, other.high),
        faults: faults + other.faults
      )
      result.least = min(least, other.least)
      result.greatest = max(greatest, other.greatest)
      return result
    }
  }

  /// What was seen, by the name of the value.
  public var ranges: [String: Range]
  /// The mean of each channel (slice along the last axis), where it was asked for.
  public var channelMeans: [String: [Double]]
  /// The number of samples.
  public var sampleCount: Int

  /// A calibration of known ranges.
  public init(
    ranges: [String: Range] = [:],
    channelMeans: [String: [Double]] = [:],
    sampleCount: Int = 0
  ) {
    self.ranges = ranges
    self.channelMeans = channelMeans
    self.sampleCount = sampleCount
  }

  /// Takes over what another calibration has seen; that of the whole data results for `minMax` alone
  /// (other methods merge in the `Calibrator`).
  public mutating func merge(_ other: Calibration) {
    ranges.merge(other.ranges) { $0.union($1) }
    let (a, b) = (Double(sampleCount), Double(other.sampleCount))
    channelMeans.merge(other.channelMeans) { mine, theirs in
      guard mine.count == theirs.count, a + b > 0 else { return mine }
      return zip(mine, theirs).map { ($0 * a + $1 * b) / (a + b) }
    }
    sampleCount += other.sampleCount
  }
}

/// What is kept of one value while data stream by; of bounded size.
private struct Statistics {
  /// How much less an older sample weighs in a moving average.
  static let decay = 0.99

  var extremes: Calibration.Range
  /// Sums of the samples' ends, and of their weights, for the moving average.
  var average = (low: 0.0, high: 0.0, weight: 0.0)
  var histogram: Histogram?
  var channelSums: [Double] = []
  var rows = 0.0

  init(_ seen: Calibration.Range, keepsHistogram: Bool) {
    extremes = seen
    if keepsHistogram { histogram = Histogram() }
  }

  mutating func addToAverage(_ seen: Calibration.Range) {
    average.low = average.low * Self.decay + Double(seen.low)
    average.high = average.high * Self.decay + Double(seen.high)
    average.weight = average.weight * Self.decay + 1
  }

  mutating func addToMeans(_ buffer: FloatBuffer, channels: Int) {
    guard channels > 0, buffer.count % channels == 0 else { return }
    if channelSums.count != channels { channelSums = [Double](repeating: 0, count: channels) }
    var start = 0
    while start < buffer.count {
      for channel in 0..<channels { channelSums[channel] += Double(buffer[start + channel]) }
      start += channels
    }
    rows += Double(buffer.count / channels)
  }

  func range(_ method: CalibrationMethod) -> Calibration.Range {
    var result = extremes
    if method == .movingAverage, average.weight > 0 {
      result.low = Float(average.low / average.weight)
      result.high = Float(average.high / average.weight)
    } else if let histogram {
      let found = RangeSearch(histogram, low: extremes.least, high: extremes.greatest).range(method)
      (result.low, result.high) = (found.low, found.high)
    }
    return result
  }
}

/// Runs a network on representative data and notes what values it makes.
///
/// Its memory does not grow with the data.
public final class Calibrator {
  /// How ranges are taken.
  public let method: CalibrationMethod

  /// What was seen so far, by the method; by `minMax` where that is `automatic` (`VariantMaker` chooses).
  public var calibration: Calibration { calibration(by: method) }

  /// A few of the samples, drawn evenly from all of them, for a choice of ranges to be judged by.
  public private(set) var kept: [[String: Tensor]] = []

  /// What was seen so far, by a method; the distribution is only known when `method` needs it.
  func calibration(by method: CalibrationMethod) -> Calibration {
    var result = Calibration(sampleCount: sampleCount)
    for (index, statistics) in statistics.enumerated() {
      guard let statistics else { continue }
      let name = evaluator.graph.values[index].name
      result.ranges[name] = statistics.range(method)
      if statistics.rows > 0 {
        result.channelMeans[name] = statistics.channelSums.map { $0 / statistics.rows }
      }
    }
    return result
  }

  private let evaluator: Evaluator
  private let kernels = Kernels.best
  private var statistics: [Statistics?]
  private var sampleCount = 0
  private var observed = 0
  private var random = SeededRNG(seed: 1)
  /// Values whose channels' means are kept.
  private let averaged: Set<ValueID>

  /// Prepares the canonical float32 graph that will be quantized.
  ///
  /// - Parameters:
  ///   - method: how ranges are taken.
  ///   - keepsChannelMeans: whether the means of the channels that weights read are kept, for bias
  ///     correction.
  ///   - threads: workers.
  /// - Throws: what `Evaluator` throws.
  public init(
    _ graph: Graph,
    method: CalibrationMethod = .automatic,
    keepsChannelMeans: Bool = false,
    threads: Int = 1
  ) throws {
    evaluator = try Evaluator(graph, threads: threads)
    self.method = method
    statistics = [Statistics?](repeating: nil, count: graph.values.count)
    averaged =
      keepsChannelMeans
      ? Set(
        graph.nodes.compactMap { node in
          node.op is Conv2D || node.op is DepthwiseConv2D || node.op is FullyConnected
            ? node.inputs.first ?? nil : nil
        }
      ) : []
  }

  /// Takes one sample, or several along the first axis.
  ///
  /// - Returns: the network's outputs, for who wants to look at them.
  /// - Throws: `Diagnostic` QNT003 when an input has elements that are NaN or infinite; what
  ///   `Evaluator` throws.
  @discardableResult
  public func observe(_ inputs: [String: Tensor]) throws -> [(name: String, tensor: Tensor)] {
    for (name, tensor) in inputs.sorted(by: { $0.key < $1.key }) where tensor.dtype == .float32 {
      let faults = unsafe tensor.withElements(as: Float.self) { elements in
        unsafe elements.reduce(into: 0) { $0 += $1.isFinite ? 0 : 1 }
      }
      guard faults == 0 else {
        throw Diagnostic(
          "QNT003",
          "\(faults) elements are NaN or infinite",
          at: ["representative sample \(sampleCount + 1)", "input '\(name)'"],
          remedy: "leave the sample out, or mend its preprocessing"
        )
      }
    }
    if method == .automatic { keep(inputs) }
    let graph = evaluator.graph
    let first = graph.inputs.first
    return try evaluator.observe(inputs) { id, buffer in
      if id == first { sampleCount += max(graph[id].type.shape.dims.first ?? 1, 1) }
      note(id, buffer, isFloat: graph[id].type.dtype == .float32)
    }
  }

  /// Draws samples so that each has the same chance, however many come (Vitter's algorithm R).
  private func keep(_ inputs: [String: Tensor]) {
    observed += 1
    if kept.count < Self.keptCount {
      let size = inputs.values.reduce(0) { $0 + $1.bytes.count }
      if kept.isEmpty || size * (kept.count + 1) <= Self.keptBytes { return kept.append(inputs) }
    }
    let place = Int.random(in: 0..<observed, using: &random)
    if place < kept.count { kept[place] = inputs }
  }

  /// The most samples, and the most bytes of samples, that are kept.
  private static let (keptCount, keptBytes) = (8, 5 << 20)

  private func note(_ id: ValueID, _ buffer: FloatBuffer, isFloat: Bool) {
    let seen = kernels.range(buffer)
    let range = Calibration.Range(seen.low, seen.high, faults: seen.faults)
    var own =
      statistics[id.index]
      ?? Statistics(range, keepsHistogram: method.needsHistogram && isFloat)
    // The one stored must not share its arrays with the one that changes.
    if statistics[id.index] != nil { own.extremes = own.extremes.union(range) }
    statistics[id.index] = nil
    if method == .movingAverage { own.addToAverage(range) }
    if isFloat, seen.faults == 0, range.low <= range.high {
      own.histogram?.add(buffer, peak: max(range.high, -range.low))
    }
    if averaged.contains(id), seen.faults == 0 {
      own.addToMeans(buffer, channels: evaluator.graph[id].type.shape.dims.last ?? 0)
    }
    statistics[id.index] = own
  }
}
