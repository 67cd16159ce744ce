import AssayBase
import AssayRecord
import AssayStore

let storeListCommand = CommandSpec(
  name: "store list",
  summary: "the comparisons, sweeps and models in a store",
  options: [
    Shared.store,
    Option("--limit", .value("N"), "at most the N newest comparisons (default: 20)"),
  ],
  examples: [("assay store list", "what was measured, newest last")]
) { arguments, console in
  let store = try readStore(arguments)
  let known = Set(try store.sweeps().map(\.id))
  let sessions = try store.sessions().filter { !known.contains($0.id) }
  let shown = sessions.suffix(try arguments.integer("--limit") ?? 20)
  let sweeps = try store.sweeps().map { ($0, try store.progress(sweep: $0.id, devices: nil)) }
  let models = try store.models()
  var text = "\(store.url): \(try store.count()) records of \(models.count) model files\n"
  if !shown.isEmpty {
    text += shown.count < sessions.count ? "\nthe \(shown.count) newest comparisons\n" : "\n"
    text += Text.table(
      ["comparison", "finished", "records"],
      shown.map { [$0.id, Text.moment($0.finishedAt), "\($0.count)"] },
      numeric: [2]
    )
  }
  if !sweeps.isEmpty {
    text += "\n"
    text += Text.table(
      ["sweep", "name", "trials", "done", "given up"],
      sweeps.map { sweep, progress in
        [
          sweep.id, sweep.name, "\(progress.total)", "\(progress.finished)", "\(progress.closed)",
        ]
      },
      numeric: [2, 3, 4]
    )
  }
  text +=
    "\nassay store show ID tells more of a comparison, a sweep, a record or a model's SHA-256\n"
  try console.result(
    .object([
      "schema": "assay.store/1", "store": .string(store.url),
      "sessions": .array(
        sessions.map {
          .object([
            "id": .string($0.id), "finishedAt": .integer($0.finishedAt), "records": JSON($0.count),
          ])
        }
      ),
      "sweeps": .array(
        sweeps.map { sweep, progress in
          .object([
            "id": .string(sweep.id), "name": .string(sweep.name), "trials": JSON(progress.total),
            "finished": JSON(progress.finished), "givenUp": JSON(progress.closed),
          ])
        }
      ),
      "models": .array(
        models.map {
          .object([
            "sha256": .string($0.sha256), "records": JSON($0.count), "valid": JSON($0.validCount),
          ])
        }
      ),
    ]),
    text: text
  )
  return .done
}

let storeShowCommand = CommandSpec(
  name: "store show",
  summary: "a record, a comparison, a sweep's ledger, or all that is known of a model file",
  operands: [Operand(word: "ID", help: "of a record, comparison or sweep, or a model's SHA-256")],
  options: [Shared.store],
  examples: [("assay store show 9c41d07e52aa", "what became of a sweep's trials")]
) { arguments, console in
  guard let id = arguments.operand(0) else { return .usage }
  let store = try readStore(arguments)
  if let record = try store.records(RecordQuery(id: id)).first {
    try console.result(record.json, text: benchText(record))
    return .done
  }
  if let sweep = try store.sweeps().first(where: { $0.id == id }) {
    return try showSweep(sweep, store, console)
  }
  let session = try store.records(RecordQuery(session: id))
  if !session.isEmpty {
    try console.result(.array(session.map(\.json)), text: recordsText(session))
    return .done
  }
  let models = try store.models().filter { $0.sha256.hasPrefix(id.lowercased()) }
  guard id.count >= 6, models.count == 1, let model = models.first else {
    throw Diagnostic(
      "STO014",
      "the store has nothing of this id",
      at: [store.url, id],
      remedy: "assay store list shows what there is"
    )
  }
  let rows = try store.summary(modelSHA256: model.sha256)
  try console.result(
    .object([
      "schema": "assay.model-summary/1", "sha256": .string(model.sha256),
      "configurations": .array(rows.map(\.json)),
    ]),
    text: "\(model.sha256): \(model.count) records, \(model.validCount) valid\n\n"
      + Text.table(
        [
          "variant", "runtime", "provider", "device", "threads", "valid", "p50 least", "mean",
          "greatest", "p99 worst",
        ],
        rows.map { row in
          [
            row.variant, row.runtime, row.provider, row.device, "\(row.threads)",
            "\(row.validCount)/\(row.count)",
          ]
            + [
              row.leastMedian.map { Double($0) }, row.meanMedian,
              row.greatestMedian.map { Double($0) }, row.greatestP99.map { Double($0) },
            ].map { $0.map { Text.time($0) } ?? "-" }
        },
        numeric: [4, 5, 6, 7, 8, 9]
      )
  )
  return .done
}

