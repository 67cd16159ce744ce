import AssayBase
import AssayFigures
import AssayRate
import AssayRecord
import AssayReport
import AssayStatistics
import AssayStore

/// What can be taken along: labels, comparisons, samples and records.
extension Explorer {
  /// Records of a comparison that is written as a page or table.
  static let comparisonLimit = 500

  /// A file that is answered.
  struct Download {
    var name: String
    var type: String
    var bytes: [UInt8]
  }

  /// The row that a request names by `id` or `row`.
  private func row(_ request: HTTPRequest, _ table: ExplorerTable) throws -> Int {
    if let id = request["id"], !id.isEmpty {
      if let row = table.ids.lastIndex(of: id) { return row }
      throw Diagnostic("EXP005", "there is no record '\(Words.printable(id))'")
    }
    guard let row = request["row"].flatMap({ Int($0) }), (0..<table.count).contains(row) else {
      throw Diagnostic("EXP005", "there is no such row")
    }
    return row
  }

  // MARK: Labels

  /// The energy label of a row, graded as the page shows it now.
  func label(_ request: HTTPRequest) throws -> Download {
    let rated = rated
    let row = try row(request, rated.table)
    let word = request["format"] ?? "svg"
    guard let format = DrawingFormat(rawValue: word) else {
      throw Diagnostic("EXP011", "a label is svg, pdf or png")
    }
    let pixels = request["width"].flatMap { Int($0) }.map { min(max($0, 90), 4000) }
    let label = try label(of: row, rated)
    let facets = rated.table.facets
    return Download(
      name: "energy-label-\(Self.plain(facets[0][row]))-\(Self.plain(facets[1][row])).\(word)",
      type: format == .pdf ? "application/pdf" : ExplorerPages.type(of: "label.\(word)"),
      bytes: try label.file(format, pixels: format == .png ? pixels : nil)
    )
  }

  func label(of row: Int, _ rated: RatedTable) throws -> EnergyLabel {
    let table = rated.table
    if let name = rated.settings.scale, let subject = table.subject(row),
      let record = try record(table.ids[row])
    {
      let scale = try rated.settings.ratingScale(name)
      return EnergyLabel(record, rating: scale.rate(subject), scale: scale)
    }
    return publishedLabel(row, rated)
  }

  /// The label of a row that a published method rates: the four heaviest properties that it has.
  private func publishedLabel(_ row: Int, _ rated: RatedTable) -> EnergyLabel {
    let table = rated.table
    let weights = rated.settings.method.weights
    func weight(_ place: Int) -> Double {
      let meta = table.properties[place].meta
      return weights[meta.key] ?? meta.weight ?? 0
    }
    let there = table.properties.indices.filter { !table.columns[$0][row].isNaN }
    let shown = there.sorted { (weight($0), $1) > (weight($1), $0) }.prefix(4)
    let figures = shown.map { place in
      let meta = table.properties[place].meta
      let isOurs = !table.ids[row].isEmpty || meta.provenance == .measured
      return EnergyLabel.Figure(
        meta.name,
        value: Self.text(table.columns[place][row], unit: meta.unit),
        letter: Letter(rawValue: Int(rated.propertyGrades[place][row])),
        isMeasured: isOurs,
        note: isOurs ? "measured" : meta.provenance.rawValue
      )
    }
    let index = rated.index[row]
    let (model, environment) = (table.facets[0][row], table.facets[1][row])
    let detail = [table.facets[2][row], table.facets[3][row]].filter { $0 != "unknown" }
    let source: String
    if case .table(_, let name) = self.source { source = name } else { source = table.ids[row] }
    let id = table.ids[row]
    return EnergyLabel(
      model: model,
      detail: detail.joined(separator: " · "),
      device: environment,
      runtime: table.facets[5][row] == environment ? "" : table.facets[5][row],
      letter: Letter(rawValue: Int(rated.grades[row])),
      certainty: index.isNaN ? "not rated" : "index \(Words.fixed(index, 3))",
      figures: figures,
      lines: [
        "from \(source)",
        "method \(rated.settings.method.kind.rawValue), index \(rated.settings.method.index.rawValue)",
        "among its task, data and environment", "row \(row + 1)",
      ],
      link: "assay:\(id.isEmpty ? "row-\(row + 1)" : id)?source=\(Self.plain(source))"
    )
  }

  /// A value with its unit, as people read it.
  static func text(_ value: Double, unit: String) -> String {
    func scaled(_ unit: Scale.Unit) -> String {
      Scale.Property("", group: "", unit: unit, comparison: .less).text(value)
    }
    switch unit {
    case "seconds": return scaled(.seconds)
    case "joules": return scaled(.joules)
    case "wattseconds": return scaled(.joules).replacing("J", with: "Ws")
    case "bytes": return scaled(.bytes)
    // Published tables say percent and give fractions.
    case "percent", "fraction": return scaled(.fraction)
    case "watts": return Words.significant(value) + " W"
    default: return scaled(.number)
    }
  }

