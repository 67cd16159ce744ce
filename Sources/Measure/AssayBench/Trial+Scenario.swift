import AssayBase
import AssayRecord

extension Trial {
  /// Keeps what the worker told of the model's inputs, and what a query takes with their batch.
  func noteInputs(_ loaded: JSON) {
    record.inputs = (loaded["inputs"]?.array ?? []).compactMap { Record.Input(json: $0) }
    guard let scenario = record.scenario, let batch = record.batch, batch > 0 else { return }
    record.scenario?.inferencesPerQuery = max(1, (scenario.samplesPerQuery + batch - 1) / batch)
    // Where a query is one inference, each brings as many inputs as the model takes.
    if scenario.samplesPerQuery == 1 { record.scenario?.samplesPerQuery = batch }
  }

  /// Tells the worker how to issue queries; arrivals differ from round to round.
  func addScenario(to request: inout JSON) {
    guard let scenario = record.scenario, scenario.kind != .singleStream else { return }
    request["scenario"] = .object([
      "kind": .string(scenario.kind.rawValue), "inferences": JSON(scenario.inferencesPerQuery),
      "rate": scenario.ratePerSecond.map { .number($0) } ?? .null,
      "seed": .integer(Int64(bitPattern: scenario.seed &+ UInt64(record.rounds.count))),
    ])
  }

  /// Adds what a round tells of the queue.
  func noteQueue(_ answer: JSON, count: Int) {
    guard record.scenario?.kind == .server else { return }
    if let service = answer["serviceNs"]?.double, count > 0 {
      let before = Double(record.samples.count)
      let mean = record.scenario?.serviceTime ?? 0
      record.scenario?.serviceTime =
        (mean * before + service * Double(count)) / (before + Double(count))
    }
    record.scenario?.unserved += max(answer["unserved"]?.int ?? 0, 0)
  }
}
