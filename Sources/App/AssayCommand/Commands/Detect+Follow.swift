import AssayBase
import AssayData
import AssayDetect
import AssayHost

/// Scores samples as they come, one line each: `sample,score,anomaly`.
///
/// The file is read as it grows; standard input until it ends. What was scored is written before more is
/// waited for.
func follow(
  _ path: String,
  _ source: DetectorSource,
  _ arguments: Arguments,
  _ console: Console
) throws -> ExitStatus {
  guard let state = source.state else {
    throw Diagnostic("DTC032", "--follow needs stored statistics")
  }
  for option in ["--plot", "--scores", "--sample"] where arguments.has(option) {
    throw Diagnostic("CLI009", "\(option) needs the whole series, and --follow has not got it yet")
  }
  guard source.runtimeID == "reference" else {
    throw Diagnostic("CLI009", "--follow runs on reference, not on \(source.runtimeID)")
  }
  let threshold: Double?
  switch try source.threshold(arguments) {
  case .value(let value)?: threshold = value
  case nil: threshold = state.threshold
  case let other?:
    throw Diagnostic(
      "CLI009",
      "the threshold '\(other.text)' needs the whole series, and --follow has not got it yet",
      remedy: "--threshold stored, or a score"
    )
  }
  let idle: UInt64? = try arguments.value("--idle").map { text in
    guard let seconds = Double(text), seconds >= 0, seconds < 1e9 else {
      throw Diagnostic("CLI006", "--idle is a number of seconds, not '\(text)'")
    }
    return UInt64(seconds * 1e9)
  }
  let network = try TemporalNetwork(
    try source.graph(samples: 4096, channels: state.channels.count, arguments)
  )
  let threads = try arguments.integer("--threads") ?? Host.processorCount
  let detector = try StreamingDetector(network, state, threads: threads)
  console.note(
    "each score comes at most \(detector.latency) samples after its own sample; the first scored "
      + "sample is \(state.scoring.firstSample)"
      + (threshold.map { "; threshold \(Text.fixed($0, 2))" } ?? "")
  )
  var printer = ScorePrinter(threshold: threshold, console: console)
  var reader = SeriesLines(channels: state.channels, try SeriesArguments.options(arguments))
  let stream = try ByteStream(path: path, idleNanoseconds: idle)
  try locating(path) {
    printer.start()
    while let bytes = try stream.next() {
      let rows = try reader.append(bytes)
      if rows[0].isEmpty { continue }
      printer.print(try detector.append(rows))
    }
    let rows = try reader.finish()
    if !rows[0].isEmpty { printer.print(try detector.append(rows)) }
    guard reader.sampleCount > 0 else {
      throw Diagnostic("DTC001", "there were no samples")
    }
    printer.print(try detector.finish())
  }
  console.note("\(reader.sampleCount) samples, \(printer.alarmCount) of them above the threshold")
  return .done
}

/// Writes scores as they come, as CSV or as one JSON object a line.
private struct ScorePrinter {
  let threshold: Double?
  let console: Console
  private(set) var alarmCount = 0

  init(threshold: Double?, console: Console) {
    self.threshold = threshold
    self.console = console
  }

  private var isJSON: Bool { console.jsonPath == "-" }

  func start() { if !isJSON { console.output("sample,score,anomaly\n") } }

  mutating func print(_ scores: [StreamingDetector.Score]) {
    var text = ""
    for score in scores {
      let isAlarm = score.isJudged && (threshold.map { score.score > $0 } ?? false)
      if isAlarm { alarmCount += 1 }
      if isJSON {
        let json: JSON = .object([
          "sample": JSON(score.sample), "score": JSON(score.score), "anomaly": .bool(isAlarm),
        ])
        text += json.text() + "\n"
      } else {
        text += "\(score.sample),\(score.score),\(isAlarm ? 1 : 0)\n"
      }
    }
    if !text.isEmpty { console.output(text) }
  }
}
