import AssayBase
import AssayHost
import AssayJobs
import AssayRecord
import AssayStore

/// What a sweep has measured so far.
struct SweepResult {
  private let layout: SweepLayout
  private let end: SweepEnd
  private let storeURL: String
  private let progress: LedgerProgress
  /// Each combination with its records, in the plan's order.
  private let rows: [(cell: SweepCell, trials: Int, records: [Record])]
  /// What a golden network told of each device before and after.
  var health: [JSON] = []

  init(_ layout: SweepLayout, _ store: any Store, _ end: SweepEnd) throws {
    self.layout = layout
    self.end = end
    storeURL = store.url
    progress = try store.progress(sweep: layout.plan.id, devices: nil)
    var records: [String: Record] = [:]
    for record in try store.records(ofSweep: layout.plan.id) {
      if let key = record.trial?.key { records[key] = record }
    }
    var rows: [(cell: SweepCell, trials: Int, records: [Record])] = []
    var places: [String: Int] = [:]
    for trial in layout.schedule.trials {
      let place = places[trial.group] ?? rows.count
      if place == rows.count {
        places[trial.group] = place
        rows.append((trial.cell, 0, []))
      }
      rows[place].trials += 1
      if let record = records[trial.key] { rows[place].records.append(record) }
    }
    let order = layout.plan.cells
    self.rows = rows.sorted {
      (order.firstIndex(of: $0.cell) ?? order.count)
        < (order.firstIndex(of: $1.cell) ?? order.count)
    }
  }

  /// Whether every trial has its figures.
  var isWhole: Bool { progress.isComplete && progress.closed == 0 }

  /// Every record, in the plan's order.
  private var records: [Record] { rows.flatMap(\.records) }

  /// The records as JSON lines and as a table, beside the variants.
  func write(to folder: String) throws {
    try Host.makeFolders(folder)
    let lines = records.map { $0.json.text() + "\n" }.joined()
    try AtomicFile.write(lines, to: Host.join(folder, "records.jsonl"))
    let table = RecordTable()
    let csv = table.header + records.map { table.line($0) }.joined()
    try AtomicFile.write(csv, to: Host.join(folder, "records.csv"))
  }

  var json: JSON {
    .object([
      "schema": "assay.sweep/1", "health": .array(health), "sweep": .string(layout.plan.id),
      "name": .string(layout.plan.name), "store": .string(storeURL),
      "end": .string("\(end)"),
      "trials": .object([
        "total": JSON(progress.total), "finished": JSON(progress.finished),
        "givenUp": JSON(progress.closed), "waiting": JSON(progress.waiting),
        "claimed": JSON(progress.claimed),
      ]),
      "combinations": .array(rows.map { combination($0.cell, $0.trials, $0.records) }),
      "omitted": .array(
        layout.schedule.omissions.map {
          .object(["combination": .string($0.cell.title), "reason": $0.reason.json])
        }
      ),
    ])
  }

  private func combination(_ cell: SweepCell, _ trials: Int, _ records: [Record]) -> JSON {
    .object([
      "model": .string(cell.model), "recipe": .string(cell.recipe),
      "runtime": .string(cell.runtime), "provider": .string(cell.provider),
      "threads": JSON(cell.threads), "batch": JSON(cell.batch), "device": .string(cell.device),
      "scenario": cell.scenario, "meter": .string(cell.meter), "trials": JSON(trials),
      "records": .array(records.map { .string($0.id) }),
      "valid": JSON(records.filter { $0.verdict == .valid }.count),
      "emulator": JSON(records.compactMap(\.emulator).first),
      "p50Ns": .array(records.compactMap { $0.summary.p50.value.map { .integer($0.value) } }),
      "joules": .array(
        records.compactMap { $0.mainEnergy?.perInference.value }.map { .number($0.value) }
      ),
    ])
  }

