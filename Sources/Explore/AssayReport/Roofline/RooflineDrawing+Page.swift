import AssayBase

extension RooflineDrawing {
  /// The plot and the table of operators as one HTML page that needs no network and no other file.
  ///
  /// - Parameters:
  ///   - answer: what the reader wants to know, in a sentence.
  ///   - facts: what else is worth telling, a paragraph each.
  public func page(answer: String, facts: [String], version: String) -> String {
    let paragraphs = facts.map { fact -> Markup in "<p>\(fact)</p>" }
    let document: Markup = """
      \(Page.head("\(title)", style: Page.style + Self.style + Self.pageStyle, hasScript: false))
      <body>
      <header>
      <p class="brand"><b>assay</b> \(version)</p>
      <h1>\(title)</h1>
      </header>
      <main>
      <section><h2>\(answer)</h2>\(paragraphs)
      \(drawing(isAlone: false))
      <p class="lead">A circle is an operator, its area the time; blue is floating point, orange is 8-bit \
      integers. The lines are what this machine can do at best: \(roofs.source). What lies above the \
      line of the memory is fed by the caches.</p></section>
      <section><h2>Operators</h2>\(table)</section>
      </main>
      <footer><p>Made by assay \(version).</p></footer>
      </body>
      </html>

      """
    return document.text
  }

  private var table: Markup {
    let total = max(points.reduce(0) { $0 + $1.nanoseconds }, 1)
    let rows = points.sorted { $0.nanoseconds > $1.nanoseconds }.map { point -> Markup in
      let judgement = judged(point)
      return """
        <tr><td>\(point.kind)</td><td>\(point.name)</td><td>\(Words.time(point.nanoseconds))</td>\
        <td>\(Words.percent(point.nanoseconds / total))</td><td>\(Words.count(point.macs))</td>\
        <td>\(Words.bytes(point.bytes))</td><td>\(Words.significant(point.intensity))</td>\
        <td>\(Words.significant(point.rate / 1e9))</td>\
        <td>\(judgement.map { Words.percent($0.share, 0) } ?? "")</td>\
        <td>\(judgement?.limit.rawValue ?? "")</td><td>\(point.placement)</td></tr>
        """
    }
    return """
      <div class="scroll"><table><thead><tr><th>operator</th><th>node</th><th>time</th><th>share</th>\
      <th>MAC</th><th>bytes</th><th>MAC/B</th><th>GMAC/s</th><th>of limit</th><th>limit</th>\
      <th>ran on</th></tr></thead><tbody>\(rows)</tbody></table></div>
      """
  }

  private static let pageStyle: Markup = """
    .roofline{width:100%;height:auto}
    """
}
