import AssayBase
import AssayBench
import AssayCatalog
import AssayData
import AssayHost
import AssayMachine
import AssayRecord
import AssayRuntime

/// Looks at the machine as `--preflight` and `--preset` ask for it, and tells what it saw.
///
/// - Throws: `Diagnostics` PRE1xx when something must be remedied before anything is measured.
func conditionsWatcher(
  _ arguments: Arguments,
  threads: Int,
  _ console: Console
) throws -> ConditionsWatcher {
  let isStrict = arguments.value("--preset") == "strict"
  let policy =
    arguments.value("--preflight").flatMap(PreflightPolicy.init) ?? (isStrict ? .strict : .tag)
  console.progress("looking at the machine")
  defer { console.endProgress() }
  do {
    return try ConditionsWatcher(policy: policy, threads: threads, folder: AssayHome.path)
  } catch {
    let found = (error as? Diagnostics)?.all ?? (error as? Diagnostic).map { [$0] } ?? []
    guard !found.isEmpty else { throw error }
    throw Diagnostics(
      found + [
        Diagnostic(
          "PRE100",
          "nothing was measured: the machine is not ready for figures to publish",
          remedy: "remedy what is named above, or measure in spite of it with --preflight tag"
        )
      ]
    )
  }
}

/// What of a picture's way `--image` and `--preprocess` ask for.
func pipelineRequest(
  _ arguments: Arguments,
  model path: String,
  _ runtime: any InferenceRuntime
) throws -> PipelineRequest? {
  guard let image = arguments.value("--image") else { return nil }
  // A mistake is told before anything is measured.
  if let text = arguments.value("--preprocess") { _ = try Preprocessing.parse(text) }
  guard Host.exists(image) else {
    throw Diagnostic("FIL001", "there is no picture", at: [image])
  }
  let model = try LoadedModel(path: path, runtime: runtime, options: SessionOptions())
  return PipelineRequest(
    image: image,
    preprocessing: arguments.value("--preprocess") ?? "",
    runs: 30,
    inputs: model.inputs.map { Port(name: $0.name, type: $0.type) },
    outputs: model.outputs.map { Port(name: $0.name, type: $0.type) }
  )
}

/// The lines of `bench` that tell of starts, memory, counters and a picture's way.
func phaseLines(_ record: Record) -> String {
  let lines =
    startLines(record) + memoryLines(record) + counterLines(record) + pipelineLines(record)
  return lines.map { label, text in
    label + String(repeating: " ", count: max(1, 16 - label.count)) + text + "\n"
  }.joined()
}

private typealias Line = (label: String, text: String)

private func median(_ values: [Int64]) -> Int64 {
  values.isEmpty ? 0 : values.sorted()[(values.count - 1) / 2]
}

private func time(_ nanoseconds: Int64) -> String { Text.time(Double(nanoseconds)) }

private func startLines(_ record: Record) -> [Line] {
  guard let phases = record.phases, !phases.warm.isEmpty else { return [] }
  func words(_ starts: [Record.Phases.Start]) -> String {
    "\(time(median(starts.map(\.total)))) to the first result "
      + "(read \(time(median(starts.map(\.read)))), compile \(time(median(starts.map(\.compile)))), "
      + "first inference \(time(median(starts.map(\.first)))))"
  }
  let cold =
    phases.cold.isEmpty
    ? "-  (\(phases.coldReason ?? "not measured"))" : words(phases.cold)
  return [("cold start", cold), ("warm start", words(phases.warm))]
}

private func memoryLines(_ record: Record) -> [Line] {
  guard let memory = record.memory else { return [] }
  var parts: [String] = []
  if let peak = memory.peakResident.value { parts.append("peak \(Text.bytes(peak)) resident") }
  if let share = memory.proportional.value, let null = memory.nullProportional.value {
    parts.append("\(Text.bytes(max(share - null, 0))) proportional above a null worker")
  }
  switch memory.groupPeak {
  case .value(let bytes): parts.append("\(Text.bytes(bytes)) charged to its control group")
  case .missing: break
  }
  for (name, bytes) in memory.runtime.sorted(by: { $0.key < $1.key }) {
    parts.append("the runtime's \(name) \(Text.bytes(bytes))")
  }
  return parts.isEmpty ? [] : [("memory", parts.joined(separator: ", "))]
}

private func counterLines(_ record: Record) -> [Line] {
  guard let counters = record.counters else { return [] }
  var parts = [
    "\(Text.fixed(counters.utilization, 2)) processors busy for \(record.threads) "
      + "thread\(record.threads == 1 ? "" : "s")"
  ]
  func each(_ name: String) -> Double? {
    counters.events[name]?.value.map { Double($0) / Double(counters.runs) }
  }
  if let cycles = each("cycles"), let instructions = each("instructions"), cycles > 0 {
    parts.append("\(Text.fixed(instructions / cycles, 2)) instructions a cycle")
  }
  if let misses = each("cacheMisses") {
    parts.append("\(Text.count(Int(misses))) cache misses a run")
  }
  if let switches = counters.events["contextSwitches"]?.value {
    parts.append("\(switches) context switches in \(counters.runs) runs")
  }
  if let faults = counters.minorFaults.value {
    parts.append("\(faults) page fault\(faults == 1 ? "" : "s")")
  }
  if let reason = counters.events["cycles"]?.missingReason {
    parts.append("no cycles: \(reason)")
  }
  return [("processor", parts.joined(separator: ", "))]
}

private func pipelineLines(_ record: Record) -> [Line] {
  guard let pipeline = record.phases?.pipeline, !pipeline.inference.isEmpty else { return [] }
  let whole = median(pipeline.endToEnd)
  let inference = median(pipeline.inference)
  let share = whole > 0 ? Words.percent(Double(inference) / Double(whole), 0) : "-"
  return [
    (
      "one picture",
      "\(time(whole)) from file to classes: preprocess \(time(median(pipeline.preprocess))), "
        + "feed \(time(median(pipeline.feed))), inference \(time(inference)) (\(share)), "
        + "postprocess \(time(median(pipeline.postprocess)))"
    )
  ]
}
