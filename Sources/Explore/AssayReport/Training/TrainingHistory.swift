import AssayBase

/// How training went: a row for each epoch, kept as CSV and JSON and drawn as curves.
public struct TrainingHistory: Sendable, Equatable {
  /// One epoch.
  public struct Row: Sendable, Equatable {
    /// Its number, from 1.
    public var epoch: Int
    /// Steps that were done at its end, in all epochs.
    public var step: Int
    /// What it was of: empty for the first training, else the optimization that fine-tuned.
    public var phase: String
    /// Seconds that it took.
    public var seconds: Double
    /// Figures by name, such as `loss`, `accuracy`, `val_loss`, `learning_rate`.
    public var values: [String: Double]

    /// Makes a row.
    public init(
      epoch: Int,
      step: Int,
      phase: String = "",
      seconds: Double,
      values: [String: Double]
    ) {
      self.epoch = epoch
      self.step = step
      self.phase = phase
      self.seconds = seconds
      self.values = values
    }
  }

  /// The epochs in order.
  public var rows: [Row] = []

  /// Nothing yet.
  public init() {}

  /// The names of the figures: those of training, of validation, then the others.
  public var names: [String] {
    let all = Set(rows.flatMap(\.values.keys))
    let known = ["loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"]
    return known.filter(all.contains) + all.subtracting(known).sorted()
  }

  /// The rows as a table with commas.
  public var csv: String {
    let names = names
    let hasPhases = rows.contains { !$0.phase.isEmpty }
    let head = ["epoch", "step"] + (hasPhases ? ["phase"] : []) + ["seconds"] + names
    let lines = rows.map { row in
      let phase = hasPhases ? [row.phase] : []
      return ["\(row.epoch)", "\(row.step)"] + phase + [Words.fixed(row.seconds, 3)]
        + names.map { row.values[$0].map { "\($0)" } ?? "" }
    }
    return ([head] + lines).map { $0.joined(separator: ",") + "\n" }.joined()
  }

  /// The rows as JSON.
  public var json: JSON {
    .array(
      rows.map { row in
        var values = JSON.emptyObject
        for name in names { if let value = row.values[name] { values[name] = JSON(value) } }
        var result = JSON.object([
          "epoch": JSON(row.epoch), "step": JSON(row.step), "seconds": JSON(row.seconds),
          "values": values,
        ])
        if !row.phase.isEmpty { result["phase"] = .string(row.phase) }
        return result
      }
    )
  }

  /// Reads what `json` gives; rows that do not fit are left out.
  public init(json: JSON) {
    for row in json.array ?? [] {
      guard let epoch = row["epoch"]?.int, let step = row["step"]?.int else { continue }
      var values: [String: Double] = [:]
      for (name, value) in row["values"]?.pairs ?? [] { values[name] = value.double }
      rows.append(
        Row(
          epoch: epoch,
          step: step,
          phase: row["phase"]?.string ?? "",
          seconds: row["seconds"]?.double ?? 0,
          values: values
        )
      )
    }
  }
}
