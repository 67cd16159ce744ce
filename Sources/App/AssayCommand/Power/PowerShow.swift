import AssayBase
import AssayMeter

let powerShowCommand = CommandSpec(
  name: "power show",
  summary: "a recorded trace: mean power, energy, and a drawing",
  discussion: """
    Reads the CSV of assay power record, of Monsoon and of Nordic's Power Profiler, Monsoon's .pt4 and
    Nordic's .ppk2. A recording of current alone needs --volts. --from and --to choose a stretch, in
    seconds from its beginning; --trigger chooses what lies above a threshold.
    """,
  operands: [Operand(word: "TRACE", help: "a recording of power")],
  options: [
    Option("--volts", .value("V"), "the voltage that belongs to a recording of current"),
    Option("--from", .value("S"), "where the stretch begins"),
    Option("--to", .value("S"), "where the stretch ends"),
    Option("--trigger", .value("LEVEL"), "take what is above it, such as 500mA or 2W"),
    Option("--output", short: "-o", .value("FILE"), "write the stretch: .csv or .npz"),
    PowerOptions.plot,
  ],
  examples: [
    ("assay power show run.pt4 --plot run.svg", "a recording of Monsoon's Power Tool"),
    ("assay power show ppk.csv --volts 3.7 --from 1.5 --to 4", "a stretch of current"),
  ]
) { arguments, console in
  let path = arguments.operand(0) ?? ""
  let volts = try arguments.value("--volts").map { text -> Double in
    guard let value = Double(text), value > 0, value < 1e6 else {
      throw Diagnostic("CLI006", "--volts must be a positive number, not '\(text)'")
    }
    return value
  }
  if let output = arguments.value("--output") { try PowerOptions.checkName(output) }
  var trace = try TraceFile.read(path: path, volts: volts)
  let origin = trace.times.first ?? 0
  func time(_ name: String, _ otherwise: Int64) throws -> Int64 {
    guard let text = arguments.value(name) else { return otherwise }
    guard let seconds = Double(text), abs(seconds) < 1e9 else {
      throw Diagnostic("CLI006", "\(name) must be seconds, not '\(text)'")
    }
    return origin + Int64((seconds * 1e9).rounded())
  }
  let from = try time("--from", origin)
  let to = try time("--to", trace.times.last ?? origin)
  guard from < to else {
    throw Diagnostic("CLI006", "--from lies not before --to", at: [path])
  }
  trace = trace.slice(trace.rows(in: from...to))
  if let text = arguments.value("--trigger") {
    let trigger = try TriggerLevel(parsing: text)
    let spans = trigger.spans(in: trace)
    guard let first = spans.first, let last = spans.last else {
      throw Diagnostic(
        "MTR070",
        "nothing rose above \(text)",
        at: [path],
        remedy: "the greatest was \(trigger.greatest(in: trace))"
      )
    }
    trace = trace.slice(first.lowerBound..<last.upperBound)
  }
  guard trace.count >= 2 else {
    throw Diagnostic(
      "MTR062",
      "the stretch has fewer than two readings",
      at: [path],
      remedy: "the trace is \(Words.significant(TraceSummary(trace).trace.seconds)) s long"
    )
  }
  if let output = arguments.value("--output") { try PowerOptions.write(trace, to: output) }
  try PowerOptions.draw(trace, arguments)
  let summary = TraceSummary(trace)
  try console.result(summary.json, text: summary.text(writtenTo: arguments.value("--output")))
  return .done
}
