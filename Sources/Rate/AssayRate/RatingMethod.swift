import AssayBase

/// How measured values become indices, ratings and a compound.
public struct RatingMethod: Sendable, Equatable {
  /// Which published procedure.
  public enum Kind: String, Sendable, CaseIterable {
    /// That of the paper on USB accelerators (Fischer et al., 2025) with its published tables.
    case edgeAcc = "edge-acc"
    /// That of the library STREP as it is now.
    case strep
  }

  /// What has the index 1.
  public enum Index: String, Sendable, CaseIterable {
    /// The best of each property.
    case best
    /// A reference model.
    case centered
  }

  /// How the indices of several properties become one.
  public enum Mode: String, Sendable, CaseIterable {
    case mean, median, best, worst
  }

  /// The model that has the index 1 when it is centered.
  public enum Reference: Sendable, Equatable {
    /// This one.
    case model(String)
    /// The one in the middle of the field, found in the first environment of each data set.
    case optimal
  }

  public var kind: Kind
  public var index: Index
  public var mode: Mode
  public var reference: Reference
  /// Limits to rate by; taken at quantiles of the indices where it has none.
  public var boundaries: Boundaries?
  /// Weights that replace those of the properties, by key.
  public var weights: [String: Double]

  /// Makes a method.
  public init(
    _ kind: Kind,
    index: Index = .best,
    mode: Mode = .mean,
    reference: Reference = .optimal,
    boundaries: Boundaries? = nil,
    weights: [String: Double] = [:]
  ) {
    self.kind = kind
    self.index = index
    self.mode = mode
    self.reference = reference
    self.boundaries = boundaries
    self.weights = weights
  }

  /// Rates every row of a table among those of its task, data set and environment.
  ///
  /// - Throws: `Diagnostic` RAT005 for what the method does not do, RAT006 for values that it cannot
  ///   take, RAT007 for a reference model that is not there.
  public func rate(_ table: MeasurementTable) throws -> Ratings {
    guard !table.rows.isEmpty else { throw Diagnostic("RAT002", "the table has no rows") }
    var table = table
    for (index, property) in table.properties.enumerated() {
      if let weight = weights[property.key] { table.properties[index].weight = weight }
    }
    let known = Set(table.properties.map(\.key))
    if let unknown = weights.keys.sorted().first(where: { !known.contains($0) }) {
      throw Diagnostic(
        "RAT002",
        "a weight is given for '\(unknown)', which is no property of the table",
        remedy: "the properties are \(table.properties.map(\.key).joined(separator: ", "))"
      )
    }
    return switch kind {
    case .edgeAcc: try EdgeAccRating(table, self).ratings()
    case .strep: try StrepRating(table, self).ratings()
    }
  }
}

/// The five ratings; the best is an A.
public enum Letter: Int, Sendable, CaseIterable {
  case a, b, c, d, e

  /// A to E.
  public var text: String { ["A", "B", "C", "D", "E"][rawValue] }
}

/// What rating a table gives.
public struct Ratings: Sendable, Equatable {
  /// An index and its letter; of a compound or of one property.
  public struct Grade: Sendable, Equatable {
    public var index: Double
    public var letter: Letter
  }

  /// One model in one environment.
  public struct Row: Sendable, Equatable {
    public var source: MeasurementTable.Row
    /// By property of the table; `nil` where nothing was measured.
    public var properties: [Grade?]
    public var compound: Grade
    /// Compounds of parts: `quality` and `resource`, or the groups by name.
    public var parts: [(name: String, grade: Grade)]

    public static func == (a: Row, b: Row) -> Bool {
      a.source == b.source && a.properties == b.properties && a.compound == b.compound
        && a.parts.map(\.name) == b.parts.map(\.name)
        && a.parts.map(\.grade) == b.parts.map(\.grade)
    }
  }

  /// What was rated.
  public var properties: [PropertyMeta]
  /// In the order of the table.
  public var rows: [Row]
  /// The limits of the properties, where they are the same everywhere.
  public var boundaries: Boundaries
  /// The reference model of each data set, when indices are centered.
  public var references: [String: String] = [:]
}

/// Rows that are compared with one another: one task, data set and environment.
struct RatingGroup {
  var task: String, dataset: String, environment: String
  var rows: [Int]

  /// The groups of a table, in the order of data set, task and environment.
  static func all(_ table: MeasurementTable) -> [RatingGroup] {
    var rows: [[String]: [Int]] = [:]
    for (index, row) in table.rows.enumerated() {
      rows[[row.dataset, row.task, row.environment], default: []].append(index)
    }
    return rows.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { key, rows in
      RatingGroup(task: key[1], dataset: key[0], environment: key[2], rows: rows)
    }
  }
}
