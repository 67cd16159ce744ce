import AssayBase
import AssayRate

/// A table with its ratings, as columns.
struct RatedTable: Sendable {
  /// The number of letters; the code of "not rated" is one more than the last letter's.
  static let letters = ["A", "B", "C", "D", "E", "N.A."]
  static let unrated: UInt8 = 5

  let table: ExplorerTable
  let settings: ExplorerSettings
  /// The compound's index and letter by row.
  let index: [Double]
  let grades: [UInt8]
  /// Letters by property and row.
  let propertyGrades: [[UInt8]]
  let propertyIndices: [[Double]]
  /// Compounds of parts by name.
  let parts: [(name: String, index: [Double], grades: [UInt8])]
  let boundaries: Boundaries
  let references: [String: String]

  /// Rates a table.
  ///
  /// - Throws: `Diagnostic` RAT… for what the method cannot do with it.
  init(_ table: ExplorerTable, _ settings: ExplorerSettings) throws {
    self.table = table
    self.settings = settings
    let none = table.properties.map { _ in [UInt8](repeating: Self.unrated, count: table.count) }
    guard table.count > 0 else {
      (index, grades, propertyGrades, parts) = ([], [], none, [])
      propertyIndices = table.properties.map { _ in [] }
      (boundaries, references) = (Boundaries(), [:])
      return
    }
    let ratings = try settings.method.rate(table.measurements)
    index = ratings.rows.map(\.compound.index)
    grades = ratings.rows.map { UInt8($0.compound.letter.rawValue) }
    propertyGrades = table.properties.indices.map { place in
      ratings.rows.map { $0.properties[place].map { UInt8($0.letter.rawValue) } ?? Self.unrated }
    }
    propertyIndices = table.properties.indices.map { place in
      ratings.rows.map { $0.properties[place]?.index ?? .nan }
    }
    parts = (ratings.rows.first?.parts ?? []).map(\.name).map { name in
      let grades = ratings.rows.map { row in row.parts.first { $0.name == name }?.grade }
      return (
        name: name, index: grades.map { $0?.index ?? .nan },
        grades: grades.map { $0.map { UInt8($0.letter.rawValue) } ?? Self.unrated }
      )
    }
    boundaries = ratings.boundaries
    references = ratings.references
  }
}
