import AssayBase
import AssayStore

let storeCopyCommand = CommandSpec(
  name: "store copy",
  summary: "add the records and sweeps of one store to another, SQLite or PostgreSQL",
  discussion: """
    What the target has already is left alone, so that a copy that was cut off is gone on with by the same
    command, and the stores of several machines can be brought together.
    """,
  operands: [
    Operand(word: "FROM", help: "the store to read: sqlite:PATH or postgres://USER@HOST/DATABASE"),
    Operand(word: "TO", help: "the store to add to, named likewise"),
  ],
  examples: [
    ("assay store copy sqlite:store.sqlite postgres://lab@db/assay", "from one's own to the team's")
  ]
) { arguments, console in
  guard let from = arguments.operand(0), let to = arguments.operand(1) else { return .usage }
  let (source, target) = (try openStore(from, mustExist: true), try openStore(to))
  let total = try source.count()
  let outcome = try StoreCopy.copy(from: source, to: target) {
    console.progress("\($0)/\(total) records")
  }
  console.endProgress()
  try console.result(
    .object([
      "schema": "assay.copy/1", "from": .string(source.url), "to": .string(target.url),
      "added": JSON(outcome.records.added), "known": JSON(outcome.records.known),
      "sweeps": JSON(outcome.sweeps),
    ]),
    text: "\(outcome.records.added) records and \(outcome.sweeps) sweeps were added to "
      + "\(target.url), \(outcome.records.known) records are there already\n"
  )
  return .done
}

let storeMigrateCommand = CommandSpec(
  name: "store migrate",
  summary: "make a store's tables, or bring an older store to this version's layout",
  discussion: """
    Every command does this by itself when it opens a store; on a server it may need a user who may make
    tables, once. An SQLite file is copied beside itself before its layout is changed.
    """,
  options: [Shared.store],
  examples: [("assay store migrate --store postgres://owner@db/assay", "once, for the team")]
) { arguments, console in
  let store = try openStore(storeURL(arguments))
  let count = try store.count()
  try console.result(
    .object([
      "schema": "assay.migrate/1", "store": .string(store.url), "layout": JSON(storeLayout),
      "records": JSON(count),
    ]),
    text: "\(store.url) has layout \(storeLayout), \(count) records\n"
  )
  return .done
}
