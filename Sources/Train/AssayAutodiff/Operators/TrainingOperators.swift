import AssayBase
import AssayGraph
import AssayTensor

/// Elements set to zero at random while training, the others scaled so that the mean stays
/// (Srivastava et al., 2014).
public struct Dropout: TrainingOperator {
  /// The part that is dropped, from 0 up to 1.
  public var rate: Float
  /// Whether whole channels of a sample are dropped together (the last axis holds the channels).
  public var dropsChannels: Bool

  /// Makes a dropout.
  public init(rate: Float, dropsChannels: Bool = false) {
    self.rate = rate
    self.dropsChannels = dropsChannels
  }

  public var name: String { "Dropout" }
  public var attributes: [(name: String, value: String)] {
    [("rate", "\(rate)"), ("dropsChannels", "\(dropsChannels)")]
  }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    guard let x = inputs.first ?? nil else {
      throw Diagnostic("GRF001", "Dropout takes 1 input, 0 are there")
    }
    guard (0..<1).contains(rate) else {
      throw Diagnostic("GRF002", "Dropout: a rate of \(rate) is not in [0, 1)")
    }
    return [TensorType(x.dtype, x.shape)]
  }
}

/// Normally distributed noise of mean zero, added while training.
public struct GaussianNoise: TrainingOperator {
  /// The noise's standard deviation.
  public var deviation: Float

  /// Makes a source of noise.
  public init(deviation: Float) { self.deviation = deviation }

  public var name: String { "GaussianNoise" }
  public var attributes: [(name: String, value: String)] { [("deviation", "\(deviation)")] }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    guard let x = inputs.first ?? nil else {
      throw Diagnostic("GRF001", "GaussianNoise takes 1 input, 0 are there")
    }
    return [TensorType(x.dtype, x.shape)]
  }
}

/// The rounding that a quantized value gets when the network is exported, while it is trained in
/// float32 (Jacob et al., 2018).
///
/// Inputs: x; the low and the high end of the range, each of one element or of as many as `axis` of x
/// has. Put it behind a value, or between a constant weight and the node that reads it. The output is
/// the real number that the nearest integer of the range stands for, by the rule of
/// `Quantization`: half away from zero. The gradient passes where x lies inside the range and not
/// outside ("straight-through").
///
/// The ends of the range are constants of the graph, so that the exporter finds them there when
/// training is over (`scheme(low:high:)` gives the quantization that was simulated).
public struct FakeQuantize: TrainingOperator {
  /// Where the range comes from.
  public enum Range: Sendable, Hashable {
    /// It stays as it is.
    case fixed
    /// The least and greatest elements, as they are now: for weights.
    case current
    /// A moving average of the least and greatest elements of training batches; the first batch counts
    /// whole when the range is still empty (both ends equal).
    case movingAverage(momentum: Float)
    /// Trained: the gradient of what is cut off at an end goes to that end (TensorFlow's
    /// `FakeQuantWithMinMaxVars`), and with one symmetric range both ends move together.
    case learned
  }

  /// Bits of the integers: 2 to 16.
  public var bits: Int
  /// Whether the range is made symmetric and the zero point 0; the least integer is then left out
  /// (-127 to 127).
  public var isSymmetric: Bool
  /// The axis with a range for each of its slices; `nil` for one range.
  public var axis: Int?
  /// Where the range comes from.
  public var range: Range

  /// Makes a fake quantization.
  public init(bits: Int = 8, isSymmetric: Bool, axis: Int? = nil, range: Range) {
    self.bits = bits
    self.isSymmetric = isSymmetric
    self.axis = axis
    self.range = range
  }

  public var name: String { "FakeQuantize" }
  public var attributes: [(name: String, value: String)] {
    [
      ("bits", "\(bits)"), ("isSymmetric", "\(isSymmetric)"),
      ("axis", axis.map(String.init) ?? "none"), ("range", "\(range)"),
    ]
  }

  public func inferTypes(_ inputs: [TensorType?]) throws -> [TensorType] {
    guard inputs.count == 3, let x = inputs[0], let low = inputs[1], let high = inputs[2] else {
      throw Diagnostic("GRF001", "FakeQuantize takes a value and the ends of its range")
    }
    guard (2...16).contains(bits) else {
      throw Diagnostic("GRF002", "FakeQuantize: \(bits) bits are not 2 to 16")
    }
    var extent = 1
    if let axis {
      guard let axis = x.shape.normalized(axis: axis) else {
        throw Diagnostic("GRF002", "FakeQuantize: axis \(axis) of \(x.shape)")
      }
      extent = x.shape[axis]
    }
    guard low.shape.count == extent, high.shape.count == extent else {
      throw Diagnostic(
        "GRF002",
        "FakeQuantize: ranges \(low.shape) and \(high.shape) do not fit \(x.shape)"
      )
    }
    return [TensorType(x.dtype, x.shape)]
  }

  /// The least and greatest integer.
  public var integers: ClosedRange<Int> {
    let half = 1 << (bits - 1)
    return (isSymmetric ? 1 - half : -half)...half - 1
  }

  /// The quantization of values between `low` and `high`.
  ///
  /// Symmetric: the greatest magnitude over the greatest integer. Otherwise the range is widened to
  /// include zero, and the zero point is the integer next to the end that fits it better. A range
  /// that is empty, or too narrow for a scale that is a normal number, gives scale 1.
  public func scheme(low: Float, high: Float) -> (scale: Float, zeroPoint: Int32) {
    if isSymmetric {
      let scale = max(high, -low, 0) / Float(integers.upperBound)
      return (scale.isNormal ? scale : 1, 0)
    }
    let (least, most) = (Double(min(low, 0)), Double(max(high, 0)))
    let (first, last) = (Double(integers.lowerBound), Double(integers.upperBound))
    let step = (most - least) / (last - first)
    let scale = Float(step)
    guard scale.isNormal else { return (1, 0) }
    let fromLow = first - least / step
    let fromHigh = last - most / step
    let lowError = first.magnitude + (least / step).magnitude
    let highError = last.magnitude + (most / step).magnitude
    let zero = (lowError < highError ? fromLow : fromHigh).rounded(.toNearestOrAwayFromZero)
    return (scale, Int32(min(max(zero, first), last)))
  }
}
