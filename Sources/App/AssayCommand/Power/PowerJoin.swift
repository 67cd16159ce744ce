import AssayBase
import AssayBench
import AssayHost
import AssayMeter
import AssayRecord

let powerJoinCommand = CommandSpec(
  name: "power join",
  summary: "the energy of a record by a recording that was made meanwhile, on any machine",
  discussion: """
    Joins a recorded trace with a record of the store, long after both were made. A trace that assay
    recorded on the same machine has its clock; one of another program has a clock of its own, which is
    joined by the coded loads of assay bench --marker, or by --start: the moment in the recording, in
    seconds from its beginning, at which the first timed round began. The record in the store stays as it
    is; --output writes one with the energy in it.
    """,
  operands: [
    Operand(word: "RECORD", help: "an id, latest, or a record's .json file"),
    Operand(word: "TRACE", help: "a recording of power"),
  ],
  options: [
    Option("--volts", .value("V"), "the voltage that belongs to a recording of current"),
    Option("--start", .value("S"), "where in the recording the first timed round began"),
    Option("--start-error", .value("S"), "how far --start may be off (default: 0.1)"),
    Option("--gain", .value("PART"), "the meter's limit of relative error, such as 1%"),
    Option("--output", short: "-o", .value("FILE"), "the record with the energy: .json"),
    Shared.store, Shared.gridFactor,
  ],
  examples: [
    ("assay power join latest run.pt4", "by the coded loads of bench --marker"),
    ("assay power join latest ppk.csv --volts 3.7 --start 12.4", "by a moment that was noted"),
  ]
) { arguments, console in
  guard let word = arguments.operand(0), let path = arguments.operand(1) else { return .usage }
  func number(_ name: String, _ range: ClosedRange<Double>) throws -> Double? {
    guard let text = arguments.value(name) else { return nil }
    guard let value = Double(text), range.contains(value) else {
      throw Diagnostic("CLI006", "\(name) must be a number, not '\(text)'")
    }
    return value
  }
  var record = try storedRecord(word, arguments)
  var trace = try TraceFile.read(path: path, volts: try number("--volts", 1e-6...1e6))
  if let text = arguments.value("--gain") {
    guard let gain = TryPlan.fraction(text), gain > 0, gain < 1 else {
      throw Diagnostic("CLI006", "--gain is a part such as 1%, not '\(text)'")
    }
    for place in trace.channels.indices { trace.channels[place].accuracy.gain = gain }
  }
  guard let first = record.windows.first else {
    throw Diagnostic(
      "MTR057",
      "the record does not tell when its rounds ran",
      at: [record.id],
      remedy: "measure again with this version of assay"
    )
  }
  var map: ClockMap?
  if let start = try number("--start", -1e7...1e7) {
    let error = try number("--start-error", 1e-9...1e6) ?? 0.1
    map = ClockMap.given(
      meter: Double(trace.times.first ?? 0) + start * 1e9,
      host: Double(first.begin),
      uncertainty: error * 1e9 / 3.0.squareRoot()
    )
  }
  if map == nil, trace.clock == .own, record.powerMarks?.markers.isEmpty ?? true {
    throw Diagnostic(
      "MTR056",
      "the recording has a clock of its own, and the record no coded load to join it by",
      at: [path],
      remedy: "give --start, or measure with assay bench --marker while the recording runs"
    )
  }
  let (energy, findings) = record.energy(by: trace, map: map)
  record.energy.append(energy)
  record.reasons += findings
  if let output = arguments.value("--output") {
    try AtomicFile.write(record.json.text(pretty: true) + "\n", to: output)
  }
  for finding in findings { console.report(finding) }
  var shown = record
  shown.energy = [energy]
  let factor = try gridFactor(arguments)
  var json = JSON.object([
    "schema": "assay.power.join/1", "record": .string(record.id), "energy": energy.json,
    "findings": .array(findings.map(\.json)),
  ])
  if let factor { json["co2"] = factor.json(energy) }
  var text = energyLines(shown)
  if let factor { text += emissionLine(energy, factor) }
  if let join = energy.join {
    text +=
      "clocks joined   by \(join.method), to \(Words.time(join.uncertaintyNanoseconds))\n"
  }
  try console.result(json, text: text)
  return energy.perInference.value == nil ? .finding : .done
}
