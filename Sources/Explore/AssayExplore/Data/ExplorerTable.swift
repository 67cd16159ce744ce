import AssayBase
import AssayRate

/// Measurements as columns, for the explorer's page.
///
/// A missing value is NaN. What rows are filtered by (model, environment, task, …) is kept as numbers
/// into lists of names.
public struct ExplorerTable: Sendable {
  /// A measured property, as the page names it.
  public struct Property: Sendable, Equatable {
    /// What it is called and counts for.
    public var meta: PropertyMeta
    /// Where its figures come from, in a sentence.
    public var source: String

    /// Makes a property.
    public init(_ meta: PropertyMeta, source: String = "") {
      self.meta = meta
      self.source = source
    }
  }

  /// What rows can be told apart and filtered by.
  public struct Facet: Sendable {
    /// Its word in addresses.
    public var key: String
    /// What the page calls it.
    public var name: String
    /// The values, in order of first appearance.
    public private(set) var values: [String] = []
    /// For each row the number of its value.
    public private(set) var codes: [UInt32] = []
    private var numbers: [String: UInt32] = [:]

    init(_ key: String, _ name: String) {
      self.key = key
      self.name = name
    }

    /// A facet as it was kept.
    ///
    /// - Precondition: every code is the number of a value.
    init(_ key: String, _ name: String, values: [String], codes: [UInt32]) {
      self.init(key, name)
      for value in values { append(value) }
      self.codes = codes
    }

    mutating func append(_ value: String) {
      if let number = numbers[value] {
        codes.append(number)
        return
      }
      let number = UInt32(values.count)
      numbers[value] = number
      values.append(value)
      codes.append(number)
    }

    func number(of value: String) -> UInt32? { numbers[value] }
    subscript(row: Int) -> String { values[Int(codes[row])] }
  }

  /// One row, as it is added.
  public struct Row: Sendable {
    /// The record that it comes from; empty for an imported table.
    public var id: String
    /// Values by facet, in the order of `facetNames`.
    public var facets: [String]
    /// Values by property.
    public var values: [Double]
    /// Intervals by property; NaN where there is none.
    public var lows: [Double], highs: [Double]
  }

  /// The facets that every table has: their words and names.
  public static let facetNames: [(key: String, name: String)] = [
    ("model", "Model"), ("environment", "Environment"), ("task", "Task"), ("dataset", "Data set"),
    ("device", "Device"), ("runtime", "Runtime"), ("recipe", "Recipe"),
  ]

  /// What was measured.
  public let properties: [Property]
  /// What rows are filtered by.
  public private(set) var facets: [Facet]
  /// A column of values for each property.
  public private(set) var columns: [[Double]]
  /// Lower ends of intervals, where any row has one.
  private(set) var lows: [SparseColumn]
  /// Upper ends.
  private(set) var highs: [SparseColumn]
  /// Records by row.
  public private(set) var ids: [String] = []

  /// What a scale rates of each row; `nil` where only the published methods can rate.
  var facts: RatingFacts?

  /// A table without rows.
  public init(properties: [Property]) {
    self.properties = properties
    facets = ExplorerTable.facetNames.map { Facet($0.key, $0.name) }
    columns = properties.map { _ in [] }
    lows = properties.map { _ in SparseColumn() }
    highs = lows
  }

  /// A table as it was kept.
  ///
  /// - Precondition: each list has an element for each row, and the facets are those of every table.
  init(
    properties: [Property],
    facets: [Facet],
    columns: [[Double]],
    lows: [SparseColumn],
    highs: [SparseColumn],
    ids: [String],
    facts: RatingFacts
  ) {
    self.properties = properties
    self.facets = facets
    self.columns = columns
    self.lows = lows
    self.highs = highs
    self.ids = ids
    self.facts = facts
  }

  /// The number of rows.
  public var count: Int { ids.count }

  /// What a scale rates of a row; `nil` where only the published methods can rate.
  func subject(_ row: Int) -> Subject? { facts?.subject(row, id: ids[row]) }

  /// Adds a row.
  ///
  /// - Precondition: it has a value for each facet and property.
  public mutating func append(_ row: Row) {
    ids.append(row.id)
    for place in facets.indices { facets[place].append(row.facets[place]) }
    for place in properties.indices {
      columns[place].append(row.values[place])
      lows[place].append(row.lows[place])
      highs[place].append(row.highs[place])
    }
  }

  /// The place of a property.
  public func place(of key: String) -> Int? { properties.firstIndex { $0.meta.key == key } }

  func facet(_ key: String) -> Facet? { facets.first { $0.key == key } }

  /// The rows as the rating takes them.
  public var measurements: MeasurementTable {
    let (model, environment, task, dataset) = (facets[0], facets[1], facets[2], facets[3])
    let rows = (0..<count).map { row in
      MeasurementTable.Row(
        model: model[row],
        environment: environment[row],
        task: task[row],
        dataset: dataset[row],
        values: columns.map { $0[row].isNaN ? nil : $0[row] }
      )
    }
    return MeasurementTable(properties: properties.map(\.meta), rows: rows)
  }
}

extension ExplorerTable {
  /// The rows of a table of published results.
  public init(_ table: MeasurementTable) {
    self.init(
      properties: table.properties.map { Property($0, source: "as the imported table gives it") }
    )
    let none = table.properties.map { _ in Double.nan }
    for row in table.rows {
      append(
        Row(
          id: "",
          facets: [
            row.model, row.environment, row.task, row.dataset, "not told", "not told",
            "not told",
          ],
          values: row.values.map { $0 ?? .nan },
          lows: none,
          highs: none
        )
      )
    }
  }
}
