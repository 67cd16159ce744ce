import AssayBase
import CExplorerPages

/// The files of the explorer's page, compiled into the program.
enum ExplorerPages {
  // Safe because: the bytes are constants of the program.
  /// One file.
  @safe struct Page: @unchecked Sendable {
    let name: String
    private let start: UnsafePointer<UInt8>
    let count: Int

    init(_ page: CExplorerPage) {
      name = unsafe String(cString: page.name)
      unsafe start = page.bytes
      count = unsafe page.count
    }

    func withBytes<T>(_ body: (UnsafeRawBufferPointer) throws -> T) rethrows -> T {
      unsafe try body(UnsafeRawBufferPointer(start: start, count: count))
    }

    var bytes: [UInt8] { unsafe withBytes { unsafe Array($0) } }

    /// What a browser is told that it is.
    var type: String { ExplorerPages.type(of: name) }
  }

  /// All of them, by name.
  static let all: [String: Page] = {
    let pages = (0..<cexplorer_count()).map { unsafe Page(cexplorer_page($0)) }
    return Dictionary(uniqueKeysWithValues: pages.map { ($0.name, $0) })
  }()

  /// The page that loads the others; with charts their library comes while the scripts do.
  static func index(hasCharts: Bool, isSite: Bool = false) -> [UInt8] {
    guard let page = all["index.html"] else { return [] }
    var text = String(decoding: page.bytes, as: UTF8.self)
    text.replace(
      "<!--charts-->",
      with: hasCharts ? "<link rel=\"preload\" as=\"script\" href=\"plotly.min.js\">" : ""
    )
    // The mark by which the page knows that there is no server.
    if isSite { text.replace("<html ", with: "<html data-site ") }
    return Array(text.utf8)
  }

  /// The media type of a file name.
  static func type(of name: String) -> String {
    switch name.split(separator: ".").last {
    case "html": "text/html; charset=utf-8"
    case "css": "text/css; charset=utf-8"
    case "js": "text/javascript; charset=utf-8"
    case "json": "application/json"
    case "jsonl": "application/x-ndjson"
    case "md": "text/markdown; charset=utf-8"
    case "tex": "application/x-tex"
    case "svg": "image/svg+xml"
    case "png": "image/png"
    case "jpg", "jpeg": "image/jpeg"
    case "webp": "image/webp"
    case "csv": "text/csv; charset=utf-8"
    default: "application/octet-stream"
    }
  }
}