  var text: String {
    var text = ""
    let shows = SweepColumns(rows.map(\.cell))
    let hasAccuracy = records.contains { $0.accuracy.value != nil }
    let hasEnergy = records.contains { $0.mainEnergy != nil }
    let hardware = rows.filter { row in !row.records.contains { $0.emulator != nil } }
    let fastest = hardware.compactMap { median($0.records) }.min()
    text += Text.table(
      shows.header + ["valid", "p50", "spread", "p99", "memory", "size"]
        + (hasEnergy ? ["energy"] : []) + (hasAccuracy ? ["accuracy"] : []) + [""],
      rows.map { row in
        let valid = row.records.filter { $0.verdict == .valid }
        let medians = valid.compactMap { $0.summary.p50.value?.value }.sorted()
        var cells = shows.cells(row.cell) + ["\(valid.count)/\(row.trials)"]
        cells.append(median(row.records).map { Text.time(Double($0)) } ?? "-")
        cells.append(spread(medians))
        cells.append(
          valid.compactMap { $0.summary.p99.value?.value }.max().map { Text.time(Double($0)) }
            ?? "-"
        )
        cells.append(
          valid.compactMap { $0.peakMemoryBytes.value }.max().map { Text.bytes($0) } ?? "-"
        )
        cells.append(row.records.first.map { Text.bytes($0.model.byteCount) } ?? "-")
        if hasEnergy { cells.append(energy(valid)) }
        if hasAccuracy {
          cells.append(
            row.records.compactMap { $0.accuracy.value }.first
              .map { Text.fixed($0 * 100, 1) + " %" } ?? "-"
          )
        }
        cells.append(
          remark(row.records, isFastest: fastest != nil && median(row.records) == fastest)
        )
        return cells
      },
      numeric: Set(
        (0..<(6 + (hasAccuracy ? 1 : 0) + (hasEnergy ? 1 : 0))).map { shows.header.count + $0 }
      )
    )
    if records.count > rows.count {
      text +=
        "\np50 is the median over repetitions, spread their range in percent of it; p99 the worst\n"
    }
    return text + omissionText(layout.schedule.omissions)
  }

  /// The middle repetition's energy of an inference, as the meter told it.
  private func energy(_ records: [Record]) -> String {
    let told = records.compactMap { record in
      record.mainEnergy.flatMap { energy in
        energy.perInference.value.map { ($0, energy.provenance) }
      }
    }.sorted { $0.0.value < $1.0.value }
    guard !told.isEmpty else { return "-" }
    let middle = told[(told.count - 1) / 2]
    return energyText(middle.0, middle.1)
  }

  /// The median of the repetitions' medians, over valid records.
  private func median(_ records: [Record]) -> Int64? {
    let medians = records.filter { $0.verdict == .valid }
      .compactMap { $0.summary.p50.value?.value }.sorted()
    return medians.isEmpty ? nil : medians[(medians.count - 1) / 2]
  }

  private func spread(_ medians: [Int64]) -> String {
    guard medians.count > 1, let low = medians.first, let high = medians.last else { return "-" }
    let middle = medians[(medians.count - 1) / 2]
    guard middle > 0 else { return "-" }
    return Text.fixed(Double(high - low) / Double(middle) * 100, 1) + " %"
  }

  private func remark(_ records: [Record], isFastest: Bool) -> String {
    let errors = records.filter { $0.verdict != .valid }
      .flatMap(\.reasons).filter { $0.severity == .error }
    if let reason = errors.first { return reason.code + ": " + reason.summary }
    if records.contains(where: { $0.emulator != nil }) { return "emulator: not ranked" }
    return isFastest && rows.count > 1 ? "fastest" : ""
  }

  /// How it ended, where everything is, and how to go on.
  func farewell(command: String, folder: String) -> String {
    let done = progress.finished + progress.closed
    var text = "\n"
    switch end {
    case .complete where progress.isComplete: break
    case .complete:
      text += "trials of other devices are left: \(progress.waiting + progress.claimed)\n"
    case .interrupted: text += "stopped after \(done) of \(progress.total) trials\n"
    case .outOfTime:
      text += "the budget of time is used up after \(done) of \(progress.total) trials\n"
    case .tooHot(let degrees):
      text += "the machine stays at \(Int(degrees.rounded())) C after \(done) of"
      text += " \(progress.total) trials\n"
    case .enough: text += "\(done) of \(progress.total) trials are done\n"
    case .othersWork:
      text +=
        "\(progress.claimed) trial\(progress.claimed == 1 ? " is" : "s are") in the hands of others\n"
    }
    if !progress.isComplete {
      text += "nothing is lost; go on with: \(command)\n"
    }
    if progress.closed > 0 {
      text += "\(progress.closed) trial\(progress.closed == 1 ? " was" : "s were") given up;"
      text += " when the cause is mended: \(command) --retry\n"
    }
    return text + "records: \(storeURL), \(Host.join(folder, "records.csv"))\n"
  }
}
