import AssayBase
import AssayRecord

/// What `bench` prints: the verdict, the latency with its intervals, then the details.
func benchText(_ record: Record, _ factor: GridFactor? = nil) -> String {
  let summary = record.summary
  func quantile(_ figure: Figure<Quantile>) -> String {
    switch figure {
    case .missing(let reason): return "-  (\(reason))"
    case .value(let quantile):
      let value = Text.time(Double(quantile.value))
      guard case .value(let interval) = quantile.interval else { return value }
      return "\(value)  [\(Text.time(Double(interval.lowerBound))), "
        + "\(Text.time(Double(interval.upperBound)))]"
    }
  }
  func time(_ figure: Figure<Int64>) -> String { figure.value.map { Text.time(Double($0)) } ?? "-" }
  var text = """
    \(record.verdict.rawValue): \(record.model.path) on \(record.runtime) \(record.version), \
    \(record.placement["provider"]?.string ?? record.provider), \(record.threads) \
    thread\(record.threads == 1 ? "" : "s")\(place(record))

    """
  if let imported = record.imported { text += importedLines(imported) }
  guard !record.samples.isEmpty || record.imported != nil && record.verdict == .valid else {
    // Why there is nothing stands before what else was noticed.
    let errors = record.reasons.filter { $0.severity == .error }
    let rest = record.reasons.filter { $0.severity != .error }
    return text + (errors + rest).map { "\($0)\n" }.joined()
  }
  let initialization = record.initialization
  text += """
    latency p50     \(quantile(summary.p50))
    latency p90     \(quantile(summary.p90))
    latency p99     \(quantile(summary.p99))
    throughput      \(record.throughput.value.map { "\(Text.significant($0)) per second" } ?? "-")
    initialization  read \(time(initialization.read)), compile \(time(initialization.compile)), \
    first inference \(time(initialization.first))
    peak memory     \(record.peakMemoryBytes.value.map { Text.bytes($0) } ?? "-") above a null worker
    samples         \(record.samples.count) in \(record.rounds.count) rounds, after \
    \(record.warmup.count) for warm-up

    """
  if let accelerator = record.accelerator { text += "accelerator     \(accelerator.text)\n" }
  text += scenarioText(record)
  text += energyLines(record)
  if let factor { text += emissionLine(record.mainEnergy, factor) }
  text += phaseLines(record)
  if let operators = record.operators.array, !operators.isEmpty {
    text += "\n" + operatorTable(operators)
    let profiled = operators.reduce(0) { $0 + ($1["ns"]?.double ?? 0) }
    if let median = summary.p50.value?.value, profiled < Double(median) / 2 {
      text += "the runtime's profiler is too coarse for this model: it saw less than half\n"
    }
  }
  for reason in record.reasons { text += "\(reason)\n" }
  return text
}

/// Where it was measured, when not here: the device as people call it, with what emulates it.
private func place(_ record: Record) -> String {
  guard record.device != "local", record.imported == nil else { return "" }
  var name = record.device
  let model =
    record.environment["deviceModel"]?.string ?? record.environment["processor"]?.string
  if let model { name += " (\(model))" }
  var text = ", on " + Words.printable(name)
  if let emulator = record.emulator {
    text += "\nemulator        \(Words.printable(emulator)): never ranked with hardware"
  }
  return text
}

func operatorTable(_ operators: [JSON]) -> String {
  let times = operators.map { ($0, $0["ns"]?.double ?? 0) }
  let total = times.reduce(0) { $0 + $1.1 }
  let rows = times.sorted { $0.1 > $1.1 }.prefix(10).map { entry, time in
    [
      entry["kind"]?.string ?? "", entry["node"]?.string ?? "", Text.time(time),
      total > 0 ? "\(Text.fixed(time / total * 100, 1)) %" : "",
    ]
  }
  return Text.table(["operator", "node", "time", "share"], Array(rows), numeric: [2, 3])
}

/// Who says what is shown, for records that Assay did not measure.
private func importedLines(_ imported: Record.Imported) -> String {
  let version = imported.toolVersion.map { " \($0)" } ?? ""
  let how =
    switch imported.origin {
    case .measured: "timed by"
    case .published: "published by"
    case .estimated: "estimated by"
    }
  var text = "\(how) \(imported.tool)\(version), not by Assay\n"
  text += "source          \(imported.file), imported by \(imported.by) "
  text += "\(Words.moment(imported.at))\n"
  if imported.origin == .estimated, let time = imported["latency.mean"]?.nanoseconds {
    text += "estimate        \(Text.time(time)) an inference\n"
  }
  for gap in imported.gaps where gap.name != "conditions" {
    text += "missing         \(gap.name): \(gap.reason)\n"
  }
  return text
}