  /// A word of a file's name.
  static func plain(_ text: String) -> String {
    let word = String(
      text.unicodeScalars.prefix(60).map { scalar in
        scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
          || scalar == "." || scalar == "_" ? Character(scalar) : "-"
      }
    )
    return word.isEmpty ? "unnamed" : word
  }

  // MARK: Differences

  /// Two records side by side: whether one is faster beyond doubt, and what could have been missed.
  func difference(_ request: HTTPRequest) throws -> JSON {
    func side(_ name: String) throws -> DifferenceReport.Side {
      guard let id = request[name], let record = try record(id) else {
        throw Diagnostic("EXP005", "there is no record '\(Words.printable(request[name] ?? ""))'")
      }
      return .init(
        name: "\(ExplorerTable.modelName(record)) on \(record.runtime)",
        record: record
      )
    }
    let percentile = request["percentile"].flatMap { Percentile($0) } ?? .p50
    let report = DifferenceReport(try side("a"), try side("b"), percentile: percentile)
    var json = report.json
    json["a"] = nil
    json["b"] = nil
    json["rows"] = .array(
      DifferenceReport.rows.map {
        .array([
          .string($0.name), .string($0.value(report.a.record)), .string($0.value(report.b.record)),
        ])
      }
    )
    return json
  }

  // MARK: Samples and records

  /// The raw samples of a record as a CSV, one line for each inference.
  func samples(_ request: HTTPRequest) throws -> Download {
    guard let id = request["id"], let record = try record(id) else {
      throw Diagnostic("EXP005", "there is no record '\(Words.printable(request["id"] ?? ""))'")
    }
    var text = "round,sample,latency_ns\n"
    var (round, left) = (0, record.rounds.first ?? 0)
    for (place, sample) in record.samples.enumerated() {
      while left == 0, round + 1 < record.rounds.count {
        round += 1
        left = record.rounds[round]
      }
      left -= 1
      text += "\(round + 1),\(place + 1),\(sample)\n"
    }
    return Download(
      name: "assay-samples-\(Self.plain(record.id)).csv",
      type: ExplorerPages.type(of: "samples.csv"),
      bytes: Array(text.utf8)
    )
  }

  /// The records of the filtered rows as a comparison: a page, a table, or the records themselves.
  func comparison(_ request: HTTPRequest) throws -> Download {
    let rated = rated
    let query = try ViewQuery(request, rated.table)
    let word = request["format"] ?? "html"
    guard ["html", "md", "tex", "pdf", "jsonl"].contains(word) else {
      throw Diagnostic("EXP011", "a comparison is html, md, tex, pdf or jsonl")
    }
    guard case .store(let store) = source else {
      throw Diagnostic(
        "EXP005",
        "a published table has no records",
        remedy: "download its rows as CSV"
      )
    }
    let rows = View(rated, query).chosen
    guard rows.count <= Self.comparisonLimit else {
      throw Diagnostic(
        "EXP011",
        "\(rows.count) records are too many for one comparison",
        remedy: "filter down to \(Self.comparisonLimit)"
      )
    }
    let wanted = Set(rows.map { rated.table.ids[Int($0)] })
    // An id begins with its comparison's.
    let sessions = Set(wanted.map { id in id.lastIndex(of: "-").map { String(id[..<$0]) } ?? id })
    var found: [Record] = []
    for session in sessions.sorted() {
      found += try store.records(RecordQuery(session: session)).filter { wanted.contains($0.id) }
    }
    for id in wanted.subtracting(found.map(\.id)).sorted() {
      found += try store.records(RecordQuery(id: id))
    }
    var redactor = Redactor()
    let records = try found.map { try redactor.redacted($0) }
    func download(_ text: String) -> Download {
      Download(
        name: "assay-comparison.\(word)",
        type: ExplorerPages.type(of: "comparison.\(word)"),
        bytes: Array(text.utf8)
      )
    }
    if word == "jsonl" { return download(records.map { $0.json.text() + "\n" }.joined()) }
    guard let first = records.first else {
      throw Diagnostic("EXP005", "no record is left", remedy: "loosen the filters")
    }
    let original = records.first { ["float32", "original"].contains($0.variant) } ?? first
    var report = ComparisonReport(
      original: ComparisonReport.Original(
        path: Subject.name(original),
        sha256: original.model.sha256,
        byteCount: original.model.byteCount
      ),
      records: records
    )
    report.version = options.version
    switch word {
    case "md": return download(renderMarkdown(report))
    case "tex": return download(renderLaTeX(report))
    case "pdf":
      return Download(
        name: "assay-comparison.pdf",
        type: "application/pdf",
        bytes: try comparisonSheet(report, .pdf)
      )
    default: return download(renderReport(report))
    }
  }
}
