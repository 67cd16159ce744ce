import AssayBase
import AssayRecord

/// The comparison as a LaTeX table for `booktabs`: the columns that hold something, one row for each
/// configuration that was measured, the pick in bold.
///
/// It needs `\usepackage{booktabs}` and nothing else; units are in the cells, as in the other tables.
public func renderLaTeX(_ report: ComparisonReport) -> String {
  let recommendation = Recommendation(report)
  let shown = report.ordered.filter { !$0.samples.isEmpty }
  let columns = Column.all.filter { column in
    shown.contains { column.text($0, report.summary($0), report).value != nil }
  }
  func row(_ cells: [String]) -> String { cells.joined(separator: " & ") + " \\\\" }
  var lines = [
    "% \(Words.printable(recommendation.headline))", "\\begin{table}", "\\centering",
    "\\caption{\(texEscaped(recommendation.headline))}",
    "\\begin{tabular}{\(columns.map { $0.isNumber ? "r" : "l" }.joined())}", "\\toprule",
    row(columns.map { texEscaped($0.heading) }), "\\midrule",
  ]
  for record in shown {
    let summary = report.summary(record)
    let isPick = record.id == recommendation.pick
    lines.append(
      row(
        columns.map { column in
          guard let text = column.text(record, summary, report).value else { return "--" }
          return isPick ? "\\textbf{\(texEscaped(text))}" : texEscaped(text)
        }
      )
    )
  }
  lines += ["\\bottomrule", "\\end{tabular}", "\\end{table}"]
  return lines.joined(separator: "\n") + "\n"
}

/// A text whose every character LaTeX prints as it is.
func texEscaped(_ text: String) -> String {
  var result = ""
  for character in Words.printable(text) {
    switch character {
    case "\\": result += "\\textbackslash{}"
    case "{", "}", "$", "&", "#", "%", "_": result += "\\\(character)"
    case "~": result += "\\textasciitilde{}"
    case "^": result += "\\textasciicircum{}"
    case "<": result += "\\textless{}"
    case ">": result += "\\textgreater{}"
    case "µ": result += "\\textmu{}"
    case "±": result += "\\textpm{}"
    case "×": result += "\\texttimes{}"
    case "–": result += "--"
    case "\n", "\r": result += " "
    default: result.append(character)
    }
  }
  return result
}
