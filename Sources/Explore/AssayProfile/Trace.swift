import AssayBase
import AssayRecord
import AssayReport

/// A record as a timeline for Perfetto and Chrome (the Trace Event Format, JSON).
///
/// Rounds stand where the clock had them. What happened before the first round is laid end to end
/// before it: its durations are measured, its gaps are not. Operators are those of one mean inference,
/// in the order in which the runtime ran them.
public func chromeTrace(_ record: Record, _ network: NetworkDrawing? = nil) -> JSON {
  var trace = TraceWriter()
  let title = "\(record.runtime) \(record.version), \(record.threads) threads"
  trace.name(process: 1, "\(record.model.path) on \(title)")
  trace.name(process: 2, "one mean inference, operator by operator")
  trace.name(process: 1, thread: 1, "starting and warm-up")
  trace.name(process: 1, thread: 2, "rounds")
  trace.name(process: 1, thread: 3, "inferences")
  trace.name(process: 2, thread: 1, "operators")
  let end = starting(record, &trace)
  rounds(record, from: end, &trace)
  operators(record, network, &trace)
  return .object([
    "traceEvents": .array(trace.events), "displayTimeUnit": "ns",
    "otherData": .object([
      "record": .string(record.id), "model": .string(record.model.path),
      "runtime": .string(record.runtime), "version": .string(record.version),
      "verdict": .string(record.verdict.rawValue),
    ]),
  ])
}

/// Reading, compiling, the first inference and the warm-up; returns where it ends.
private func starting(_ record: Record, _ trace: inout TraceWriter) -> Double {
  var time = 0.0
  let parts = [
    ("read", record.initialization.read), ("compile", record.initialization.compile),
    ("first inference", record.initialization.first),
  ]
  for (name, figure) in parts {
    guard let duration = figure.value, duration >= 0 else { continue }
    trace.add(name, process: 1, thread: 1, start: time, duration: Double(duration))
    time += Double(duration)
  }
  for (index, duration) in record.warmup.prefix(2000).enumerated() where duration >= 0 {
    trace.add("warm-up \(index)", process: 1, thread: 1, start: time, duration: Double(duration))
    time += Double(duration)
  }
  return time
}

private func rounds(_ record: Record, from end: Double, _ trace: inout TraceWriter) {
  guard let origin = record.windows.first?.begin else { return }
  var sample = 0
  for (index, window) in record.windows.enumerated() {
    let start = end + Double(window.begin &- origin)
    let count = record.rounds.indices.contains(index) ? record.rounds[index] : 0
    trace.add(
      "round \(index)",
      process: 1,
      thread: 2,
      start: start,
      duration: Double(max(window.end &- window.begin, 0)),
      arguments: ["inferences": JSON(count)]
    )
    var time = start
    let last = sample + min(max(count, 0), record.samples.count - sample)
    // A timeline of a hundred thousand inferences is none that anybody looks at.
    for (number, duration) in record.samples[sample..<last].prefix(2000).enumerated() {
      let length = Double(max(duration, 0))
      trace.add("inference \(number)", process: 1, thread: 3, start: time, duration: length)
      time += length
    }
    sample = last
  }
}

private func operators(_ record: Record, _ network: NetworkDrawing?, _ trace: inout TraceWriter) {
  var known: [String: RooflineDrawing.Point] = [:]
  for point in network?.points ?? [] { known[point.name] = point }
  var time = 0.0
  for entry in record.operators.array ?? [] {
    guard let duration = entry["ns"]?.double, duration >= 0 else { continue }
    let node = entry["node"]?.string ?? ""
    var arguments: KeyValuePairs<String, JSON> = ["node": .string(node)]
    if let point = known[node] {
      arguments = [
        "node": .string(node), "operator": .string(point.kind), "macs": JSON(point.macs),
        "bytes": JSON(point.bytes),
      ]
    }
    trace.add(
      entry["kind"]?.string ?? "?",
      process: 2,
      thread: 1,
      start: time,
      duration: duration,
      arguments: arguments
    )
    time += duration
  }
}

/// Writes events; times come in nanoseconds and leave in microseconds.
private struct TraceWriter {
  var events: [JSON] = []

  mutating func name(process: Int, thread: Int? = nil, _ name: String) {
    var event = JSON.object([
      "ph": "M", "pid": JSON(process), "name": thread == nil ? "process_name" : "thread_name",
    ])
    if let thread { event["tid"] = JSON(thread) }
    event["args"] = .object(["name": .string(name)])
    events.append(event)
  }

  mutating func add(
    _ name: String,
    process: Int,
    thread: Int,
    start: Double,
    duration: Double,
    arguments: KeyValuePairs<String, JSON> = [:]
  ) {
    events.append(
      .object([
        "ph": "X", "pid": JSON(process), "tid": JSON(thread), "name": .string(name),
        "ts": .number(start / 1000), "dur": .number(duration / 1000),
        "args": .object(arguments),
      ])
    )
  }
}
