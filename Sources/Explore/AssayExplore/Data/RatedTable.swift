import AssayBase
import AssayHost
import AssayRate
import AssayStore

/// A table with its ratings, as columns.
struct RatedTable: Sendable {
  /// The number of letters; the code of "not rated" is one more than the last letter's.
  static let letters = ["A", "B", "C", "D", "E", "N.A."]
  static let unrated: UInt8 = 5

  /// What a page tells of a row beside its letters.
  struct Detail: Sendable {
    /// The index of each property; NaN where it has none.
    var indices: [Double]
    /// Compounds of parts.
    var parts: [(name: String, index: Double, grade: UInt8)] = []
    /// How likely each grade of the compound is, in words; empty where that is not known.
    var chances = ""
  }

  let table: ExplorerTable
  let settings: ExplorerSettings
  /// The compound's index and letter by row.
  private(set) var index: [Double] = []
  private(set) var grades: [UInt8] = []
  /// Letters by property and row.
  private(set) var propertyGrades: [[UInt8]]
  let boundaries: Boundaries
  let references: [String: String]
  /// The scale that rates each row by itself.
  private let scale: Scale?
  /// What a published method says of all rows together.
  private let published: [Detail]

  /// Rates a table, by the scale or the published method of the settings.
  ///
  /// - Parameters:
  ///   - old: the same table with fewer rows, rated by the same settings: a scale rates what is new only.
  ///   - changed: comparisons whose rows are rated anew.
  /// - Throws: `Diagnostic` RAT… for what the method cannot do with it, EXP014 for rows that no scale can
  ///   rate.
  init(
    _ table: ExplorerTable,
    _ settings: ExplorerSettings,
    extending old: RatedTable? = nil,
    changed: Set<String> = []
  ) throws {
    if let name = settings.scale, table.count > 0 {
      try self.init(table, settings, by: settings.ratingScale(name), extending: old, changed)
    } else {
      try self.init(published: table, settings)
    }
  }

  /// A table that was rated before.
  ///
  /// - Precondition: there is a letter for each row and property.
  init(
    _ table: ExplorerTable,
    _ settings: ExplorerSettings,
    scale: Scale,
    index: [Double],
    grades: [UInt8],
    propertyGrades: [[UInt8]]
  ) {
    self.table = table
    self.settings = settings
    self.scale = scale
    self.index = index
    self.grades = grades
    self.propertyGrades = propertyGrades
    boundaries = scale.boundaries
    (references, published) = ([:], [])
  }

  private init(published table: ExplorerTable, _ settings: ExplorerSettings) throws {
    self.table = table
    self.settings = settings
    scale = nil
    guard table.count > 0 else {
      propertyGrades = table.properties.map { _ in [] }
      boundaries = Boundaries()
      (references, published) = ([:], [])
      return
    }
    let ratings = try settings.method.rate(table.measurements)
    index = ratings.rows.map(\.compound.index)
    grades = ratings.rows.map { UInt8($0.compound.letter.rawValue) }
    propertyGrades = table.properties.indices.map { place in
      ratings.rows.map { $0.properties[place].map { UInt8($0.letter.rawValue) } ?? Self.unrated }
    }
    let names = (ratings.rows.first?.parts ?? []).map(\.name)
    published = ratings.rows.map { row in
      Detail(
        indices: row.properties.map { $0?.index ?? .nan },
        parts: names.map { name in
          let grade = row.parts.first { $0.name == name }?.grade
          return (
            name: name, index: grade?.index ?? .nan,
            grade: grade.map { UInt8($0.letter.rawValue) } ?? Self.unrated
          )
        }
      )
    }
    boundaries = ratings.boundaries
    references = ratings.references
  }

  /// Rates a table by a scale; each row by itself.
  private init(
    _ table: ExplorerTable,
    _ settings: ExplorerSettings,
    by scale: Scale,
    extending old: RatedTable?,
    _ changed: Set<String>
  ) throws {
    guard let facts = table.facts, facts.count == table.count else {
      throw Diagnostic(
        "EXP014",
        "a scale cannot rate these rows",
        remedy: "take a published method; scales rate records of the store"
      )
    }
    self.table = table
    self.settings = settings
    self.scale = scale
    boundaries = scale.boundaries
    (references, published) = ([:], [])
    var rows = Array(0..<table.count)
    if let old, old.settings == settings, old.scale != nil, old.table.count <= table.count {
      (index, grades, propertyGrades) = (old.index, old.grades, old.propertyGrades)
      let again = changed.isEmpty ? [] : facts.rows(ofSessions: changed)
      rows = again.filter { $0 < old.index.count } + Array(old.index.count..<table.count)
    } else {
      propertyGrades = table.properties.map { _ in [] }
    }
    let missing = table.count - index.count
    index += repeatElement(.nan, count: missing)
    grades += repeatElement(Self.unrated, count: missing)
    for place in propertyGrades.indices {
      propertyGrades[place] += repeatElement(Self.unrated, count: missing)
    }
    let keys = table.properties.map(\.meta.key)
    let letters = Host.inParallel(rows.count) { [rows] place in
      let row = rows[place]
      let rating = scale.rate(facts.subject(row, id: table.ids[row]))
      return (
        index: rating.compound?.index ?? .nan, grade: Self.code(rating.compound),
        properties: keys.map { Self.code(rating[$0]?.grade) }
      )
    }
    for (row, letter) in zip(rows, letters) {
      index[row] = letter.index
      grades[row] = letter.grade
      for (place, code) in letter.properties.enumerated() { propertyGrades[place][row] = code }
    }
  }

  /// What the page tells of a row beside its letters.
  func detail(_ row: Int) -> Detail {
    guard let scale, let subject = table.subject(row) else {
      return row < published.count
        ? published[row] : Detail(indices: table.properties.map { _ in .nan })
    }
    let rating = scale.rate(subject)
    return Detail(
      indices: table.properties.map { rating[$0.meta.key]?.grade?.index ?? .nan },
      parts: rating.groups.map { group in
        (name: group.name, index: group.grade?.index ?? .nan, grade: Self.code(group.grade))
      },
      chances: rating.compound.map { $0.probabilities == nil ? "" : $0.text } ?? ""
    )
  }

  private static func code(_ grade: Grade?) -> UInt8 {
    grade.map { UInt8($0.letter.rawValue) } ?? unrated
  }
}
