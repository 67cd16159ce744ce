import AssayRecord
import Testing

@testable import AssayReport

@Suite struct LaTeXTests {
  @Test func everyCharacterIsPrintedAsItIs() {
    #expect(texEscaped("a_b & 5 % of {x}") == "a\\_b \\& 5 \\% of \\{x\\}")
    #expect(
      texEscaped("\\input{a}$^~#")
        == "\\textbackslash{}input\\{a\\}\\$\\textasciicircum{}\\textasciitilde{}\\#"
    )
    #expect(texEscaped("3 µs ± 1 %") == "3 \\textmu{}s \\textpm{} 1 \\%")
  }

  @Test func theTableHasARowForEachMeasuredConfiguration() {
    let report = FakeComparison.report()
    let text = renderLaTeX(report)
    let rows = text.split(separator: "\n").filter { $0.hasSuffix("\\\\") }
    #expect(rows.count == 1 + report.records.filter { !$0.samples.isEmpty }.count)
    #expect(text.contains("\\textbf{static\\_int8}"))
    let columns = rows[0].split(separator: "&").count
    #expect(rows.allSatisfy { $0.split(separator: "&").count == columns })
  }
}
