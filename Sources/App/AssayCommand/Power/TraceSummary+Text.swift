import AssayBase
import AssayMeter
import AssayRecord

extension TraceSummary {
  /// The summary as a terminal shows it: energy and mean power first, then the channels.
  func text(writtenTo path: String? = nil) -> String {
    let main = rows.first { $0.channel.isPrimary } ?? rows.first { $0.joules != nil }
    var text = ""
    if let main, let joules = main.joules {
      let mark = trace.identity.isEstimate ? ", estimated by a model" : ""
      text +=
        "\(main.channel.name): \(Words.significant(main.mean)) W on average,"
        + " \(Words.significant(joules)) J in \(Words.significant(trace.seconds)) s\(mark)\n"
    }
    text +=
      "\(trace.identity.name)"
      + (trace.identity.serial.map { ", serial \($0)" } ?? "")
      + (trace.identity.version.map { ", \($0)" } ?? "") + "\n"
    text +=
      "\(trace.count) readings, \(Words.significant(trace.rate)) a second"
      + (trace.lostCount > 0 ? ", \(trace.lostCount) lost" : "")
      + (trace.clock == .own ? ", on the meter's own clock" : "") + "\n\n"
    let cells = rows.map { row -> [String] in
      let unit = row.channel.quantity == .energy ? "W" : row.channel.quantity.unit
      let limits = row.range.map {
        "\(Words.significant($0.lowerBound)) to \(Words.significant($0.upperBound)) \(unit)"
      }
      return [
        row.channel.name, row.channel.scope.rawValue,
        "\(Words.significant(row.mean)) \(unit)", limits ?? "-",
        row.joules.map { "\(Words.significant($0)) J" } ?? "-",
        row.channel.accuracy.gain.map { "±\(Words.short($0 * 100)) %" } ?? "not stated",
      ]
    }
    text += Text.table(
      ["channel", "covers", "mean", "range", "energy", "gain"],
      cells,
      numeric: [2, 3, 4, 5]
    )
    for note in trace.notes { text += "\(note)\n" }
    if let path { text += "written to \(path)\n" }
    return text
  }
}
