import AssayBase
import AssayFigures
import AssayHost
import AssayRecord
import AssayStore

extension Explorer {
  /// Rows that an exported site may have: its page computes everything itself.
  public static let exportLimit = 20_000
  /// Rows of which an exported site has labels: each is three files of 350 kB together.
  public static let labelLimit = 200

  /// What an exported site consists of.
  public struct Site: Sendable {
    /// Its files, labels included.
    public var fileCount = 0
    /// The rows that have a label.
    public var labelCount = 0
    /// Why rows have none, if so.
    public var withoutLabels: Diagnostic?
  }

  /// Writes a read-only explorer as plain files: the same pages, the data as JSON, the labels.
  ///
  /// The folder is written beside its place and then put there whole. Any web server can serve it.
  ///
  /// - Throws: `Diagnostic` EXP013 for more rows than a page can bear, or for a folder that is something
  ///   else.
  public func export(to folder: String) throws -> Site {
    let rated = rated
    guard rated.table.count <= Self.exportLimit else {
      throw Diagnostic(
        "EXP013",
        "\(rated.table.count) rows are more than a site without a server can show",
        remedy:
          "export fewer (at most \(Self.exportLimit)), or let others see assay serve --read-only"
      )
    }
    let mark = Host.join(folder, "data/table.json")
    if let kind = Host.kind(of: folder) {
      let isEmpty = try kind == .folder && Host.list(folder).isEmpty
      guard isEmpty || Host.exists(mark) else {
        throw Diagnostic(
          "EXP013",
          "there is something else already",
          at: [folder],
          remedy: "name a new folder, or one that was exported before"
        )
      }
    }
    let draft = "\(folder).new-\(Host.processID)"
    try Host.remove(draft)
    defer { try? Host.remove(draft) }
    for name in ["records", "labels"] { try Host.makeFolders(Host.join(draft, "data/\(name)")) }
    var site = Site()
    func write(_ bytes: [UInt8], _ name: String) throws {
      try AtomicFile.write([ByteView(bytes)], to: Host.join(draft, name))
      site.fileCount += 1
    }
    for (name, page) in ExplorerPages.all {
      let isIndex = name == "index.html"
      let hasCharts = options.plotly != nil
      try write(
        isIndex ? ExplorerPages.index(hasCharts: hasCharts, isSite: true) : page.bytes,
        name
      )
    }
    if let plotly = options.plotly {
      try write(try MappedFile(path: plotly).view.array, "plotly.min.js")
    }
    site.withoutLabels = Self.whyNoLabels(rated.table.count)
    if site.withoutLabels == nil {
      for row in 0..<rated.table.count {
        let label = try label(of: row, rated)
        for form in DrawingFormat.allCases {
          try write(try label.file(form, pixels: nil), "data/labels/\(row).\(form.rawValue)")
        }
        site.labelCount += 1
      }
    }
    try write(
      Array(siteJSON(rated, hasLabels: site.labelCount > 0).text().utf8),
      "data/table.json"
    )
    let everything = try ViewQuery(.empty, rated.table)
    try write(Array(csv(everything).utf8), "data/table.csv")
    if case .store(let store) = source {
      for record in try store.records() where !record.samples.isEmpty {
        // The id becomes a file's name: one that is no plain word stays out.
        guard record.id.utf8.allSatisfy({ Self.isPlain($0) }) else { continue }
        try write(
          Array(recordJSON(Self.withoutFolders(record)).text().utf8),
          "data/records/\(record.id).json"
        )
      }
    }
    try Host.replaceFolder(folder, with: draft)
    return site
  }

  /// Why a site of so many rows has no labels, if so.
  private static func whyNoLabels(_ count: Int) -> Diagnostic? {
    for library in DrawingLibrary.allCases {
      if case .unavailable(let reason, let remedy) = library.probe() {
        return Diagnostic("EXP015", reason, remedy: remedy)
      }
    }
    guard count > labelLimit else { return nil }
    return Diagnostic(
      "EXP015",
      "\(count) rows are more than a site has labels of (\(labelLimit))",
      remedy: "assay label makes those that are wanted"
    )
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "_"):
      true
    default: false
    }
  }

  /// The whole table as columns, from which `view.js` computes what the server would.
  private func siteJSON(_ rated: RatedTable, hasLabels: Bool) -> JSON {
    let table = rated.table
    let rows = 0..<table.count
    let details = rows.map { rated.detail($0) }
    func columns(_ values: [[Double]]) -> JSON {
      .array(values.map { .array($0.map { JSON($0) }) })
    }
    func columns(_ values: [SparseColumn]) -> JSON {
      .array(values.map { column in .array(rows.map { JSON(column[$0]) }) })
    }
    func codes(_ values: [UInt8]) -> JSON { .array(values.map { JSON(Int($0)) }) }
    return .object([
      "table": tableJSON(isStatic: true), "hasLabels": .bool(hasLabels),
      "facetValues": .array(table.facets.map { .array($0.values.map { .string($0) }) }),
      "facetCodes": .array(table.facets.map { .array($0.codes.map { JSON(Int($0)) }) }),
      "columns": columns(table.columns), "lows": columns(table.lows), "highs": columns(table.highs),
      "ids": .array(table.ids.map { .string($0) }), "grades": codes(rated.grades),
      "index": .array(rated.index.map { JSON($0) }),
      "chances": .array(details.map { .string($0.chances) }),
      "propertyGrades": .array(rated.propertyGrades.map { codes($0) }),
      "propertyIndices": columns(
        table.properties.indices.map { place in details.map { $0.indices[place] } }
      ),
      "parts": .array(
        (details.first?.parts ?? []).enumerated().map { place, part in
          .object([
            "name": .string(part.name),
            "index": .array(details.map { JSON($0.parts[place].index) }),
            "grades": codes(details.map { $0.parts[place].grade }),
          ])
        }
      ),
    ])
  }
}
