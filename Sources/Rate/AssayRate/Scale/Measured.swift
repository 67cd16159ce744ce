/// Where a figure comes from.
public enum Provenance: String, Sendable, CaseIterable {
  /// Measured or counted by us.
  case measured
  /// Computed from other figures by a model of the device.
  case estimated
  /// Taken from a publication.
  case published
  /// Handed in by the user, who knows where it is from.
  case given
}

/// What is known of how far a figure may be from the true one.
public enum Uncertainty: Sendable, Equatable {
  /// The figure is exact, as the bytes of a file.
  case exact
  /// Nothing is known.
  case unknown
  /// The natural logarithm of the true value is that of the figure plus `standardError` times a
  /// Student-distributed number with `freedom` degrees of freedom (infinite: a normal one).
  case relative(standardError: Double, freedom: Double)
  /// The figure is a fraction of so many items that were counted.
  case counted(Int)

  /// The relative uncertainty whose central 95 % are an interval; unknown when an end is not positive.
  public static func interval(_ range: ClosedRange<Double>) -> Uncertainty {
    guard range.lowerBound > 0, range.upperBound.isFinite else { return .unknown }
    let width = logarithm(range.upperBound / range.lowerBound)
    return .relative(standardError: width / (2 * 1.959963984540054), freedom: .infinity)
  }
}

/// A figure with what is known of it.
public struct Measured: Sendable, Equatable {
  /// The figure, in the unit of its property.
  public var value: Double
  /// How far it may be off.
  public var uncertainty: Uncertainty
  /// Where it comes from.
  public var provenance: Provenance

  /// Makes a figure.
  public init(
    _ value: Double,
    _ uncertainty: Uncertainty = .unknown,
    _ provenance: Provenance = .measured
  ) {
    self.value = value
    self.uncertainty = uncertainty
    self.provenance = provenance
  }
}

/// One model in one environment, to be rated: what was measured of it, and how.
public struct Subject: Sendable, Equatable {
  /// Identifies it: the record's id, or the line of a table.
  public var id: String
  /// What the model is called.
  public var model: String
  /// The recipe that made it, `original` for none.
  public var variant: String
  /// Where it ran, in words: device, runtime and provider.
  public var environment: String
  /// What it was asked to do, and on which data; `unknown` when nobody said.
  public var task: String, dataset: String
  /// How it was measured, by key; what is absent is not known.
  ///
  /// Keys are `batch`, `threads`, `precision` (of the inputs), `emulated` and `scenario`.
  public var conditions: [String: String]
  /// Figures by property.
  public var values: [String: Measured]
  /// The same figures of the network that it was made from, measured under the same conditions.
  public var original: [String: Measured]
  /// Whether it is that network itself.
  public var isOriginal: Bool

  /// Makes a subject.
  public init(
    id: String,
    model: String,
    variant: String = "original",
    environment: String = "unknown",
    task: String = "unknown",
    dataset: String = "unknown",
    conditions: [String: String] = [:],
    values: [String: Measured],
    original: [String: Measured] = [:],
    isOriginal: Bool = false
  ) {
    self.id = id
    self.model = model
    self.variant = variant
    self.environment = environment
    self.task = task
    self.dataset = dataset
    self.conditions = conditions
    self.values = values
    self.original = original
    self.isOriginal = isOriginal
  }

  /// The model and, where it is none of the original, the recipe.
  public var title: String {
    ["original", ""].contains(variant) ? model : "\(model) \(variant)"
  }
}
