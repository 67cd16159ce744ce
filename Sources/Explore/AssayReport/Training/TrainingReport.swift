import AssayBase

/// What a page about a training shows.
public struct TrainingReport: Sendable {
  /// A table of figures with words above it.
  public struct Table: Sendable {
    /// Its heading.
    public var title: String
    /// A sentence under the heading.
    public var lead: String
    /// The headings of its columns.
    public var header: [String]
    /// Its rows, as long as the header.
    public var rows: [[String]]
    /// Columns that hold numbers.
    public var numeric: Set<Int>

    /// Makes a table.
    public init(
      title: String,
      lead: String = "",
      header: [String],
      rows: [[String]],
      numeric: Set<Int> = []
    ) {
      self.title = title
      self.lead = lead
      self.header = header
      self.rows = rows
      self.numeric = numeric
    }
  }

  /// The name of what was trained.
  public var name: String
  /// The answer in one sentence.
  public var headline: String
  /// Short facts under the name.
  public var facts: [String]
  /// What should be known with the answer.
  public var details: [String]
  /// How training went.
  public var history: TrainingHistory
  /// Tables, in order.
  public var tables: [Table]
  /// How it was made: words and values.
  public var method: [(key: String, value: String)]
  /// The version of Assay.
  public var version: String
  /// When it was made, in nanoseconds since 1970.
  public var madeAt: Int64

  /// Makes a report.
  public init(
    name: String,
    headline: String,
    facts: [String] = [],
    details: [String] = [],
    history: TrainingHistory,
    tables: [Table] = [],
    method: [(key: String, value: String)] = [],
    version: String,
    madeAt: Int64
  ) {
    self.name = name
    self.headline = headline
    self.facts = facts
    self.details = details
    self.history = history
    self.tables = tables
    self.method = method
    self.version = version
    self.madeAt = madeAt
  }
}

/// The report as one HTML page that needs no network and no other file.
public func renderTraining(_ report: TrainingReport) -> String {
  let facts = report.facts.joined(separator: " · ")
  let details = report.details.map { detail -> Markup in "<li>\(detail)</li>" }
  let tables = report.tables.map { table -> Markup in
    let lead: Markup = table.lead.isEmpty ? "" : "<p class=\"lead\">\(table.lead)</p>"
    return "<section><h2>\(table.title)</h2>\(lead)\(markup(table))</section>"
  }
  let method = report.method.map { key, value -> Markup in "<dt>\(key)</dt><dd>\(value)</dd>" }
  let curves = TrainingCurves(report.history).markup
  let page: Markup = """
    \(Page.head("\(report.name): training", style: Page.style + TrainingCurves.style))
    <body>
    <header>
    <p class="brand"><b>assay</b> \(report.version) <span>\(Words.moment(report.madeAt))</span></p>
    <h1>\(report.name)</h1>
    <p class="facts">\(facts)</p>
    </header>
    <main>
    <section class="answer"><p class="eyebrow">Result</p><h2>\(report.headline)</h2>\
    <ul>\(details)</ul></section>
    \(tables)
    \(curves)
    <section><h2>How this was trained</h2><dl class="pairs">\(method)</dl></section>
    </main>
    <footer><p>Made by assay \(report.version).</p></footer>
    <script>\(Page.script)</script>
    </body>
    </html>

    """
  return page.text
}

private func markup(_ table: TrainingReport.Table) -> Markup {
  func kind(_ column: Int) -> Markup { table.numeric.contains(column) ? " class=\"n\"" : "" }
  let heads = table.header.enumerated().map { index, text -> Markup in
    "<th scope=\"col\"\(kind(index))>\(text)</th>"
  }
  let rows = table.rows.map { row -> Markup in
    let cells = row.enumerated().map { index, text -> Markup in
      index == 0 ? "<td\(kind(index))><b>\(text)</b></td>" : "<td\(kind(index))>\(text)</td>"
    }
    return "<tr>\(cells)</tr>\n"
  }
  return """
    <div class="scroll"><table><thead><tr>\(heads)</tr></thead><tbody>\(rows)</tbody></table></div>
    """
}
