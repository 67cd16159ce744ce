import AssayBase

/// A frozen yardstick for one task: what properties count, how much, and the reference set that says
/// what is usual.
///
/// A rating by a scale is a function of the scale and of one subject. Nothing of it depends on which
/// other models are rated, so that adding or removing one changes no other's grade.
///
/// Index of a property: how many frozen steps a figure is better than the middle of the reference set,
/// where ratios count, not differences: `log2(reference / value) / step` where less is better. The
/// middle is the median, a step half the distance between the quantiles 0.8 and 0.2 (in doublings), so
/// that a property that spans three decades counts as much as one that spans one. Fractions of right
/// answers are compared by their errors: 98 % is as much better than 96 % as 90 % is than 80 %.
public struct Scale: Sendable, Equatable {
  /// The version of this method; a change that changes a grade changes it.
  public static let method = "assay-rating/1"

  /// How figures of a property compare.
  public enum Comparison: String, Sendable, CaseIterable {
    /// Less is better; half is one doubling better.
    case less
    /// More is better; twice is one doubling better.
    case more
    /// A fraction of right answers; half the errors is one doubling better.
    case fraction
  }

  /// What the figures of a property are.
  public enum Unit: String, Sendable, CaseIterable {
    case seconds, joules, bytes, count, fraction, number
  }

  /// A property that counts.
  public struct Property: Sendable, Equatable {
    /// Its key in subjects.
    public var key: String
    /// What people read.
    public var name: String
    /// `quality` or `resource`, or another group whose compound is told.
    public var group: String
    /// What its figures are.
    public var unit: Unit
    /// How they compare.
    public var comparison: Comparison
    /// Its share of compounds; 0 to grade it alone.
    public var weight: Double
    /// The figure of index 0, where it is not the middle of the reference set.
    public var reference: Double?
    /// The doublings of one index, where they are not those of the reference set.
    public var step: Double?
    /// The least indices of A, B, C and D, where they are not quantiles of the reference set.
    public var limits: [Double]?

    /// Makes a property.
    public init(
      _ key: String,
      name: String? = nil,
      group: String,
      unit: Unit,
      comparison: Comparison,
      weight: Double = 1,
      reference: Double? = nil,
      step: Double? = nil,
      limits: [Double]? = nil
    ) {
      self.key = key
      self.name = name ?? key
      self.group = group
      self.unit = unit
      self.comparison = comparison
      self.weight = weight
      self.reference = reference
      self.step = step
      self.limits = limits
    }

    /// The properties of records, by their keys.
    public static let known: [Property] = [
      Property(
        "accuracy",
        name: "accuracy",
        group: "quality",
        unit: .fraction,
        comparison: .fraction
      ),
      Property(
        "agreement",
        name: "agreement with the original",
        group: "quality",
        unit: .fraction,
        comparison: .fraction,
        weight: 0
      ),
      Property("latency", name: "latency", group: "resource", unit: .seconds, comparison: .less),
      Property(
        "energy",
        name: "energy per inference",
        group: "resource",
        unit: .joules,
        comparison: .less
      ),
      Property(
        "size",
        name: "size of the file",
        group: "resource",
        unit: .bytes,
        comparison: .less
      ),
      Property(
        "memory",
        name: "peak memory",
        group: "resource",
        unit: .bytes,
        comparison: .less
      ),
      Property(
        "parameters",
        name: "parameters",
        group: "resource",
        unit: .count,
        comparison: .less,
        weight: 0
      ),
    ]

    /// Which one of two figures is better by how many doublings; `nil` for figures without a ratio.
    func doublings(_ value: Double, over reference: Double) -> Double? {
      let ratio: Double =
        switch comparison {
        case .less: reference / value
        case .more: value / reference
        case .fraction: Self.error(reference) / Self.error(value)
        }
      let result = logarithm2(ratio)
      return result.isFinite ? result : nil
    }

    /// The part of wrong answers, never quite none: without a count nobody knows that there are none.
    static func error(_ fraction: Double) -> Double { max(1 - fraction, 1e-4) }
  }

  /// One model of the reference set.
  public struct Reference: Sendable, Equatable {
    /// What it is called.
    public var model: String
    /// Figures by property, each with the source that it names.
    public var values: [String: Double]
    /// Keys into `Scale.sources` by property.
    public var sources: [String: String]

    /// Makes a reference.
    public init(model: String, values: [String: Double], sources: [String: String] = [:]) {
      self.model = model
      self.values = values
      self.sources = sources
    }
  }

