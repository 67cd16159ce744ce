import AssayBase
import AssayRecord
import AssayReport

/// The comparison as a PDF (or one of the other forms): the answer, the table and every view, on one
/// page that is as long as it need be.
///
/// - Throws: `Diagnostic` FIG001 and FIG005.
public func comparisonSheet(
  _ report: ComparisonReport,
  _ format: DrawingFormat = .pdf
) throws -> [UInt8] {
  let recommendation = Recommendation(report)
  let figures = ComparisonFigure.all(report)
  let table = renderTable(report, width: 100).split(
    separator: "\n",
    omittingEmptySubsequences: false
  )
  // The table starts after the first empty line; the sentences before it are set as text.
  let rows = table.drop { !$0.isEmpty }.dropFirst()
  let sentences = recommendation.details.flatMap { wrappedWords($0, 92) }
  let tableTop = 96 + Double(sentences.count) * 15
  let figureTop = tableTop + Double(rows.count) * 12.5 + 20
  let width = 680.0
  let height = figureTop + figures.reduce(0) { $0 + $1.height + 16 } + 40
  let name = report.original.path.split(separator: "/").last.map(String.init) ?? "comparison"
  return try Canvas.draw(
    format,
    width: width,
    height: height,
    title: "\(name): which variant to ship",
    madeAt: report.madeAt
  ) { canvas in
    canvas.rectangle(0, 0, width, height)
    canvas.fill(.paper)
    canvas.write(name, 20, 38, size: 20, isBold: true, fitting: 480)
    canvas.write("assay \(report.version)", 660, 38, size: 10, .soft, .end)
    canvas.write(recommendation.headline, 20, 66, size: 13, isBold: true, fitting: 640)
    for (row, sentence) in sentences.enumerated() {
      canvas.write(sentence, 20, 88 + Double(row) * 15, size: 10.5, fitting: 640)
    }
    for (row, line) in rows.enumerated() {
      canvas.write(
        String(line),
        20,
        tableTop + 12 + Double(row) * 12.5,
        size: 8.6,
        isMonospaced: true
      )
    }
    var top = figureTop
    for figure in figures {
      canvas.shifted(by: top) { figure.body(canvas) }
      top += figure.height + 16
    }
    canvas.write(
      "Times are of this machine at this moment; measure again where you ship.",
      20,
      height - 18,
      size: 9,
      .soft
    )
  }
}

/// A text in lines of at most so many characters.
private func wrappedWords(_ text: String, _ width: Int) -> [String] {
  var lines: [String] = []
  var line = "·"
  for word in text.split(separator: " ") {
    if line.count + 1 + word.count > width {
      lines.append(line)
      line = "  " + word
    } else {
      line += " " + word
    }
  }
  return lines + [line]
}
