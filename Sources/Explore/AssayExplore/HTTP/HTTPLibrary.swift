import AssayBase
import AssayHost
import CMicroHTTPD

// Safe because: the table is filled once and never changes.
/// libmicrohttpd's functions, loaded on first use.
@safe final class HTTPLibrary: @unchecked Sendable {
  let table: CMHDTable

  static let shared: Result<HTTPLibrary, Diagnostic> = {
    for name in ["libmicrohttpd.so.12", "libmicrohttpd.12.dylib", "libmicrohttpd.dylib"] {
      if let library = try? SharedLibrary(path: name), let found = try? HTTPLibrary(library) {
        return .success(found)
      }
    }
    return .failure(
      Diagnostic(
        "EXP001",
        "libmicrohttpd is not installed, and the explorer is served by it",
        remedy: "install Debian's libmicrohttpd12 (make setup)"
      )
    )
  }()

  private init(_ library: SharedLibrary) throws {
    var table = unsafe CMHDTable()
    guard unsafe library.fill(&table, names: cmhd_names()).isEmpty else {
      throw Diagnostic("EXP001", "this libmicrohttpd lacks functions that are needed")
    }
    unsafe self.table = table
  }

  /// Whether the library can be used here.
  static func probe() -> Availability {
    switch shared {
    case .success(let library):
      let words = unsafe library.table.MHD_get_version()
      return .available(version: unsafe words.map { unsafe String(cString: $0) } ?? "0.9")
    case .failure(let error):
      return Availability(unavailableBecauseOf: error)
    }
  }
}

extension Explorer {
  /// The installed chart library: the newest below `assets/plotly` in Assay's home; `nil` without one.
  public static var chartLibrary: String? {
    let folder = Host.join(AssayHome.path, "assets/plotly")
    let versions = (try? Host.list(folder)) ?? []
    return versions.reversed().map { Host.join(folder, $0 + "/plotly.min.js") }
      .first { Host.kind(of: $0) == .file }
  }

  /// Whether drawings can be shown on the page.
  public static func probeCharts() -> Availability {
    guard let path = chartLibrary else {
      return .unavailable(
        reason: "Plotly is not below \(Host.join(AssayHome.path, "assets"))",
        remedy: "scripts/setup fetches it, pinned by hash; without it tables stand alone"
      )
    }
    return .available(version: Host.name(of: Host.folder(of: path)))
  }
}