  /// What it is called; the word of `--task`.
  public var name: String
  /// Its version: numbers are never changed within one.
  public var version: Int
  /// What it is for, and how it was made, in words.
  public var about: String
  /// Data sets whose results it rates.
  public var datasets: [String]
  /// Whether index 0 is each subject's own original and not a middle of the reference set.
  public var isRelative: Bool
  /// What counts.
  public var properties: [Property]
  /// The reference set.
  public var references: [Reference]
  /// Where its figures come from, in words, by a short key.
  public var sources: [String: String]
  /// The conditions that subjects must share, with the words that are allowed; others are refused.
  public var conditions: [String: [String]]
  /// Weights, references, steps and limits were made once and for all from the reference set.
  var frozen: Frozen

  /// Makes a scale.
  ///
  /// - Throws: `Diagnostic` RAT020 for one that cannot rate: no properties, weights that are no numbers,
  ///   limits that do not fall, a reference set of fewer than five models for a property without limits
  ///   of its own.
  public init(
    name: String,
    version: Int = 1,
    about: String = "",
    datasets: [String] = [],
    isRelative: Bool = false,
    properties: [Property],
    references: [Reference] = [],
    sources: [String: String] = [:],
    conditions: [String: [String]] = [:]
  ) throws {
    self.name = name
    self.version = version
    self.about = about
    self.datasets = datasets
    self.isRelative = isRelative
    self.properties = properties
    self.references = references
    self.sources = sources
    self.conditions = conditions
    frozen = try Frozen(properties, references, isRelative: isRelative)
  }

  /// The name with the version and the method: what a label cites.
  public var title: String { "\(name) \(version) (\(Scale.method))" }

  /// The same scale with other weights; 0 takes a property out of compounds.
  ///
  /// - Throws: `Diagnostic` RAT002 for a property that it has not, RAT020 for weights that cannot be.
  public func weighted(_ weights: [String: Double]) throws -> Scale {
    var properties = properties
    for (key, weight) in weights.sorted(by: { $0.key < $1.key }) {
      guard let place = properties.firstIndex(where: { $0.key == key }) else {
        throw unknownProperty(key, "a weight")
      }
      properties[place].weight = weight
    }
    return try copy(properties)
  }

  /// The same scale with other limits: of properties the least indices of A to D.
  ///
  /// - Throws: `Diagnostic` RAT002 for a property that it has not, RAT020 for limits that cannot be.
  public func bounded(_ boundaries: Boundaries) throws -> Scale {
    var properties = properties
    for (key, limits) in boundaries.limits.sorted(by: { $0.key < $1.key }) {
      // `compound` and the groups follow from the properties; saved files carry them to be read.
      if key == "compound" || properties.contains(where: { $0.group == key }) { continue }
      guard let place = properties.firstIndex(where: { $0.key == key }) else {
        throw unknownProperty(key, "a limit")
      }
      properties[place].limits = limits
    }
    return try copy(properties)
  }

  private func copy(_ properties: [Property]) throws -> Scale {
    try Scale(
      name: name,
      version: version,
      about: about,
      datasets: datasets,
      isRelative: isRelative,
      properties: properties,
      references: references,
      sources: sources,
      conditions: conditions
    )
  }

  private func unknownProperty(_ key: String, _ what: String) -> Diagnostic {
    Diagnostic(
      "RAT002",
      "\(what) is given for '\(key)', which is no property of the scale \(name)",
      remedy: "its properties are \(properties.map(\.key).joined(separator: ", "))"
    )
  }

  /// The limits of every property, of the compound and of the groups, as they are.
  public var boundaries: Boundaries {
    var limits: [String: [Double]] = [:]
    for (property, row) in zip(properties, frozen.rows) { limits[property.key] = row.limits }
    let all = Set(properties.indices)
    limits["compound"] = frozen.limits(ofCompound: all, properties)
    for group in Set(properties.map(\.group)) {
      let members = all.filter { properties[$0].group == group }
      if members.contains(where: { properties[$0].weight > 0 }) {
        limits[group] = frozen.limits(ofCompound: members, properties)
      }
    }
    return Boundaries(limits)
  }

  /// The figure of index 0 of a property; `nil` where it is each subject's original.
  public func reference(_ key: String) -> Double? {
    properties.firstIndex { $0.key == key }.flatMap { frozen.rows[$0].reference }
  }

  /// The figures at which a property's letters A to D begin, in its unit; `nil` where they depend on
  /// the subject's original.
  public func values(atLimitsOf key: String) -> [Double]? {
    guard let place = properties.firstIndex(where: { $0.key == key }),
      let reference = frozen.rows[place].reference
    else { return nil }
    let row = frozen.rows[place]
    return row.limits.map { limit in
      let factor = power2(limit * row.step)
      return switch properties[place].comparison {
      case .less: reference / factor
      case .more: reference * factor
      case .fraction: 1 - Property.error(reference) / factor
      }
    }
  }
}