private func showSweep(
  _ sweep: LedgerSweep,
  _ store: any Store,
  _ console: Console
) throws -> ExitStatus {
  let trials = try store.trials(sweep: sweep.id)
  let events = try store.events(sweep: sweep.id)
  let records = try store.records(ofSweep: sweep.id)
  var counts: [String: Int] = [:]
  for trial in trials { counts[trial.state, default: 0] += 1 }
  var text = "sweep \(sweep.id), \(sweep.name): \(trials.count) trials"
  for state in ["finished", "closed", "claimed", "waiting"] {
    if let count = counts[state] { text += ", \(count) \(state == "closed" ? "given up" : state)" }
  }
  text += "\n\n"
  let titles = Dictionary(trials.map { ($0.trial.key, $0.trial.title) }) { first, _ in first }
  let troubles = events.filter { [.failed, .closed, .lost].contains($0.kind) }
  text += recordsText(records)
  if !troubles.isEmpty {
    text += "\n"
    text += Text.table(
      ["when", "trial", "attempt", "what", "why"],
      troubles.suffix(50).map { event in
        [
          Text.moment(event.at), titles[event.trial] ?? event.trial, "\(event.attempt)",
          event.kind.rawValue,
          [event.detail["end"]?.string, event.detail["reason"]?["summary"]?.string]
            .compactMap(\.self).joined(separator: ": "),
        ]
      },
      numeric: [2]
    )
  }
  try console.result(
    .object([
      "schema": "assay.ledger/1", "sweep": .string(sweep.id), "name": .string(sweep.name),
      "plan": sweep.plan,
      "trials": .array(
        trials.map {
          .object([
            "key": .string($0.trial.key), "title": .string($0.trial.title),
            "state": .string($0.state),
          ])
        }
      ),
      "events": .array(
        events.map {
          .object([
            "at": .integer($0.at), "trial": .string($0.trial), "kind": .string($0.kind.rawValue),
            "attempt": JSON($0.attempt), "holder": .string($0.holder), "detail": $0.detail,
          ])
        }
      ),
    ]),
    text: text
  )
  return .done
}

/// Records as a table.
private func recordsText(_ records: [Record]) -> String {
  Text.table(
    ["record", "model", "variant", "runtime", "threads", "verdict", "p50", "p99"],
    records.map { record in
      let summary = record.summary
      return [
        record.id, record.model.path.split(separator: "/").last.map { String($0) } ?? "",
        record.variant, record.runtime, "\(record.threads)", record.verdict.rawValue,
        summary.p50.value.map { Text.time(Double($0.value)) } ?? "-",
        summary.p99.value.map { Text.time(Double($0.value)) } ?? "-",
      ]
    },
    numeric: [4, 6, 7]
  )
}

extension StoredSummary {
  /// The row for scripts.
  fileprivate var json: JSON {
    .object([
      "variant": .string(variant), "runtime": .string(runtime), "provider": .string(provider),
      "device": .string(device), "threads": JSON(threads), "records": JSON(count),
      "valid": JSON(validCount), "leastP50Ns": leastMedian.map { .integer($0) } ?? .null,
      "meanP50Ns": meanMedian.map { JSON($0) } ?? .null,
      "greatestP50Ns": greatestMedian.map { .integer($0) } ?? .null,
      "greatestP99Ns": greatestP99.map { .integer($0) } ?? .null,
      "greatestPeakMemoryBytes": greatestPeakMemory.map { .integer($0) } ?? .null,
    ])
  }
}
