import AssayBase
import AssayCodec
import AssayHost

/// A file that can be downloaded.
public struct DownloadFile: Sendable, Equatable {
  /// Its name on this machine.
  public var name: String
  /// Where it comes from: `https`, or `http` from this machine itself.
  public var url: String
  /// Its SHA-256; `nil` where nobody who wrote the table has seen the file.
  public var sha256: String?
  /// Its MD5 as its publisher gives it, which shows damage and not forgery.
  public var md5: String?
  /// Its size.
  public var byteCount: Int?

  /// Makes a file.
  public init(
    name: String,
    url: String,
    sha256: String? = nil,
    md5: String? = nil,
    byteCount: Int? = nil
  ) {
    self.name = name
    self.url = url
    self.sha256 = sha256
    self.md5 = md5
    self.byteCount = byteCount
  }
}

/// One entry of a table of downloads: files that belong together, such as a model and its compiled twin.
public struct DownloadEntry: Sendable, Equatable {
  /// What `assay zoo fetch` calls it.
  public var name: String
  /// What it is, in a few words.
  public var summary: String
  /// The licence as its publisher states it.
  public var license: String
  /// Who publishes it: a page that people can read.
  public var source: String
  /// The network of the zoo that these are weights of; `nil` for models.
  public var network: String?
  /// What else `assay zoo build` is to be told: `--no-top`, `--size 160`; empty for nothing.
  public var buildOptions: String
  /// The files.
  public var files: [DownloadFile]

  /// Makes an entry.
  public init(
    name: String,
    summary: String,
    license: String,
    source: String,
    network: String? = nil,
    buildOptions: String = "",
    files: [DownloadFile]
  ) {
    self.name = name
    self.summary = summary
    self.license = license
    self.source = source
    self.network = network
    self.buildOptions = buildOptions
    self.files = files
  }
}

/// What can be downloaded: data, so that a user's own table can stand beside the one of this package.
public struct DownloadTable: Sendable, Equatable {
  /// The entries, in order.
  public private(set) var entries: [DownloadEntry]

  private static let schema = "assay.downloads/1"

  /// The table of this package.
  public static let published: DownloadTable = {
    do {
      return try DownloadTable(json: JSON(parsing: PackageResources.downloads_json))
    } catch {
      preconditionFailure("the table of downloads is broken: \(error)")
    }
  }()

  /// Makes a table.
  public init(_ entries: [DownloadEntry]) { self.entries = entries }

  /// Reads a user's table, JSON or YAML.
  ///
  /// - Throws: `Diagnostic` FET010 for a table that is not one, with the entry and what is wrong;
  ///   FIL… when it cannot be opened.
  public init(path: String) throws {
    self = try locating(path) {
      guard let text = try MappedFile(path: path).view.utf8 else {
        throw Diagnostic("FET010", "the table is not text (UTF-8)")
      }
      let isJSON = text.first { !$0.isWhitespace } == "{"
      return try DownloadTable(json: isJSON ? JSON(parsing: text) : YAML.read(text))
    }
  }

  /// Reads a table.
  ///
  /// - Throws: `Diagnostic` FET010.
  public init(json: JSON) throws {
    guard json["schema"]?.string == DownloadTable.schema, let rows = json["downloads"]?.array else {
      throw Diagnostic(
        "FET010",
        "this is no table of downloads",
        remedy: "it begins with \"schema\": \"\(DownloadTable.schema)\" and has \"downloads\""
      )
    }
    let groups = json["groups"]
    entries = try rows.enumerated().map { index, row in
      let place = row["name"]?.string.map { "entry '\($0)'" } ?? "entry \(index + 1)"
      return try locating(place) { try DownloadEntry(json: row, groups: groups) }
    }
    var seen: Set<String> = []
    for entry in entries where !seen.insert(entry.name).inserted {
      throw Diagnostic("FET010", "the table has two entries '\(entry.name)'")
    }
  }

  /// The table with the entries of another one; where both have a name, those of the other one count.
  public func extended(by other: DownloadTable) -> DownloadTable {
    let names = Set(other.entries.map(\.name))
    return DownloadTable(entries.filter { !names.contains($0.name) } + other.entries)
  }

