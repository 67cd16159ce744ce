import AssayBase
import AssayEvaluator
import AssayGraph
import AssayKernels
import AssayTensor

/// The ranges that the values of a network take on representative data, by value name.
///
/// Ranges are plain minima and maxima over all samples. Calibrations of parts of the data merge to
/// that of the whole.
public struct Calibration: Sendable, Equatable {
  /// What was seen of one value.
  public struct Range: Sendable, Equatable {
    /// The least and greatest number.
    public var low: Float, high: Float
    /// How many elements were NaN or infinite.
    public var faults: Int

    /// A range.
    public init(_ low: Float, _ high: Float, faults: Int = 0) {
      self.low = low
      self.high = high
      self.faults = faults
    }

    /// The range of both.
    public func union(_ other: Range) -> Range {
      Range(min(low, other.low), max(high, other.high), faults: faults + other.faults)
    }
  }

  /// What was seen, by the name of the value.
  public var ranges: [String: Range]
  /// The number of samples.
  public var sampleCount: Int

  /// A calibration of known ranges.
  public init(ranges: [String: Range] = [:], sampleCount: Int = 0) {
    self.ranges = ranges
    self.sampleCount = sampleCount
  }

  /// Takes over what another calibration has seen.
  public mutating func merge(_ other: Calibration) {
    ranges.merge(other.ranges) { $0.union($1) }
    sampleCount += other.sampleCount
  }
}

/// Runs a network on representative data and notes the range of every value.
public final class Calibrator {
  /// What was seen so far.
  public var calibration: Calibration {
    var result = Calibration(sampleCount: sampleCount)
    for (index, range) in ranges.enumerated() {
      if let range { result.ranges[evaluator.graph.values[index].name] = range }
    }
    return result
  }

  private let evaluator: Evaluator
  private let kernels = Kernels.best
  private var ranges: [Calibration.Range?]
  private var sampleCount = 0

  /// Prepares the canonical float32 graph that will be quantized.
  ///
  /// - Throws: what `Evaluator` throws.
  public init(_ graph: Graph, threads: Int = 1) throws {
    evaluator = try Evaluator(graph, threads: threads)
    ranges = [Calibration.Range?](repeating: nil, count: graph.values.count)
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
    let first = evaluator.graph.inputs.first
    return try evaluator.observe(inputs) { id, buffer in
      if id == first { sampleCount += max(evaluator.graph[id].type.shape.dims.first ?? 1, 1) }
      let seen = kernels.range(buffer)
      let range = Calibration.Range(seen.low, seen.high, faults: seen.faults)
      ranges[id.index] = ranges[id.index]?.union(range) ?? range
    }
  }
}
