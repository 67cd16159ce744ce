import AssayBase

/// The method of the library STREP as it is now.
///
/// Index: against the best of each property within task, data set and environment. Limits: quantiles
/// within that group, for properties and compounds; an index at a limit has the better rating.
/// Weights, where none are given: as much for each group of properties, as much for each property in
/// it. Missing values count as 0 in compounds. Its minimum and maximum are taken over each row; the
/// library takes them over each column by mistake, and fails.
struct StrepRating {
  private let table: MeasurementTable
  private let method: RatingMethod
  private let groups: [RatingGroup]
  private var indices: [[Double?]]

  init(_ table: MeasurementTable, _ method: RatingMethod) throws {
    guard method.index == .best else {
      throw Diagnostic(
        "RAT005",
        "the library STREP has no centered index",
        remedy: "--index best, or --method edge-acc"
      )
    }
    self.table = table
    self.method = method
    groups = RatingGroup.all(table)
    indices = table.rows.map { _ in table.properties.map { _ in nil } }
    for group in groups { try index(group) }
  }

  private mutating func index(_ group: RatingGroup) throws {
    for (place, property) in table.properties.enumerated() {
      let values = group.rows.map { table.rows[$0].values[place] }
      let known = values.compactMap { $0 }.filter { !$0.isNaN }
      guard let least = known.min(), let most = known.max() else { continue }
      guard least >= 0 else {
        throw Diagnostic(
          "RAT006",
          "\(property.key) has negative values, which have no index",
          at: ["environment '\(group.environment)'"],
          remedy: "scale them so that they start at zero, or leave the property out"
        )
      }
      for (row, value) in zip(group.rows, values) {
        guard let value, !value.isNaN else { continue }
        let index = property.isMaximized ? value / most : least / value
        if index.isNaN { continue }
        if index.isInfinite {
          if property.isMaximized { indices[row][place] = 1 }
        } else {
          indices[row][place] = index
        }
      }
    }
  }

  /// The letter of an index: a limit belongs to the better side.
  static func letter(_ index: Double, _ limits: [Double]) -> Letter {
    Letter(rawValue: limits.firstIndex { index >= $0 } ?? 4) ?? .e
  }

  func ratings() throws -> Ratings {
    var rows = table.rows.map {
      Ratings.Row(
        source: $0,
        properties: table.properties.map { _ in nil },
        compound: Ratings.Grade(index: 0, letter: .e),
        parts: []
      )
    }
    for group in groups {
      let present = table.properties.indices.filter { place in
        group.rows.contains { table.rows[$0].values[place] != nil }
      }
      for place in present {
        let known = group.rows.compactMap { indices[$0][place] }
        let key = table.properties[place].key
        guard let limits = method.boundaries?.limits[key] ?? Boundaries.quantiles(of: known) else {
          continue
        }
        for row in group.rows {
          rows[row].properties[place] = indices[row][place].map {
            Ratings.Grade(index: $0, letter: Self.letter($0, limits))
          }
        }
      }
      rate(group, present, &rows)
    }
    return Ratings(
      properties: table.properties,
      rows: rows,
      boundaries: method.boundaries ?? Boundaries()
    )
  }

  private func rate(_ group: RatingGroup, _ present: [Int], _ rows: inout [Ratings.Row]) {
    let weights = weights(present)
    var names: [String] = []
    for place in present where !names.contains(table.properties[place].group) {
      names.append(table.properties[place].group)
    }
    func graded(_ places: [Int]) -> [Ratings.Grade] {
      let values = group.rows.map { row in
        let compound = Compound(
          places.map { indices[row][$0] ?? 0 },
          places.map { weights[$0] ?? 0 },
          isDescending: false
        ).value(method.mode)
        return min(max(compound, 0), 1)
      }
      let limits = Boundaries.quantiles(of: values) ?? Boundaries.usual
      return values.map { Ratings.Grade(index: $0, letter: Self.letter($0, limits)) }
    }
    let compounds = graded(present)
    let parts = names.map { name in
      (name, graded(present.filter { table.properties[$0].group == name }))
    }
    for (number, row) in group.rows.enumerated() {
      rows[row].compound = compounds[number]
      rows[row].parts = parts.map { (name: $0.0, grade: $0.1[number]) }
    }
  }

  /// The weights of properties by place: theirs if all have one, otherwise shared out evenly.
  private func weights(_ present: [Int]) -> [Int: Double] {
    let given = present.compactMap { table.properties[$0].weight }
    if given.count == present.count {
      return Dictionary(uniqueKeysWithValues: zip(present, given))
    }
    var counts: [String: Int] = [:]
    for place in present { counts[table.properties[place].group, default: 0] += 1 }
    return Dictionary(
      uniqueKeysWithValues: present.map { place in
        let size = counts[table.properties[place].group] ?? 1
        return (place, 1 / Double(counts.count * size))
      }
    )
  }
}
