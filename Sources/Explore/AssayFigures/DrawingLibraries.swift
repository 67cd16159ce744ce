import AssayBase
import AssayHost
import CCairo

// Safe because: function pointers of a library that is never unloaded.
extension CCairo: @unchecked @retroactive Sendable {}
extension CQREncode: @unchecked @retroactive Sendable {}

/// The libraries that labels and figures are drawn with, each opened when it is first needed.
public enum DrawingLibrary: String, Sendable, CaseIterable {
  /// Draws SVG, PDF and PNG.
  case cairo
  /// Computes QR codes.
  case qrencode

  /// Whether it can be used.
  public func probe() -> Availability {
    switch self {
    case .cairo:
      Self.cairoTable.availability { table in
        unsafe table.version_string().map { unsafe String(cString: $0) } ?? "unknown"
      }
    case .qrencode:
      Self.qrencodeTable.availability { table in
        unsafe table.version_string().map { unsafe String(cString: $0) } ?? "unknown"
      }
    }
  }

  static let cairoTable: Result<CCairo, Diagnostic> = unsafe load(
    ["libcairo.so.2", "libcairo.2.dylib"],
    ccairo_names(),
    CCairo(),
    "FIG001",
    "Cairo, which draws labels and figures, is missing",
    "libcairo2"
  )

  static let qrencodeTable: Result<CQREncode, Diagnostic> = unsafe load(
    ["libqrencode.so.4", "libqrencode.4.dylib"],
    cqrencode_names(),
    CQREncode(),
    "FIG002",
    "libqrencode, which computes QR codes, is missing",
    "libqrencode4"
  )

  private static func load<Table: BitwiseCopyable>(
    _ names: [String],
    _ symbols: UnsafePointer<CChar>,
    _ empty: Table,
    _ code: String,
    _ words: String,
    _ package: String
  ) -> Result<Table, Diagnostic> {
    var causes: [String] = []
    for name in names {
      do {
        let library = try SharedLibrary(path: name)
        var table = empty
        let missing = unsafe library.fill(&table, names: symbols)
        if missing.isEmpty { return .success(table) }
        causes.append("\(name) has no \(missing.joined(separator: ", "))")
      } catch {
        causes.append((error as? Diagnostic)?.cause ?? "\(error)")
      }
    }
    return .failure(
      Diagnostic(
        code,
        words,
        remedy: "apt-get install \(package)",
        cause: causes.joined(separator: "; ")
      )
    )
  }
}

extension Result where Failure == Diagnostic {
  fileprivate func availability(_ version: (Success) -> String) -> Availability {
    switch self {
    case .success(let table): .available(version: version(table))
    case .failure(let error):
      Availability(unavailableBecauseOf: error, remedy: "")
    }
  }
}

/// A QR code: rows of modules, `true` for dark ones.
struct QRCode {
  var modules: [[Bool]]

  /// The code of a text, at the second level of error correction (15 % of it may be unreadable).
  ///
  /// - Throws: `Diagnostic` FIG002 without the library, FIG003 for a text that is too long.
  init(_ text: String) throws {
    let table = try DrawingLibrary.qrencodeTable.get()
    guard let code = unsafe table.encode_string8bit(text, 0, Int32(CQRENCODE_LEVEL_M)) else {
      throw Diagnostic(
        "FIG003",
        "a text of \(text.utf8.count) bytes fits no QR code",
        remedy: "a shorter --url"
      )
    }
    defer { unsafe table.free(code) }
    let width = unsafe Int(code.pointee.width)
    guard width > 0, let data = unsafe code.pointee.data else {
      throw Diagnostic("FIG003", "libqrencode gave an empty code")
    }
    modules = (0..<width).map { row in
      (0..<width).map { column in unsafe data[row * width + column] & 1 == 1 }
    }
  }
}
