import AssayBase
import AssayCatalog
import AssayHost
import AssayMeter
import AssayReport

let powerRecordCommand = CommandSpec(
  name: "power record",
  summary: "read a power meter: live figures, and a trace as CSV or NPZ",
  discussion: """
    Reads until --seconds are over or Ctrl-C, and shows what comes on a terminal. With --trigger only
    what lies above the threshold is kept: recording begins when the mean of 20 ms rises over it and ends
    when it falls under it.
    """,
  options: [
    PowerOptions.meter,
    Option("--output", short: "-o", .value("FILE"), "the trace: .csv or .npz"),
    Option("--seconds", .value("S"), "how long to read (default: until Ctrl-C; 10 without -o)"),
    Option("--trigger", .value("LEVEL"), "keep what is above it, such as 500mA or 2W"),
    PowerOptions.plot,
  ],
  examples: [
    ("assay power record --meter rapl --seconds 5", "what the processor takes"),
    (
      "assay power record --meter monsoon:volts=4.0 --trigger 500mA -o run.csv",
      "one run of a phone"
    ),
    (
      "assay power record --meter 'command:tegrastats --interval 100' -o board.csv",
      "any program that prints watts"
    ),
  ]
) { arguments, console in
  let named = try namedMeters(try PowerOptions.required(arguments))
  guard named.count == 1 else {
    throw Diagnostic(
      "CLI006",
      "one meter is read at a time",
      remedy: "start the command once for each"
    )
  }
  let seconds = try PowerOptions.seconds(arguments)
  let output = arguments.value("--output")
  let trigger = try arguments.value("--trigger").map { try TriggerLevel(parsing: $0) }
  if let output { try PowerOptions.checkName(output) }
  Interrupt.install()
  let sampler = try MeterSampler(named[0].meter, named[0].options)
  watch(sampler, seconds: seconds ?? (output == nil ? 10 : nil), trigger, console)
  console.endProgress()
  var trace = try sampler.stop()
  if let trigger {
    let all = trace
    let spans = trigger.spans(in: trace)
    guard let first = spans.first, let last = spans.last else {
      throw Diagnostic(
        "MTR070",
        "nothing rose above \(trigger.text)",
        remedy: "the greatest was \(trigger.greatest(in: all)); give a lower --trigger"
      )
    }
    trace = all.slice(first.lowerBound..<last.upperBound)
  }
  if let output { try PowerOptions.write(trace, to: output) }
  try PowerOptions.draw(trace, arguments)
  let summary = TraceSummary(trace)
  try console.result(summary.json, text: summary.text(writtenTo: output))
  return .done
}

/// Shows what comes until the time is over, the meter ends or the user has enough.
private func watch(
  _ sampler: MeterSampler,
  seconds: Double?,
  _ trigger: TriggerLevel?,
  _ console: Console
) {
  let start = Host.monotonicNanoseconds()
  var live = LiveFigures(sampler.channels)
  var wasAbove = false
  var belowSince: UInt64?
  while !Interrupt.isRequested, sampler.fault == nil {
    let now = Host.monotonicNanoseconds()
    let elapsed = Double(now - start) / 1e9
    if let seconds, elapsed >= seconds { return }
    Host.sleep(nanoseconds: 50_000_000)
    guard let latest = sampler.latest else { continue }
    console.progress(live.line(latest, count: sampler.count, elapsed: elapsed, of: seconds))
    guard let trigger else { continue }
    if trigger.isAbove(latest.row, sampler.channels) {
      wasAbove = true
      belowSince = nil
    } else if wasAbove {
      // Half a second below ends it: a pause between two inferences is none.
      if let since = belowSince {
        if now - since > 500_000_000 { return }
      } else {
        belowSince = now
      }
    }
  }
}

/// The figures of a live view: power is told, of a counter its rise.
private struct LiveFigures {
  private let channels: [MeterChannel]
  private var last: (time: Int64, row: [Double])?
  private var shown: [String] = []

  init(_ channels: [MeterChannel]) { self.channels = channels }

  mutating func line(
    _ latest: (time: Int64, row: [Double]),
    count: Int,
    elapsed: Double,
    of seconds: Double?
  ) -> String {
    // A counter's rise over less than a fifth of a second is mostly its steps.
    if let before = last, latest.time - before.time > 200_000_000 {
      shown = channels.indices.compactMap { index in
        guard latest.row.indices.contains(index) else { return nil }
        let value = latest.row[index]
        switch channels[index].quantity {
        case .energy:
          let rise = (value - before.row[index]) / (Double(latest.time - before.time) / 1e9)
          return "\(channels[index].name) \(Words.significant(rise)) W"
        default:
          return "\(channels[index].name) \(Words.significant(value)) "
            + channels[index].quantity.unit
        }
      }
      last = latest
    } else if last == nil {
      last = latest
    }
    let time = Words.fixed(elapsed, 1) + (seconds.map { "/\(Words.short($0))" } ?? "") + " s"
    return "[\(time), \(Words.count(count)) readings] " + shown.prefix(6).joined(separator: "  ")
  }
}
