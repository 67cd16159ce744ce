import AssayBase
import AssayHost
import AssayRecord

/// Of very many records so many are best appended at once: each append is synced, and in a large store each
/// writes a good part of the indexes again.
public let storeBatch = 16_384

/// An append-only ledger of records.
///
/// What was appended is on the disk before `append` returns, and is never changed or taken away.
public protocol RecordStore: AnyObject, Sendable {
  /// Where the records are, as it was opened.
  var url: String { get }

  /// Appends records: all of them or none.
  ///
  /// - Throws: `Diagnostic` STO…; an id that is there already is refused.
  func append(_ records: [Record]) throws

  /// The records that a query asks for, in the order in which they were appended.
  func records(_ query: RecordQuery) throws -> [Record]

  /// The number of records that a query asks for.
  func count(_ query: RecordQuery) throws -> Int

  /// Hands over the records that a query asks for, oldest first, without holding all in memory.
  func forEach(_ query: RecordQuery, _ body: (Record) throws -> Void) throws

  /// The next records after a place, oldest first, for those who follow a store.
  ///
  /// - Parameters:
  ///   - place: where the last page ended; 0 for the beginning.
  ///   - limit: the most records of a page.
  func page(after place: Int64, limit: Int) throws -> RecordPage

  /// The place of the newest record; 0 without records.
  func lastPlace() throws -> Int64

  /// The id of the record at a place; `nil` when there is none.
  func id(at place: Int64) throws -> String?

  /// Whether a record that can be seen later always has a later place.
  ///
  /// Where several may append at once, a page can pass over a record that is not yet committed: whoever
  /// follows the store then counts.
  var isInOrder: Bool { get }

  /// The comparisons in the store, oldest first.
  func sessions() throws -> [SessionInfo]

  /// The model files of which there are records.
  func models() throws -> [StoredModel]

  /// What is known of one model file, a row for each configuration.
  func summary(modelSHA256: String) throws -> [StoredSummary]
}

extension RecordStore {
  /// Every record.
  public func records() throws -> [Record] { try records(RecordQuery()) }
  /// The number of all records.
  public func count() throws -> Int { try count(RecordQuery()) }
}

/// What records are wanted; what is `nil` does not matter.
public struct RecordQuery: Sendable, Equatable {
  /// The comparison that they belong to.
  public var session: String?
  /// The SHA-256 of the measured file.
  public var modelSHA256: String?
  /// The variant's recipe.
  public var variant: String?
  /// The runtime's id.
  public var runtime: String?
  /// The device.
  public var device: String?
  /// The record's own id.
  public var id: String?
  /// At most this many, the newest.
  public var limit: Int?

  /// Asks for every record.
  public init(
    session: String? = nil,
    modelSHA256: String? = nil,
    variant: String? = nil,
    runtime: String? = nil,
    device: String? = nil,
    id: String? = nil,
    limit: Int? = nil
  ) {
    self.session = session
    self.modelSHA256 = modelSHA256
    self.variant = variant
    self.runtime = runtime
    self.device = device
    self.id = id
    self.limit = limit
  }
}

/// Records that follow one another in a store.
public struct RecordPage: Sendable {
  /// The records, oldest first.
  public var records: [Record]
  /// Where the page ends.
  public var place: Int64

  /// Makes a page.
  public init(_ records: [Record], place: Int64) {
    self.records = records
    self.place = place
  }
}

/// One comparison in a store.
public struct SessionInfo: Sendable, Equatable {
  /// Its id.
  public var id: String
  /// When its last record was finished, nanoseconds since 1970 (UTC).
  public var finishedAt: Int64
  /// The number of its records.
  public var count: Int
}

/// The store that is used when none is named: `store.sqlite` in the data folder.
public var defaultStoreURL: String { "sqlite:" + Host.join(AssayHome.path, "store.sqlite") }

/// Opens a store by its URL, and makes it if there is none.
///
/// An older layout is brought to this version's; an SQLite file is copied beside itself before.
///
/// - Parameters:
///   - url: `sqlite:PATH`, a path, or `postgres://USER@HOST/DATABASE`.
///   - mustExist: whether a file that is not there is a mistake and not a new store.
/// - Throws: `Diagnostic` STO015 (there must be one, and is none), STO001 (cannot be opened), STO002 (no store, or damaged), STO003 (written by
///   a newer version), STO004 (locked), STO008 (unknown scheme), STO010 and STO011 (no libpq, no
///   server).
public func openStore(
  _ url: String = defaultStoreURL,
  mustExist: Bool = false
) throws -> any Store {
  var path = url
  // A scheme has at least two letters, so that a file `a:b` is no scheme by accident.
  if let colon = url.firstIndex(of: ":"), !url[..<colon].contains("/"),
    url.distance(from: url.startIndex, to: colon) > 1
  {
    let scheme = url[..<colon].lowercased()
    switch scheme {
    case "sqlite": break
    case "postgres", "postgresql":
      let connection = try PostgresConnection(url: url)
      try PostgresSchema.prepare(connection)
      return SQLStore(connection)
    default:
      throw Diagnostic(
        "STO008",
        "there is no kind of store called '\(scheme)'",
        at: [url],
        remedy: "give sqlite:PATH, a path, or postgres://USER@HOST/DATABASE"
      )
    }
    path = String(url[url.index(after: colon)...])
    if path.hasPrefix("///") { path.removeFirst(2) }
  }
  guard !path.isEmpty else {
    throw Diagnostic("STO001", "the store has no path", at: [url], remedy: "give sqlite:PATH")
  }
  if !Host.exists(path) {
    guard !mustExist else {
      throw Diagnostic(
        "STO015",
        "there is no store at this path",
        at: [path],
        remedy: "check the path: what measures makes a store, what reads one does not"
      )
    }
    try Host.makeFolders(Host.folder(of: path))
  }
  let connection = try SQLiteConnection(path: path)
  try SQLiteSchema.prepare(connection)
  return SQLStore(connection)
}
