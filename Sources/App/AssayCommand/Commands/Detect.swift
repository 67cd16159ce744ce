import AssayBase
import AssayData
import AssayDetect
import AssayHost
import AssayReport

let detectCommand = CommandSpec(
  name: "detect",
  summary: "find what is unusual in a series with an autoencoder",
  discussion: """
    Runs an autoencoder over a series, scores how badly it reproduces each stretch, and reports what is
    above a threshold. A convolutional network is run on the whole series at once, whatever length it
    was written for; another one on one window after the other. MODEL is a network, or the folder that
    'assay train tcn-autoencoder' writes.
    The series is a CSV with a header or without, an .npy or an .npz; columns is_anomaly and is_ignored
    are labels. By default the series' own statistics are taken, as the published method does; with
    --statistics stored those of the training series, which --follow always takes.
    """,
  operands: [
    Operand(word: "MODEL", help: "a network in any format, or the folder of a trained detector")
  ],
  options: [
    Option(
      "--series",
      short: "-s",
      .value("FILE"),
      "the series; - for standard input, with --follow"
    )
  ] + SeriesArguments.options + [
    Option(
      "--statistics",
      .choice(["series", "stored"]),
      "what is usual: as in this series (default), or as in the training series"
    ),
    Option(
      "--detector",
      .value("FILE"),
      "the stored statistics (default: detector.json beside MODEL)"
    ),
    Option(
      "--threshold",
      .value("RULE"),
      "zero-fp, quantile:PART, stored or a score (default: zero-fp with labels, else quantile:0.99)"
    ),
    Option(
      "--sample",
      .value("PART"),
      "estimate the series' statistics from drawn windows, as 0.98"
    ),
    Option("--seed", .value("K"), "of --sample (default: 0)"),
    Option(
      "--plot",
      short: "-o",
      .value("FILE"),
      "draw signal, score and anomalies: .html, .svg, .png"
    ),
    Option("--scores", .value("FILE"), "write the score of each sample as a CSV"),
    Option("--follow", .flag, "score samples as they come, from a growing file or standard input"),
    Option("--idle", .value("SECONDS"), "with --follow: end when a file has not grown for so long"),
    Shared.runtime, Shared.provider, Shared.threads, Shared.device, Shared.shape,
  ],
  examples: [
    ("assay detect detector/ --series series.csv", "what stands out"),
    ("assay detect detector/ -s series.csv -o found.html --json found.json", "a page, and numbers"),
    ("assay detect model.tflite -s series.csv --runtime litert", "on the runtime that will ship"),
    ("sensor | assay detect detector/ --follow -s - --threshold stored", "as samples come"),
  ]
) { arguments, console in
  guard let path = arguments.value("--series") else {
    throw Diagnostic(
      "CLI005",
      "--series is missing: the series to look at",
      remedy: "-s series.csv"
    )
  }
  let source = try DetectorSource(arguments)
  if arguments.has("--follow") { return try follow(path, source, arguments, console) }
  let result = try detection(path, source, arguments, console)
  if result.isSingular {
    console.report(
      Diagnostic(
        "DTC035",
        "the covariance of the errors cannot be inverted, and the identity stands in for it",
        remedy: "leave out channels that follow from others",
        severity: .warning
      )
    )
  }
  if let file = arguments.value("--plot") { try writePlot(result, source, to: file) }
  if let file = arguments.value("--scores") {
    var text = "sample,score\n"
    for (index, score) in result.scores.enumerated() {
      text += "\(index + result.scoring.firstSample),\(score)\n"
    }
    try AtomicFile.write(text, to: file)
  }
  var json = result.json
  json["model"] = .string(arguments.operands[0])
  json["runtime"] = .string(source.runtimeID)
  json["statistics"] = .string(source.usesStored ? "stored" : "series")
  try console.result(json, text: detectionText(result, arguments))
  return .done
}

/// Scores a whole series as the command line says.
func detection(
  _ path: String,
  _ source: DetectorSource,
  _ arguments: Arguments,
  _ console: Console
) throws -> DetectionResult {
  let series = try TimeSeries.read(path, try SeriesArguments.options(arguments))
  let state = source.usesStored ? source.state : nil
  if let state, state.channels.count != series.channels.count {
    throw Diagnostic(
      "DTC033",
      "the detector knows \(state.channels.count) channels, the series has "
        + "\(series.channels.count)",
      at: [path],
      remedy: "choose columns with --columns: \(state.channels.joined(separator: ", "))"
    )
  }
  console.progress("running the network on \(series.count) samples")
  defer { console.endProgress() }
  return try locating(path) {
    try DetectionResult(
      name: Host.name(of: path),
      series: series,
      standardization: state?.standardization,
      statistics: state?.errors,
      sampling: try sampling(arguments),
      scoring: state?.scoring ?? Scoring(),
      threshold: try source.threshold(arguments),
      threads: try arguments.integer("--threads") ?? Host.processorCount,
      reconstruct: { try source.reconstruct($0, arguments) }
    )
  }
}

