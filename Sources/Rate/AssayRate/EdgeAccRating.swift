import AssayBase

/// The published method of the study of USB accelerators.
///
/// Index: value over reference (reference over value where less is better), within each task, data
/// set and environment. Limits of a property: quantiles of its indices over the whole table; an index
/// has a rating when it lies above that rating's lower limit and not above its upper one, so that the
/// best of all has no A where the limit of A is its own index. Limits of compounds: quantiles within
/// each group.
struct EdgeAccRating {
  private let table: MeasurementTable
  private let method: RatingMethod
  private let groups: [RatingGroup]
  /// An index for each row and property.
  private var indices: [[Double?]]
  private var references: [String: String] = [:]

  init(_ table: MeasurementTable, _ method: RatingMethod) throws {
    self.table = table
    self.method = method
    groups = RatingGroup.all(table)
    indices = table.rows.map { _ in table.properties.map { _ in nil } }
    for group in groups { try index(group) }
  }

  private mutating func index(_ group: RatingGroup) throws {
    let center = try method.index == .centered ? reference(group) : nil
    for (place, property) in table.properties.enumerated() {
      let values = group.rows.map { table.rows[$0].values[place] }
      let known = values.compactMap { $0 }.filter { !$0.isNaN }
      guard let least = known.min(), let most = known.max() else { continue }
      var against = property.isMaximized ? most : least
      if let center {
        guard let value = table.rows[center].values[place] else {
          throw Diagnostic(
            "RAT007",
            "the reference model '\(table.rows[center].model)' has no \(property.key)",
            at: ["environment '\(group.environment)'"]
          )
        }
        against = value
      }
      for (row, value) in zip(group.rows, values) {
        indices[row][place] = Self.index(value ?? .nan, against, property.isMaximized)
      }
    }
  }

  /// The index of a value.
  static func index(_ value: Double, _ reference: Double, _ isMaximized: Bool) -> Double {
    var (value, reference) = (value, reference)
    // Negative values of what is minimized are moved so that the reference is one.
    if !isMaximized, reference < 0 { (value, reference) = (value - reference + 1, 1) }
    if value.isInfinite { return isMaximized ? 1 : 0 }
    if value.isNaN { return 0 }
    let index = isMaximized ? value / reference : reference / value
    return index.isFinite ? index : 0
  }

  /// The row of the reference model of a group.
  private mutating func reference(_ group: RatingGroup) throws -> Int {
    let name: String
    switch method.reference {
    case .model(let given): name = given
    case .optimal:
      // The first environment decides for its data set.
      name = references[group.dataset] ?? middle(group)
    }
    references[group.dataset] = name
    guard let row = group.rows.first(where: { table.rows[$0].model == name }) else {
      throw Diagnostic(
        "RAT007",
        "the reference model '\(name)' was not measured here",
        at: ["data set '\(group.dataset)'", "environment '\(group.environment)'"],
        remedy: "take a model that was measured in every environment: "
          + group.rows.prefix(5).map { table.rows[$0].model }.joined(separator: ", ")
      )
    }
    return row
  }

  /// The model in the middle of the field by the weighted sum of indices against medians.
  private func middle(_ group: RatingGroup) -> String {
    var scores = group.rows.map { _ in 0.0 }
    for (place, property) in table.properties.enumerated() {
      let values = group.rows.map { table.rows[$0].values[place] ?? .nan }
      guard values.contains(where: { !$0.isNaN }) else { continue }
      // One missing value leaves no median, and then nothing counts.
      let median = values.contains(where: \.isNaN) ? .nan : quantile(values.sorted(), 0.5)
      for (number, value) in values.enumerated() {
        let index = Self.index(value, median, property.isMaximized)
        scores[number] += index * (property.weight ?? 0)
      }
    }
    let order = scores.indices.sorted { (scores[$0], $0) < (scores[$1], $1) }
    return table.rows[group.rows[order[order.count / 2]]].model
  }

  /// The letter of an index: above the lower limit, not above the upper one.
  static func letter(_ index: Double, _ limits: [Double]) -> Letter {
    let ends = [100_000] + limits + [-100]
    for letter in Letter.allCases {
      let (upper, lower) = (ends[letter.rawValue], ends[letter.rawValue + 1])
      if index <= upper, index > lower { return letter }
    }
    return .e
  }

  func ratings() throws -> Ratings {
    var boundaries = method.boundaries ?? Boundaries()
    if method.boundaries == nil {
      boundaries.limits["default"] = Boundaries.usual
      for (place, property) in table.properties.enumerated() {
        boundaries.limits[property.key] = Boundaries.quantiles(
          of: indices.compactMap { $0[place] }
        )
      }
    }
    var rows = table.rows.indices.map { row in
      let grades = indices[row].enumerated().map { place, index in
        index.map {
          Ratings.Grade(
            index: $0,
            letter: Self.letter($0, boundaries[table.properties[place].key])
          )
        }
      }
      let none = Ratings.Grade(index: 0, letter: .e)
      return Ratings.Row(source: table.rows[row], properties: grades, compound: none, parts: [])
    }
    for group in groups {
      let compounds = group.rows.map { compound($0) { _ in true } }
      let qualities = group.rows.map { compound($0) { $0.group == "Performance" } }
      let resources = group.rows.map { compound($0) { $0.group != "Performance" } }
      for (number, row) in group.rows.enumerated() {
        rows[row].compound = grade(compounds, number)
        rows[row].parts = [
          ("quality", grade(qualities, number)), ("resource", grade(resources, number)),
        ]
      }
    }
    if method.boundaries == nil {
      // Published beside the others, though compounds are rated within their groups.
      let compounds: [(String, (Ratings.Row) -> Double)] = [
        ("compound_index", { $0.compound.index }),
        ("quality_index", { $0.parts[0].grade.index }),
        ("resource_index", { $0.parts[1].grade.index }),
      ]
      for (key, index) in compounds {
        boundaries.limits[key] = Boundaries.quantiles(of: rows.map(index))
      }
    }
    return Ratings(
      properties: table.properties,
      rows: rows,
      boundaries: boundaries,
      references: references
    )
  }

  private func grade(_ all: [Double], _ number: Int) -> Ratings.Grade {
    let limits = Boundaries.quantiles(of: all) ?? Boundaries.usual
    return Ratings.Grade(index: all[number], letter: Self.letter(all[number], limits))
  }

  /// The indices of a row's properties as one; 0 without any.
  private func compound(_ row: Int, _ counts: (PropertyMeta) -> Bool) -> Double {
    var (values, weights): ([Double], [Double]) = ([], [])
    for (place, property) in table.properties.enumerated() where counts(property) {
      guard let index = indices[row][place], let weight = property.weight, weight > 0 else {
        continue
      }
      values.append(index)
      weights.append(weight)
    }
    return Compound(values, weights, isDescending: true).value(method.mode)
  }
}
