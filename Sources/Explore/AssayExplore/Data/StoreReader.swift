import AssayBase
import AssayRecord
import AssayStore

/// How far a store has been read.
struct StoreMark: Sendable, Equatable {
  /// The place of the last record.
  var place: Int64 = 0
  /// The records up to there.
  var count = 0
}

/// Reads a store into a table, page by page: records are many, and what the explorer keeps of each is
/// little.
struct StoreReader {
  /// Records of a page.
  static let pageLimit = 2000

  private let store: any RecordStore
  private(set) var table: ExplorerTable
  private(set) var mark: StoreMark
  /// How rows are rated.
  var settings: ExplorerSettings
  /// What was rated last, and the comparisons that have other originals since.
  private var last: RatedTable?
  private var changed: Set<String> = []

  /// Reads from the beginning, into a table without rows.
  init(_ store: any RecordStore, _ table: ExplorerTable, _ settings: ExplorerSettings) {
    self.store = store
    self.table = table
    self.settings = settings
    mark = StoreMark()
  }

  /// Reads on.
  init(_ store: any RecordStore, _ rated: RatedTable, _ mark: StoreMark) {
    self.store = store
    self.mark = mark
    table = rated.table
    settings = rated.settings
    last = rated
  }

  /// Reads one page.
  ///
  /// - Returns: whether there was anything.
  mutating func readPage() throws -> Bool {
    let page = try store.page(after: mark.place, limit: Self.pageLimit)
    guard !page.records.isEmpty else { return false }
    changed.formUnion(table.append(page.records))
    mark = StoreMark(place: page.place, count: mark.count + page.records.count)
    return true
  }

  /// The table as it is now, rated.
  mutating func rated() throws -> RatedTable {
    let made = try RatedTable(table, settings, extending: last, changed: changed)
    last = made
    changed = []
    return made
  }
}
