import AssayBase
import AssayJobs
import AssayStore

/// What a sweep will do and what it will cost.
struct SweepOutlook {
  private let layout: SweepLayout
  private let done: Set<String>
  private let closed: Set<String>
  private let costs: CostModel

  init(_ layout: SweepLayout, _ store: any Store) throws {
    self.layout = layout
    costs = CostModel(try store.finishedDetails(limit: 5000))
    let states = try store.trials(sweep: layout.plan.id)
    var done = Set(states.filter { $0.state == "finished" }.map(\.trial.key))
    closed = Set(states.filter { $0.state == "closed" }.map(\.trial.key))
    for trial in layout.schedule.trials where !done.contains(trial.key) {
      if try store.hasRecord(ofTrial: trial.key) { done.insert(trial.key) }
    }
    self.done = done
  }

  private struct Row {
    var cell: SweepCell
    var count = 0
    var done = 0
    var seconds = 0.0
    var basis = CostModel.Basis.nominal
  }

  private var rows: [Row] {
    var rows: [Row] = []
    var places: [String: Int] = [:]
    let order = layout.plan.cells
    for trial in layout.schedule.trials {
      let place = places[trial.group] ?? rows.count
      if place == rows.count {
        places[trial.group] = place
        rows.append(Row(cell: trial.cell))
      }
      rows[place].count += 1
      if done.contains(trial.key) || closed.contains(trial.key) {
        rows[place].done += 1
      } else {
        let cost = costs.seconds(trial)
        rows[place].seconds += cost.seconds + layout.plan.cooldown.seconds
        rows[place].basis = cost.basis
      }
    }
    func position(_ row: Row) -> Int { order.firstIndex(of: row.cell) ?? order.count }
    return rows.sorted { position($0) < position($1) }
  }

  /// Seconds that are left.
  var seconds: Double { rows.reduce(0) { $0 + $1.seconds } }

  var json: JSON {
    .object([
      "schema": "assay.sweep-plan/1", "sweep": .string(layout.plan.id),
      "name": .string(layout.plan.name), "trials": JSON(layout.schedule.trials.count),
      "done": JSON(rows.reduce(0) { $0 + $1.done }), "secondsLeft": JSON(seconds),
      "combinations": .array(
        rows.map { row in
          .object([
            "model": .string(row.cell.model), "recipe": .string(row.cell.recipe),
            "runtime": .string(row.cell.runtime), "provider": .string(row.cell.provider),
            "threads": JSON(row.cell.threads), "batch": JSON(row.cell.batch),
            "device": .string(row.cell.device), "scenario": row.cell.scenario,
            "meter": .string(row.cell.meter),
            "trials": JSON(row.count), "done": JSON(row.done), "secondsLeft": JSON(row.seconds),
            "basis": .string(row.basis.rawValue),
          ])
        }
      ),
      "order": .array(layout.schedule.trials.map { .string($0.key) }),
      "omitted": .array(
        layout.schedule.omissions.map {
          .object(["combination": .string($0.cell.title), "reason": $0.reason.json])
        }
      ),
    ])
  }

  var text: String {
    let plan = layout.plan
    let rows = rows
    let total = rows.reduce(0) { $0 + $1.count }
    let done = rows.reduce(0) { $0 + $1.done }
    let left = total - done
    var text = "\(total) trials: \(rows.count) combinations"
    text += plan.repetitions > 1 ? ", \(plan.repetitions) times each, in randomized blocks" : ""
    text += " (seed \(plan.seed), preset \(plan.preset))\n"
    if done > 0 { text += "\(done) are done, \(left) are left\n" }
    text += left == 0 ? "nothing is left to do\n" : "about \(Text.duration(seconds * 1e9))"
    if left > 0 {
      let known = Set(rows.filter { $0.done < $0.count }.map(\.basis))
      text +=
        known == [.same]
        ? ", by earlier trials of the same combinations\n"
        : known.contains(.nominal)
          ? ", a guess by the preset until trials of this kind have been measured\n"
          : ", by earlier trials of the same kind\n"
    }
    if let budget = plan.budget.seconds, budget < seconds {
      text +=
        "the plan's budget of \(Text.duration(budget * 1e9)) ends it before; the same command goes on\n"
    }
    let shows = SweepColumns(rows.map(\.cell))
    text += "\n"
    text += Text.table(
      shows.header + ["trials", "done", "each"],
      rows.map { row in
        let open = row.count - row.done
        return shows.cells(row.cell) + [
          "\(row.count)", "\(row.done)",
          open == 0 ? "-" : Text.duration(row.seconds / Double(open) * 1e9),
        ]
      },
      numeric: Set((0..<3).map { shows.header.count + $0 })
    )
    text += omissionText(layout.schedule.omissions)
    return text
  }
}

/// The combinations that cannot be measured, by their reasons.
func omissionText(_ omissions: [SweepSchedule.Omission]) -> String {
  guard !omissions.isEmpty else { return "" }
  var text = "\nnot measured:\n"
  var reasons: [String] = []
  for omission in omissions where !reasons.contains(omission.reason.summary) {
    reasons.append(omission.reason.summary)
    let alike = omissions.filter { $0.reason.summary == omission.reason.summary }
    text += "  \(omission.cell.title)"
    text += alike.count > 1 ? " and \(alike.count - 1) more" : ""
    text += "\n    \(omission.reason.summary)"
    text += omission.reason.remedy.map { "\n    -> \($0)" } ?? ""
    text += "\n"
  }
  return text
}

/// The columns of a table of combinations: what is the same in all is left out.
struct SweepColumns {
  private let shown: [(name: String, value: @Sendable (SweepCell) -> String)]

  init(_ cells: [SweepCell]) {
    let all: [(name: String, value: @Sendable (SweepCell) -> String)] = [
      ("model", \.model), ("variant", \.recipe), ("runtime", \.runtime),
      ("provider", \.provider), ("threads", { "\($0.threads)" }), ("batch", { "\($0.batch)" }),
      ("device", \.device), ("scenario", { $0.scenario.string ?? $0.scenario.text() }),
      ("meter", \.meter),
    ]
    let always: Set = ["variant", "runtime"]
    shown = all.filter { column in
      always.contains(column.name) || Set(cells.map(column.value)).count > 1
    }
  }

  var header: [String] { shown.map(\.name) }
  func cells(_ cell: SweepCell) -> [String] { shown.map { $0.value(cell) } }
}
