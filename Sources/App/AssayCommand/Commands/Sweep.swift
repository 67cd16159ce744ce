import AssayBase
import AssayHost
import AssayJobs
import AssayRecord
import AssayRemote
import AssayStore

let sweepCommand = CommandSpec(
  name: "sweep",
  summary: "measure every combination of a plan: models, recipes, runtimes, threads, devices",
  discussion: """
    Reads a plan (YAML, see docs/sweep.md), makes the variants, and measures each combination in worker
    processes, in randomized blocks. Every trial has a key, and the store's ledger knows which are done:
    the same command goes on where an earlier one was stopped, killed or cut off, and other machines may
    work off the same plan through the same store. Ctrl-C stops after the trial under way. Ends with
    status 1 when trials were given up or are left.
    """,
  operands: [Operand(word: "PLAN", help: "a .yaml file with the lists to combine")],
  options: [
    Option("--output", short: "-o", .value("DIR"), "variants and results (default: assay-sweep)"),
    Option("--dry-run", .flag, "show the trials and what they will cost, and measure nothing"),
    Shared.store,
    Option("--executor", .choice(["local", "slurm"]), "who runs the trials (default: local)"),
    Option("--detach", .flag, "with --executor slurm: submit, and do not wait for the jobs"),
    Option("--device", .value("NAME"), "the plan's device that this machine is (default: local)"),
    Option("--most", .value("N"), "stop after N trials"),
    Option("--retry", .flag, "try again what was given up"),
  ],
  examples: [
    ("assay sweep plan.yaml --dry-run", "what it would do, and how long that takes"),
    ("assay sweep plan.yaml", "do it, or go on with it"),
    ("assay sweep plan.yaml --store postgres://lab@db/assay", "share the work with other machines"),
  ]
) { arguments, console in
  guard let path = arguments.operand(0) else { return .usage }
  let plan = try SweepPlan(path: path, SweepLayout.vocabulary)
  let folder = arguments.value("--output") ?? "assay-sweep"
  let shop = SweepShop(plan, folder: folder, console)
  let boards = try SweepBoards(console)
  defer { boards.close() }
  let layout = try SweepLayout(plan, shop, boards)
  console.endProgress()
  let storeURL = arguments.value("--store") ?? plan.store ?? storeURL(arguments)
  let store = try openStore(storeURL)
  let outlook = try SweepOutlook(layout, store)
  if arguments.has("--dry-run") {
    try console.result(outlook.json, text: outlook.text)
    return .done
  }
  guard !layout.schedule.trials.isEmpty else {
    throw Diagnostics(layout.schedule.omissions.map { $0.reason.inside($0.cell.title) })
  }
  for omission in layout.schedule.omissions {
    var note = omission.reason.inside(omission.cell.title)
    note.severity = .warning
    console.report(note)
  }
  let reused = try store.enroll(
    LedgerSweep(id: plan.id, name: plan.name, plan: plan.document),
    layout.schedule.entries
  )
  if reused > 0 {
    console.note("\(reused) trial\(reused == 1 ? " was" : "s were") measured by an earlier sweep")
  }
  let work = SweepWork(
    layout: layout,
    shop: shop,
    store: store,
    device: arguments.value("--device") ?? "local",
    boards: boards,
    console: console
  )
  let slurm = SlurmWork(
    layout: layout,
    store: store,
    storeURL: storeURL,
    folder: folder,
    isDetached: arguments.has("--detach"),
    console: console
  )
  let end =
    arguments.value("--executor") == "slurm"
    ? try slurm.run()
    : try work.run(
      most: try arguments.integer("--most"),
      isRetrying: arguments.has("--retry")
    )
  let health = boards.finish()
  console.endProgress()
  for (_, finding) in health { if let finding { console.report(finding) } }
  var result = try SweepResult(layout, store, end)
  result.health = health.map(\.health)
  try result.write(to: folder)
  try console.result(
    result.json,
    text: result.text + result.farewell(command: sameCommand(), folder: folder)
  )
  return result.isWhole ? .done : .finding
}

/// The command line that goes on with the work: this one, without what holds for one time only.
private func sameCommand() -> String {
  var words: [String] = []
  var skips = false
  for word in CommandLine.arguments.dropFirst() {
    if skips {
      skips = false
    } else if word == "--most" {
      skips = true
    } else if word != "--retry", !word.hasPrefix("--most=") {
      words.append(word.contains(" ") ? "'\(word)'" : word)
    }
  }
  return (["assay"] + words).joined(separator: " ")
}