private func sampling(_ arguments: Arguments) throws -> (part: Double, seed: UInt64)? {
  guard let text = arguments.value("--sample") else { return nil }
  guard let part = Double(text), part > 0, part <= 100 else {
    throw Diagnostic("CLI006", "--sample is a part such as 0.98, not '\(text)'")
  }
  return (part, UInt64(try arguments.integer("--seed", minimum: 0) ?? 0))
}

/// What the terminal shows: the answer, then each anomaly.
func detectionText(_ result: DetectionResult, _ arguments: Arguments) -> String {
  let found = result.detection
  func score(_ value: Double) -> String { Text.fixed(value, 2) }
  var text = ""
  if let byEvent = found.byEvent, let events = found.events {
    let alarms = byEvent.falsePositives
    text +=
      "\(byEvent.truePositives) of \(events.count) anomalies found, "
      + (alarms == 0 ? "no false alarms" : alarms == 1 ? "1 false alarm" : "\(alarms) false alarms")
      + "\n"
  } else {
    text +=
      found.alarms.count == 1
      ? "1 unusual stretch\n" : "\(found.alarms.count) unusual stretches\n"
  }
  text +=
    "threshold \(score(found.threshold)) (\(result.threshold.text)), median score "
    + "\(score(result.medianScore)), highest \(score(result.scores.max() ?? 0))\n"
  if let byEvent = found.byEvent, let bySample = found.bySample {
    func line(_ name: String, _ quality: Detection.Quality) -> [String] {
      [name] + [quality.precision, quality.recall, quality.f1].map { Text.fixed($0, 3) }
    }
    text += "\n"
    text += Text.table(
      ["counted by", "precision", "recall", "F1"],
      [line("anomalies", byEvent), line("samples", bySample)],
      numeric: [1, 2, 3]
    )
  }
  let rows: [[String]]
  if let events = found.events {
    rows =
      events.map {
        [
          "\($0.samples.lowerBound)-\($0.samples.upperBound - 1)", score($0.peak),
          $0.isDetected ? "found" : "missed",
        ]
      }
      + found.falseAlarms.map { range in [place(range), peak(range, result), "false alarm"] }
  } else {
    rows = found.alarms.map { [place($0), peak($0, result), "unusual"] }
  }
  let shown = rows.prefix(40)
  if !shown.isEmpty {
    text += "\n" + Text.table(["samples", "highest score", ""], Array(shown), numeric: [1])
  }
  if rows.count > shown.count {
    text += "and \(rows.count - shown.count) more: --json FILE has them all\n"
  }
  if let plot = arguments.value("--plot") { text += "\ndrawn in \(plot)\n" }
  return text
}

private func place(_ range: Range<Int>) -> String {
  range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)-\(range.upperBound - 1)"
}

private func peak(_ samples: Range<Int>, _ result: DetectionResult) -> String {
  let first = result.scoring.firstSample
  let scores = result.scores[samples.lowerBound - first..<samples.upperBound - first]
  return Text.fixed(scores.max() ?? 0, 2)
}

private func writePlot(_ result: DetectionResult, _ source: DetectorSource, to path: String) throws
{
  let suffix = path.split(separator: ".").last.map { $0.lowercased() } ?? ""
  let drawing = SeriesDrawing(result, model: source.name)
  switch suffix {
  case "html", "htm": try AtomicFile.write(drawing.page(version: assayVersion), to: path)
  case "svg": try AtomicFile.write(drawing.svg, to: path)
  case "png": try AtomicFile.write(try drawing.png(), to: path)
  default:
    throw Diagnostic(
      "CLI006",
      "--plot cannot write '\(path)'",
      remedy: "let its name end with .html, .svg or .png"
    )
  }
}

/// Options about how series are read, which several commands share.
enum SeriesArguments {
  static let options = [
    Option(
      "--columns",
      .value("A,B"),
      "the columns to take (default: all that are no time or label)"
    ),
    Option("--labels", .value("NAME"), "the column that marks anomalies (default: is_anomaly)"),
    Option("--ignored", .value("NAME"), "the column that marks what not to judge by"),
    Option("--delimiter", .value("CHAR"), "what stands between cells (default: found out)"),
    Option(
      "--gaps",
      .choice(SeriesOptions.Gaps.allCases.map(\.rawValue)),
      "missing samples: refuse the series (default), or fill them on a line"
    ),
  ]

  static func options(_ arguments: Arguments) throws -> SeriesOptions {
    var options = SeriesOptions()
    options.columns = arguments.words("--columns") ?? []
    options.labelColumn = arguments.value("--labels")
    options.ignoredColumn = arguments.value("--ignored")
    if let text = arguments.value("--delimiter") {
      let word = ["tab": "\t", "\\t": "\t", "space": " "][text] ?? text
      guard word.count == 1, let character = word.first else {
        throw Diagnostic("CLI006", "--delimiter is one character or tab, not '\(text)'")
      }
      options.delimiter = character
    }
    if let gaps = arguments.value("--gaps").flatMap(SeriesOptions.Gaps.init) { options.gaps = gaps }
    return options
  }
}
