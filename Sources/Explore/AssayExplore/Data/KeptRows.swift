import AssayBase
import AssayHost
import AssayRate
import AssayStore

/// The rows of a store as a file: what reading a million records gives, to be had again in a second.
///
/// It is a cache: one that is of another version, another store or damaged is not read, and made anew.
/// A store is only appended to, so that rows which were right stay right.
struct KeptRows: Sendable {
  private static let schema = "assay.explorer-rows/1"

  let path: String
  private let url: String
  private let settings: ExplorerSettings

  /// - Parameter settings: how the rows are rated; those rated otherwise are not kept.
  init(folder: String, _ url: String, _ settings: ExplorerSettings) {
    path = Host.join(folder, "\(sha256(url).prefix(16)).rows")
    self.url = url
    self.settings = settings
  }

  /// What must be equal for a file to be of use.
  private func title(_ scale: Scale) -> JSON {
    .object([
      "schema": .string(Self.schema), "url": .string(url), "settings": settings.json,
      "scale": .string(scale.title),
      "properties": .array(ExplorerTable.ofRecords.properties.map { .string($0.meta.key) }),
    ])
  }

  // MARK: Writing

  func write(_ rated: RatedTable, _ mark: StoreMark, of store: any RecordStore) throws {
    let table = rated.table
    guard rated.settings == settings, let name = settings.scale, let facts = table.facts,
      let id = try store.id(at: mark.place)
    else { return }
    var out = RowWriter()
    out.put([title(try settings.ratingScale(name)).text(), id])
    out.put([mark.place, Int64(mark.count), Int64(table.count)])
    out.put(table.ids)
    for facet in table.facets {
      out.put(facet.values)
      out.put(facet.codes)
    }
    for column in table.columns { out.put(column) }
    for column in table.lows + table.highs { out.put(column.values) }
    out.put(facts.words.words)
    for codes in facts.codes { out.put(codes) }
    out.put(facts.isOriginal.map { UInt8($0 ? 1 : 0) })
    let keys = facts.figures.keys.sorted()
    out.put(keys)
    for key in keys { out.put(facts.figures[key] ?? []) }
    let sessions = facts.originals.sessions.sorted { $0.key < $1.key }
    out.put(sessions.map(\.key))
    out.put(sessions.map { UInt32($0.value.count) })
    let entries = sessions.flatMap(\.value)
    out.put(entries.map(\.likeness))
    for key in keys { out.put(entries.map { $0.figures[key] }) }
    out.put(rated.index)
    out.put(rated.grades)
    for letters in rated.propertyGrades { out.put(letters) }
    try Host.makeFolders(Host.folder(of: path))
    try AtomicFile.write(out.finish(), to: path)
  }

  // MARK: Reading

  /// The rows that are kept of a store, and how far they go; `nil` when there are none of use.
  func read(of store: any RecordStore) -> (rated: RatedTable, mark: StoreMark)? {
    guard let name = settings.scale, Host.exists(path),
      let scale = try? settings.ratingScale(name),
      let file = try? MappedFile(path: path), var input = RowReader(file.view)
    else { return nil }
    do {
      let head = try input.texts()
      guard head.count == 2, head[0] == title(scale).text() else { return nil }
      let marks = try input.numbers(Int64.self)
      guard marks.count == 3, let rows = Int(exactly: marks[2]), let read = Int(exactly: marks[1])
      else { return nil }
      let mark = StoreMark(place: marks[0], count: read)
      // Another store in the place of the one that was read has another record there.
      guard try store.id(at: mark.place) == head[1] else { return nil }
      return (try rated(&input, rows, scale), mark)
    } catch {
      return nil
    }
  }

  private func rated(_ input: inout RowReader, _ rows: Int, _ scale: Scale) throws -> RatedTable {
    let empty = ExplorerTable.ofRecords
    let ids = try input.texts(rows)
    let facets = try empty.facets.map { facet in
      let values = try input.texts()
      guard Set(values).count == values.count else { throw RowReader.Damage() }
      let codes = try input.codes(rows, below: values.count)
      return ExplorerTable.Facet(facet.key, facet.name, values: values, codes: codes)
    }
    let columns = try empty.columns.map { _ in try input.numbers(Double.self, rows) }
    func sparse() throws -> [SparseColumn] {
      try columns.map { _ in SparseColumn(try input.numbers(Double.self, atMost: rows), count: rows)
      }
    }
    let (lows, highs) = (try sparse(), try sparse())
    var facts = RatingFacts()
    let words = try input.texts()
    facts.words = WordList(words)
    guard facts.words.words.count == words.count else { throw RowReader.Damage() }
    facts.codes = try facts.codes.map { _ in try input.codes(rows, below: words.count) }
    facts.isOriginal = try input.numbers(UInt8.self, rows).map { $0 == 1 }
    let keys = try input.texts()
    for key in keys { facts.figures[key] = try input.figures(rows) }
    facts.originals = try originals(&input, keys)
    let index = try input.numbers(Double.self, rows)
    let letters = RatedTable.letters.count
    let grades = try input.letters(rows, below: letters)
    let propertyGrades = try columns.map { _ in try input.letters(rows, below: letters) }
    return RatedTable(
      ExplorerTable(
        properties: empty.properties,
        facets: facets,
        columns: columns,
        lows: lows,
        highs: highs,
        ids: ids,
        facts: facts
      ),
      settings,
      scale: scale,
      index: index,
      grades: grades,
      propertyGrades: propertyGrades
    )
  }

  private func originals(_ input: inout RowReader, _ keys: [String]) throws -> Originals {
    let names = try input.texts()
    let counts = try input.numbers(UInt32.self, names.count)
    let likenesses = try input.texts()
    guard counts.reduce(0, { $0 + Int($1) }) == likenesses.count else { throw RowReader.Damage() }
    let figures = try keys.map { _ in try input.figures(likenesses.count) }
    var sessions: [String: [Originals.Entry]] = [:]
    var next = 0
    for (name, count) in zip(names, counts) {
      sessions[name] = (next..<next + Int(count)).map { place in
        var values: [String: Measured] = [:]
        for (key, column) in zip(keys, figures) { values[key] = column[place] }
        return Originals.Entry(likeness: likenesses[place], figures: values)
      }
      next += Int(count)
    }
    return Originals(sessions: sessions)
  }
}