  /// The entry of a name; case does not count, and the part behind the last slash will do where it is
  /// the only one.
  ///
  /// - Throws: `Diagnostic` FET011, with the names that are near.
  public func entry(named name: String) throws -> DownloadEntry {
    let wanted = name.lowercased()
    if let entry = entries.first(where: { $0.name.lowercased() == wanted }) { return entry }
    let short = entries.filter { $0.name.lowercased().hasSuffix("/" + wanted) }
    if short.count == 1 { return short[0] }
    let near = short.isEmpty ? entries.filter { $0.name.lowercased().contains(wanted) } : short
    let remedy =
      near.isEmpty
      ? nearest(to: name, among: entries.map(\.name)).map { "did you mean '\($0)'?" }
        ?? "'assay zoo fetch --list' shows them all"
      : "there is " + near.prefix(6).map { "'\($0.name)'" }.joined(separator: ", ")
        + (near.count > 6 ? ", …" : "")
    throw Diagnostic("FET011", "there is no download '\(name)'", remedy: remedy)
  }

  /// The table as data.
  public var json: JSON {
    .object([
      "schema": .string(DownloadTable.schema), "downloads": .array(entries.map(\.json)),
    ])
  }
}

extension DownloadEntry {
  /// What an entry shares with others of its group may stand in the group.
  fileprivate init(json: JSON, groups: JSON?) throws {
    func fault(_ what: String) -> Diagnostic { Diagnostic("FET010", what) }
    let group = json["group"]?.string.flatMap { groups?[$0] }
    func text(_ key: String) -> String? { json[key]?.string ?? group?[key]?.string }
    guard let name = json["name"]?.string, !name.isEmpty else { throw fault("it has no name") }
    guard let license = text("license"), !license.isEmpty else {
      throw fault("it has no license: what a user may do with it has to be said")
    }
    guard let source = text("source") else { throw fault("it has no source") }
    let base = text("base") ?? ""
    let rows = json["files"]?.array ?? []
    guard !rows.isEmpty else { throw fault("it has no files") }
    self.init(
      name: name,
      summary: text("summary") ?? "",
      license: license,
      source: source,
      network: json["network"]?.string,
      buildOptions: json["options"]?.string ?? "",
      files: try rows.map { try DownloadFile(json: $0, base: base) }
    )
  }

  /// The entry as data.
  public var json: JSON {
    var json = JSON.object([
      "name": .string(name), "summary": .string(summary), "license": .string(license),
      "source": .string(source),
    ])
    if let network { json["network"] = .string(network) }
    if !buildOptions.isEmpty { json["options"] = .string(buildOptions) }
    json["files"] = .array(files.map(\.json))
    return json
  }
}

extension DownloadFile {
  fileprivate init(json: JSON, base: String) throws {
    func fault(_ what: String) -> Diagnostic { Diagnostic("FET010", what) }
    guard let path = json["url"]?.string else { throw fault("a file has no url") }
    let url = path.contains("://") ? path : base + path
    let name = json["name"]?.string ?? Host.name(of: String(url.prefix { $0 != "?" }))
    guard !name.isEmpty, name != ".", name != "..", !name.contains("/"), !name.contains("\0") else {
      throw fault("'\(name)' is no name of a file")
    }
    guard DownloadFile.isAllowed(url) else {
      throw fault("'\(url)' is not https")
    }
    let sha256 = json["sha256"]?.string?.lowercased()
    let md5 = json["md5"]?.string?.lowercased()
    for (digest, count) in [(sha256, 64), (md5, 32)] {
      guard let digest else { continue }
      guard digest.count == count, digest.allSatisfy(\.isHexDigit) else {
        throw fault("'\(digest)' is no hash of \(count) hexadecimal digits")
      }
    }
    let bytes = json["bytes"]?.int
    guard bytes.map({ $0 > 0 }) ?? true else { throw fault("a file has no bytes") }
    self.init(name: name, url: url, sha256: sha256, md5: md5, byteCount: bytes)
  }

  /// Whether a URL's content cannot be changed on its way, or does not leave the machine.
  static func isAllowed(_ url: String) -> Bool {
    if url.hasPrefix("https://") { return true }
    guard url.hasPrefix("http://") else { return false }
    let authority = url.dropFirst("http://".count).prefix { $0 != "/" }
    let host =
      authority.hasPrefix("[")
      ? authority.prefix { $0 != "]" } + "]" : authority.prefix { $0 != ":" }
    return ["127.0.0.1", "localhost", "[::1]"].contains(String(host))
  }

  fileprivate var json: JSON {
    var json = JSON.object(["name": .string(name), "url": .string(url)])
    if let sha256 { json["sha256"] = .string(sha256) }
    if let md5 { json["md5"] = .string(md5) }
    if let byteCount { json["bytes"] = JSON(byteCount) }
    return json
  }
}
