import AssayBase
import AssayRecord

/// Which records are wanted; every condition that is set must hold.
public struct RecordQuery: Sendable, Equatable {
  /// The comparison.
  public var session: String?
  /// SHA-256 of the measured file.
  public var modelSHA256: String?
  /// The variant.
  public var variant: String?
  /// The runtime.
  public var runtime: String?
  /// At most so many, the newest; `nil` for all.
  public var limit: Int?

  /// Makes a query for all records.
  public init(
    session: String? = nil,
    modelSHA256: String? = nil,
    variant: String? = nil,
    runtime: String? = nil,
    limit: Int? = nil
  ) {
    self.session = session
    self.modelSHA256 = modelSHA256
    self.variant = variant
    self.runtime = runtime
    self.limit = limit
  }
}

/// An append-only ledger of records.
public protocol RecordStore: AnyObject {
  /// Where it is, as a user would write it.
  var url: String { get }
  /// Appends records, all or none; they are on the disk when it returns.
  ///
  /// - Throws: `Diagnostic` STO….
  func append(_ records: [Record]) throws
  /// The records that a query asks for, in order of their appending.
  ///
  /// - Throws: `Diagnostic` STO….
  func records(_ query: RecordQuery) throws -> [Record]
  /// How many records there are.
  func count() throws -> Int
}

/// Opens a store by its URL: `sqlite:PATH` or a path.
///
/// - Throws: `Diagnostic` STO001 for a URL of an unknown scheme, STO… when it cannot be opened.
public func openStore(_ url: String) throws -> any RecordStore {
  if url.hasPrefix("sqlite:") { return try SQLiteStore(path: String(url.dropFirst(7))) }
  if url.contains("://") {
    throw Diagnostic(
      "STO001",
      "stores of this kind are not known",
      at: [url],
      remedy: "give sqlite:PATH or the path of a file"
    )
  }
  return try SQLiteStore(path: url)
}
