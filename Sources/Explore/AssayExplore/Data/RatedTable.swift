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
  /// How likely each grade of the compound is, in words; empty where that is not known.
  let chances: [String]
  let boundaries: Boundaries
  let references: [String: String]

  /// Rates a table, by the scale or the published method of the settings.
  ///
  /// - Throws: `Diagnostic` RAT… for what the method cannot do with it, EXP014 for rows that no scale can
  ///   rate.
  init(_ table: ExplorerTable, _ settings: ExplorerSettings) throws {
    if let name = settings.scale, table.count > 0 {
      try self.init(table, settings, by: settings.ratingScale(name))
    } else {
      try self.init(published: table, settings)
    }
  }

  private init(published table: ExplorerTable, _ settings: ExplorerSettings) throws {
    self.table = table
    self.settings = settings
    let none = table.properties.map { _ in [UInt8](repeating: Self.unrated, count: table.count) }
    guard table.count > 0 else {
      (index, grades, propertyGrades, parts) = ([], [], none, [])
      propertyIndices = table.properties.map { _ in [] }
      (boundaries, references, chances) = (Boundaries(), [:], [])
      return
    }
    chances = []
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

  /// Rates a table by a scale; each row by itself.
  private init(_ table: ExplorerTable, _ settings: ExplorerSettings, by scale: Scale) throws {
    guard table.subjects.count == table.count else {
      throw Diagnostic(
        "EXP014",
        "a scale cannot rate these rows",
        remedy: "take a published method; scales rate records of the store"
      )
    }
    self.table = table
    self.settings = settings
    let ratings = table.subjects.map { scale.rate($0) }
    index = ratings.map { $0.compound?.index ?? .nan }
    grades = ratings.map { Self.code($0.compound) }
    propertyGrades = table.properties.map { property in
      ratings.map { Self.code($0[property.meta.key]?.grade) }
    }
    propertyIndices = table.properties.map { property in
      ratings.map { $0[property.meta.key]?.grade?.index ?? .nan }
    }
    parts = (ratings.first?.groups ?? []).indices.map { place in
      (
        name: ratings[0].groups[place].name,
        index: ratings.map { $0.groups[place].grade?.index ?? .nan },
        grades: ratings.map { Self.code($0.groups[place].grade) }
      )
    }
    chances = ratings.map { $0.compound.map { $0.probabilities == nil ? "" : $0.text } ?? "" }
    boundaries = scale.boundaries
    references = [:]
  }

  private static func code(_ grade: Grade?) -> UInt8 {
    grade.map { UInt8($0.letter.rawValue) } ?? unrated
  }
}
