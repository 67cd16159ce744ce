import AssayBase

/// A value of a column.
enum SQLValue: Sendable, Equatable {
  case null
  case integer(Int64)
  case real(Double)
  case text(String)

  /// The text, when this is one.
  var text: String? {
    if case .text(let value) = self { value } else { nil }
  }

  /// The whole number, when this is one.
  var integer: Int64? {
    if case .integer(let value) = self { value } else { nil }
  }

  /// The number, when this is one.
  var double: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .real(let value): value
    case .null, .text: nil
    }
  }

  /// A whole number or nothing.
  init(_ value: (some BinaryInteger)?) { self = value.map { .integer(Int64($0)) } ?? .null }
  /// A text or nothing.
  init(_ value: String?) { self = value.map { .text($0) } ?? .null }
}

/// What differs between the languages of databases.
enum SQLDialect: Sendable {
  case sqlite, postgres

  /// The end of a query whose row the transaction takes for itself.
  ///
  /// Others pass by rows that are taken. SQLite has one writer at a time, so that every row is its own.
  var takingRow: String { self == .postgres ? " FOR UPDATE SKIP LOCKED" : "" }
}

/// A connection to a database, used by one thread at a time.
///
/// Values stand in statements as `$1`, `$2`, …, first used in that order.
protocol SQLDatabase: AnyObject {
  /// Where it is, without secrets.
  var url: String { get }
  /// Its language.
  var dialect: SQLDialect { get }

  /// Runs one statement and hands over its rows one by one.
  func forEachRow(_ sql: String, _ values: [SQLValue], _ body: ([SQLValue]) throws -> Void) throws

  /// Runs `body` in a transaction; what it throws undoes its changes. Acknowledged is synced.
  func transaction<T>(_ body: () throws -> T) throws -> T
}

extension SQLDatabase {
  /// Runs one statement and gives its rows.
  @discardableResult
  func run(_ sql: String, _ values: [SQLValue] = []) throws -> [[SQLValue]] {
    var rows: [[SQLValue]] = []
    try forEachRow(sql, values) { rows.append($0) }
    return rows
  }
}
