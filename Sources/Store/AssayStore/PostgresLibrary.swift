import AssayBase
import AssayHost
import CPostgres

// Safe because: the table is filled once and never changes.
/// libpq's functions, loaded on first use.
@safe final class PostgresLibrary: @unchecked Sendable {
  let table: CPGTable

  static let shared: Result<PostgresLibrary, Diagnostic> = {
    for name in ["libpq.so.5", "libpq.5.dylib"] {
      if let library = try? SharedLibrary(path: name), let found = try? PostgresLibrary(library) {
        return .success(found)
      }
    }
    return .failure(
      Diagnostic(
        "STO010",
        "libpq, through which PostgreSQL is reached, is not installed",
        remedy: "install Debian's libpq5, or use an SQLite store"
      )
    )
  }()

  private init(_ library: SharedLibrary) throws {
    var table = CPGTable()
    guard unsafe library.fill(&table, names: cpg_names()).isEmpty else {
      throw Diagnostic("STO010", "this libpq lacks functions that are needed")
    }
    self.table = table
  }

  /// The library's version, such as `15.18`.
  var version: String {
    let number = Int(table.PQlibVersion())
    return "\(number / 10_000).\(number % 10_000)"
  }
}

/// Stores that this machine can open.
public enum StoreProbe {
  /// Whether PostgreSQL stores can be opened: libpq is there.
  ///
  /// It says nothing of a server.
  public static func postgres() -> Availability {
    switch PostgresLibrary.shared {
    case .success(let library): .available(version: "libpq \(library.version)")
    case .failure(let fault):
      Availability(unavailableBecauseOf: fault)
    }
  }

  /// SQLite is linked: it is always there.
  public static func sqlite() -> Availability { .available(version: SQLiteConnection.version) }
}
