import AssayBase

extension Study {
  /// The study as one HTML page that needs no network and no other file: the answer, the plot, the
  /// table.
  public func page(version: String) -> String {
    let remarks = notes.map { note -> Markup in "<p class=\"lead\">\(note)</p>" }
    let rows = points.indices.map { index -> Markup in
      let point = points[index]
      let cells = cells(index).map { cell -> Markup in "<td class=\"n\">\(cell)</td>" }
      let style: Markup =
        index == pick ? " class=\"pick\"" : point.isValid ? "" : " class=\"invalid\""
      return "<tr\(style)><td>\(point.label)</td>\(cells)<td>\(point.reason ?? "")</td></tr>"
    }
    let heads = Self.heads(subject).dropFirst().map { head -> Markup in
      "<th class=\"n\">\(head)</th>"
    }
    let document: Markup = """
      \(Page.head("\(title): \(answer)", style: Page.style + Self.style + Self.pageStyle, hasScript: false))
      <body>
      <header>
      <p class="brand"><b>assay</b> \(version)</p>
      <h1>\(title)</h1>
      </header>
      <main>
      <section class="answer"><h2>\(answer)</h2>
      \(drawing(isAlone: false))
      <p class="lead">Bars are what the 95 % intervals of both medians allow the ratio\
      \(subject == .threads ? "; the dashed line is perfect scaling" : "" as Markup).</p></section>
      <section><h2>Figures</h2><div class="scroll"><table><thead><tr><th>\(Self.heads(subject)[0])</th>\
      \(Array(heads))<th></th></tr></thead><tbody>\(rows)</tbody></table></div>\(remarks)</section>
      </main>
      <footer><p>Made by assay \(version).</p></footer>
      </body>
      </html>

      """
    return document.text
  }

  /// The columns of a table of this subject.
  public static func heads(_ subject: Subject) -> [String] {
    switch subject {
    case .threads: ["threads", "latency p50", "95 %", "a second", "speed-up", "efficiency"]
    case .batch: ["batch", "latency p50", "95 %", "items a second", "gain", "an item"]
    case .affinity: ["processors", "latency p50", "95 %", "a second", "speed-up", "bounds"]
    }
  }

  /// The cells of a row behind its label.
  public func cells(_ index: Int) -> [String] {
    let point = points[index]
    guard let median = point.median else { return ["-", "", "", "", ""] }
    let ratio = speedUp(index)
    let last: String =
      switch subject {
      case .threads: efficiency(index).map { Words.percent($0, 0) } ?? ""
      case .batch: Words.time(median / Double(max(point.items, 1)))
      case .affinity:
        ratio.map { "\(Words.fixed($0.low, 2))-\(Words.fixed($0.high, 2))x" } ?? ""
      }
    return [
      Words.time(median),
      point.interval.map { "\(Words.time($0.lowerBound)) to \(Words.time($0.upperBound))" } ?? "-",
      point.throughput.map { Words.significant($0) } ?? "",
      ratio.map { "\(Words.fixed($0.value, 2))x" } ?? "", last,
    ]
  }

  private static let pageStyle: Markup = ".study{width:100%;height:auto}"
}
