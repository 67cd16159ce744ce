import AssayBase

/// How the range of a value is taken from representative data.
public enum CalibrationMethod: Sendable, Hashable {
  /// Whichever of `candidates` keeps the network's outputs nearest to those in floats, on a few of the
  /// representative samples.
  case automatic
  /// From the least to the greatest number seen.
  case minMax
  /// The mean of the samples' least and greatest numbers, the later ones weighing a little more.
  case movingAverage
  /// The range that holds this percentage of all numbers, the rest being cut off in equal parts.
  case percentile(Double)
  /// The range whose 8-bit numbers keep most of the distribution's information (least
  /// Kullback-Leibler divergence).
  case entropy
  /// The range whose 8-bit numbers have the least mean squared error.
  case meanSquaredError

  /// What `automatic` chooses from; the first, unless another one is clearly better.
  static let candidates = [minMax, percentile(defaultPercentile), meanSquaredError]

  /// The percentage that `percentile` stands for.
  public static let defaultPercentile = 99.99

  /// The name, such as `percentile99.9`.
  public var name: String {
    switch self {
    case .automatic: "auto"
    case .minMax: "minmax"
    case .movingAverage: "moving_average"
    case .percentile(let part): part == Self.defaultPercentile ? "percentile" : "percentile\(part)"
    case .entropy: "entropy"
    case .meanSquaredError: "mse"
    }
  }

  /// Every method's name, with the default percentage.
  public static let names = ["auto", "minmax", "moving_average", "percentile", "entropy", "mse"]

  /// The method with this name; `nil` when there is none.
  public init?(name: String) {
    switch name {
    case "auto": self = .automatic
    case "minmax": self = .minMax
    case "moving_average": self = .movingAverage
    case "entropy": self = .entropy
    case "mse": self = .meanSquaredError
    case "percentile": self = .percentile(Self.defaultPercentile)
    default:
      guard name.hasPrefix("percentile"), let part = Double(name.dropFirst("percentile".count)),
        part >= 50, part <= 100
      else { return nil }
      self = .percentile(part)
    }
  }

  /// What it does, as part of a sentence.
  var summary: String {
    switch self {
    case .automatic: "ranges by the method that keeps the outputs nearest"
    case .minMax: "ranges from the least to the greatest number seen"
    case .movingAverage: "ranges averaged over the samples"
    case .percentile(let part): "ranges that hold \(part) % of the numbers"
    case .entropy: "ranges of least Kullback-Leibler divergence"
    case .meanSquaredError: "ranges of least squared error"
    }
  }

  /// Whether the numbers' distribution must be kept, not their ends alone.
  var needsHistogram: Bool {
    switch self {
    case .minMax, .movingAverage: false
    case .automatic, .percentile, .entropy, .meanSquaredError: true
    }
  }
}
