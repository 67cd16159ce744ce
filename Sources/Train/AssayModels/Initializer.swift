import AssayBase
import AssayGraph
import AssayTensor

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// How the weights of a new layer begin; names and distributions are those of Keras 3.
///
/// Each weight draws from a stream of its own, seeded by the network's seed and the weight's name, so
/// that a layer's weights do not change when another layer is added before it.
public enum Initializer: Sendable, Equatable {
  /// A number everywhere.
  case constant(Float)
  /// Uniform in `-limit...limit`.
  case uniform(Float)
  /// Normal around 0, redrawn beyond two deviations.
  case truncatedNormal(Float)
  /// Variance `scale / fan`, as `keras.initializers.VarianceScaling`.
  case scaled(Float, Fan, Distribution)

  /// What the variance is divided by.
  public enum Fan: Sendable, Equatable {
    /// The inputs of one output.
    case input
    /// The outputs of one input.
    case output
    /// The mean of both.
    case average
  }

  /// The distribution of a scaled initializer.
  public enum Distribution: Sendable, Equatable {
    /// Within three deviations' square root on both sides.
    case uniform
    /// Normal, redrawn beyond two deviations; the deviation is widened so that the variance holds.
    case normal
  }

  /// Zero everywhere.
  public static let zeros = Initializer.constant(0)
  /// One everywhere.
  public static let ones = Initializer.constant(1)
  /// Glorot and Bengio, 2010.
  public static let glorotUniform = Initializer.scaled(1, .average, .uniform)
  /// Glorot and Bengio, 2010.
  public static let glorotNormal = Initializer.scaled(1, .average, .normal)
  /// He et al., 2015.
  public static let heUniform = Initializer.scaled(2, .input, .uniform)
  /// He et al., 2015.
  public static let heNormal = Initializer.scaled(2, .input, .normal)
  /// LeCun et al., 1998.
  public static let lecunUniform = Initializer.scaled(1, .input, .uniform)
  /// LeCun et al., 1998.
  public static let lecunNormal = Initializer.scaled(1, .input, .normal)

  /// The inputs of one output and the outputs of one input of a weight.
  public struct Fans: Sendable, Equatable {
    /// Inputs of one output.
    public var input: Int
    /// Outputs of one input.
    public var output: Int

    /// Makes a pair.
    public init(input: Int, output: Int) {
      self.input = input
      self.output = output
    }
  }

  /// Draws the elements of a weight.
  ///
  /// - Parameters:
  ///   - shape: its extents.
  ///   - fans: what a scaled initializer divides by.
  ///   - rng: the weight's own stream.
  public func tensor(_ shape: Shape, fans: Fans, using rng: inout SeededRNG) -> Tensor {
    switch self {
    case .constant(let value):
      return Tensor([Float](repeating: value, count: shape.count), shape)
    case .uniform(let limit):
      return Tensor((0..<shape.count).map { _ in rng.uniform(-limit, limit) }, shape)
    case .truncatedNormal(let deviation):
      return Tensor((0..<shape.count).map { _ in deviation * Self.truncated(&rng) }, shape)
    case .scaled(let scale, let fan, let distribution):
      let divisor: Float =
        switch fan {
        case .input: Float(fans.input)
        case .output: Float(fans.output)
        case .average: Float(fans.input + fans.output) / 2
        }
      let variance = scale / max(divisor, 1)
      return switch distribution {
      case .uniform:
        Initializer.uniform((3 * variance).squareRoot()).tensor(shape, fans: fans, using: &rng)
      case .normal:
        Initializer.truncatedNormal(variance.squareRoot() / Self.truncatedDeviation)
          .tensor(shape, fans: fans, using: &rng)
      }
    }
  }

  /// The deviation of a standard normal distribution cut at two deviations.
  private static let truncatedDeviation: Float = 0.879_625_66

  /// A standard normal number within two deviations (Box and Muller, 1958, with redrawing).
  private static func truncated(_ rng: inout SeededRNG) -> Float {
    while true {
      let radius = (-2 * logf(1 - rng.uniform())).squareRoot()
      let value = radius * cosf(2 * .pi * rng.uniform())
      if abs(value) <= 2 { return value }
    }
  }
}
