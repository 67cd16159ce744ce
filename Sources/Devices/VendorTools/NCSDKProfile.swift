import AssayBase
import AssayRecord

/// What `mvNCProfile` printed, the profiler of the first Neural Compute Stick's SDK.
///
/// The SDK is not driven: it is long out of support and needs Ubuntu 16.04. Its profiles are read.
public enum NCSDKProfile {
  /// What a run printed.
  ///
  /// - Throws: `Diagnostic` VND001 when the text is not mvNCProfile's.
  public static func text(_ text: String) throws -> ToolReport {
    var report = ToolReport(tool: "mvNCProfile")
    report.device = "Neural Compute Stick (Myriad 2)"
    var isKnown = false
    var isTable = false
    for line in NumberedLine.all(text) {
      let body = line.text.trimmed
      if let version = body.words(after: "mvNCProfile v"), !isKnown {
        isKnown = true
        report.version = String(version.prefix { $0 != "," && !$0.isWhitespace })
      }
      if body.hasPrefix("Time to Execute : ") {
        // The first with the start-up of the stick, the second without: one inference each.
        let value = body.number(after: "Time to Execute : ", unit: "ms")
        if report["init.first"] == nil {
          report.state("init.first", value, "ms", at: line.place)
        } else if let value, value >= 0 {
          report.samples.append(value)
        }
      }
      if body.hasPrefix("===") { isTable = true }
      if body.hasPrefix("---") { isTable = false }
      if body.hasPrefix("Total inference time") {
        let value = body.dropFirst("Total inference time".count).trimmed.statedNumber
        report.state("layers.total", value, "ms", at: line.place)
      }
      if isTable, let layer = layer(body, line.place) { report.operators.append(layer) }
      if body.lowercased().hasPrefix("error") { report.failure = String(body) }
    }
    guard isKnown else {
      throw Diagnostic(
        "VND001",
        "this is not the output of mvNCProfile",
        remedy: "give all that `mvNCProfile -s 12 …` printed"
      )
    }
    if report["layers.total"] == nil, report.failure == nil {
      report.failure = "the output ends before there are results: the stick gave none"
    }
    return report
  }

  /// `0    conv1      240.3  1903.2   7.405`: number, name, MFLOPs, MB/s, ms.
  private static func layer(_ body: Substring, _ place: String) -> ToolReport.Operator? {
    let words = body.split(whereSeparator: \.isWhitespace)
    guard words.count >= 5, Int(words[0]) != nil, let work = words[words.count - 3].statedNumber,
      let bandwidth = words[words.count - 2].statedNumber,
      let time = words[words.count - 1].statedNumber
    else { return nil }
    return ToolReport.Operator(
      kind: "",
      node: words[1..<words.count - 3].joined(separator: " "),
      time: Record.Imported.Stated("time", time, "ms", at: place),
      place: "SHAVE",
      figures: [
        Record.Imported.Stated("work", work, "MFLOP", at: place),
        Record.Imported.Stated("bandwidth", bandwidth, "MB/s", at: place),
      ]
    )
  }
}
