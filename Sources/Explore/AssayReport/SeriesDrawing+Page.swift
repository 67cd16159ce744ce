import AssayBase
import AssayData
import AssayDetect

extension SeriesDrawing {
  /// The drawing as one HTML page that needs no network and no other file: the answer, the whole
  /// series, every anomaly, and how it was judged.
  public func page(version: String) -> String {
    let document: Markup = """
      \(Page.head("\(result.name): \(answer)", style: Page.style + Self.style + Self.pageStyle, hasScript: false))
      <body>
      <header>
      <p class="brand"><b>assay</b> \(version)</p>
      <h1>\(result.name)</h1>
      <p class="facts">\(facts)</p>
      </header>
      <main>
      <section><h2>\(answer)</h2><p class="lead">\(lead)</p>
      \(drawing(0..<result.series.count, width: 1400, panelHeight: 190, title: answer, isAlone: false))
      </section>
      \(closeUps)
      \(quality)
      <section><h2>How this was judged</h2><p>The network reproduces the series, standardized; windows of \
      \(result.scoring.window) errors are compared with what windows are like by their squared \
      Mahalanobis distance; \(result.scoring.average) neighbouring windows are averaged; the score is \
      the square root. Score 0 belongs to sample \(result.scoring.firstSample). The mean log-cosh of the \
      errors is \(Words.significant(result.logCosh)).</p></section>
      </main>
      <footer><p>Made by assay \(version).</p></footer>
      </body>
      </html>

      """
    return document.text
  }

  private var facts: Markup {
    let channels = result.series.channels.count
    return """
      \(model) · \(result.series.count) samples\(channels > 1 ? " · \(channels) channels" : "" as String)
      """
  }

  private var lead: Markup {
    let rule: String =
      switch result.threshold {
      case .zeroFalsePositives: "the least without a false alarm"
      case .quantile(let part): "\(Words.percent(part)) of the scores lie below it"
      case .value: "as given"
      }
    let labels: Markup =
      result.detection.events == nil
      ? "What is above it is orange."
      : "Labelled anomalies are red where they were found and violet where not; false alarms are orange."
    return """
      The dashed line is the threshold, \(Words.fixed(result.detection.threshold, 2)): \(rule). \(labels) \
      The median score is \(Words.fixed(result.medianScore, 2)).
      """
  }

  /// Each anomaly, or each alarm of a series without labels, with what is around it.
  private var closeUps: Markup {
    let events = result.detection.events
    var shown: [(samples: Range<Int>, words: String)] =
      (events ?? []).map {
        ($0.samples, $0.isDetected ? "found" : "missed")
      }
    let others = events == nil ? result.detection.alarms : result.detection.falseAlarms
    shown += others.map { ($0, events == nil ? "unusual" : "false alarm") }
    guard !shown.isEmpty else { return "" }
    let limit = 30
    let figures = shown.prefix(limit).map { samples, words -> Markup in
      let middle = (samples.lowerBound + samples.upperBound) / 2
      let half = max(300, samples.count)
      let range = max(0, middle - half)..<min(result.series.count, middle + half)
      let title = "samples \(samples.lowerBound) to \(samples.upperBound - 1): \(words)"
      let picture = drawing(
        range,
        width: 460,
        panelHeight: 90,
        title: title,
        isAlone: false,
        showsReconstruction: true
      )
      return "<figure>\(picture)<figcaption>\(title)</figcaption></figure>"
    }
    let more: Markup =
      shown.count > limit ? "<p>\(shown.count - limit) more are not drawn.</p>" : ""
    return """
      <section><h2>Close up</h2><p class="lead">The series in blue, what the network made of it in \
      orange.</p><div class="close-ups">\(figures)</div>\(more)</section>
      """
  }

  private var quality: Markup {
    guard let byEvent = result.detection.byEvent, let bySample = result.detection.bySample else {
      return ""
    }
    func row(_ name: String, _ quality: Detection.Quality) -> Markup {
      """
      <tr><td>\(name)</td><td>\(Words.fixed(quality.precision, 3))</td>\
      <td>\(Words.fixed(quality.recall, 3))</td><td>\(Words.fixed(quality.f1, 3))</td></tr>
      """
    }
    return """
      <section><h2>Precision and recall</h2><table><thead><tr><th>counted by</th><th>precision</th>\
      <th>recall</th><th>F1</th></tr></thead><tbody>\(row("anomalies", byEvent))\
      \(row("samples", bySample))</tbody></table></section>
      """
  }
}

extension SeriesDrawing {
  /// What the page has beside the drawing's own style.
  fileprivate static let pageStyle: Markup = """
    .series{width:100%;height:auto}
    .close-ups{display:grid;grid-template-columns:repeat(auto-fill,minmax(320px,1fr));gap:12px}
    .close-ups figure{margin:0} .close-ups figcaption{font-size:.9em}
    """
}
