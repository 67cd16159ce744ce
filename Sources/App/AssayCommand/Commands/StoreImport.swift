import AssayBase
import AssayBench
import AssayData
import AssayHost
import AssayImports
import AssayRecord
import AssayStore

let storeImportCommand = CommandSpec(
  name: "store import",
  summary: "add records of Assay's, or results that others' tools and publications state",
  discussion: """
    Of Assay's own it reads JSON lines or CSV that store export wrote. Records that the store has already
    are left alone; a record under an id that stands for another one there is refused, and then nothing is
    added.

    With the name of a tool it reads what that tool printed or wrote:
    \(ResultImporter.all.map { "  \($0.name): \($0.summary)" }.joined(separator: "\n"))

    Such records keep every figure as it is stated, with its place in the file, who imported it, and what
    the source leaves out. They are marked wherever they are shown beside measurements of Assay's own; what
    a tool only estimated stays out of every ranking.
    """,
  operands: [Operand(word: "FILE", help: "a file, or a folder that a tool wrote")],
  options: [
    Shared.store,
    Option(
      "--format",
      .choice(RecordImport.formats + ResultImporter.all.map(\.name)),
      "what it is (default: jsonl or csv of store export, by the file's name)"
    ),
    Option("--by", .value("NAME"), "who imports it (default: the account's name)"),
    Option("--model", .value(Option.model), "the network's file, for its hash and size"),
    Option("--device", .value("NAME"), "what to call the hardware, where the source does not tell"),
    Option("--dry-run", .flag, "say what would be added, and add nothing"),
  ],
  examples: [
    ("assay store import records.jsonl --dry-run", "what is new in the file"),
    (
      "assay store import --format benchmark_app benchmark_report.csv",
      "what OpenVINO's benchmark_app measured"
    ),
    ("assay store import --format loadgen output/ --by lab", "a folder of LoadGen's logs"),
    (
      "assay store import --format strep edge_classification.raw.csv --dry-run --json -",
      "what a published table would give"
    ),
  ]
) { arguments, console in
  guard let path = arguments.operand(0) else { return .usage }
  let format = arguments.value("--format") ?? (path.hasSuffix(".csv") ? "csv" : "jsonl")
  let isDry = arguments.has("--dry-run")
  if let importer = ResultImporter.named(format) {
    return try importResults(path, importer, arguments, console)
  }
  let bytes = try MappedFile(path: path).view
  let records = try locating(path) {
    guard let text = bytes.utf8 else {
      throw Diagnostic("STO012", "the file is no UTF-8 text")
    }
    return try RecordImport.records(text, format: format) { try CSV.records(of: $0) }
  }
  let store = try openStore(storeURL(arguments))
  let outcome = try RecordImport.add(records, to: store, isDry: isDry)
  try console.result(
    .object([
      "schema": "assay.import/1", "file": .string(path), "format": .string(format),
      "store": .string(store.url), "added": JSON(outcome.added), "known": JSON(outcome.known),
      "dryRun": .bool(isDry),
    ]),
    text: importWords(outcome, isDry, store.url)
  )
  return .done
}

private func importWords(
  _ outcome: RecordImport.Outcome,
  _ isDry: Bool,
  _ url: String
) -> String {
  "\(outcome.added) records \(isDry ? "would be" : "were") added to \(url), "
    + "\(outcome.known) are there already\n"
}

/// Adds what a foreign file states.
private func importResults(
  _ path: String,
  _ importer: ResultImporter,
  _ arguments: Arguments,
  _ console: Console
) throws -> ExitStatus {
  let source = try ImportSource(path: path)
  var context = ImportContext(
    format: importer.name,
    file: path,
    sha256: source.sha256,
    by: arguments.value("--by") ?? Host.environment("USER") ?? "unknown",
    at: Host.wallNanoseconds(),
    model: try arguments.value("--model").map { try Record.Model(file: $0) },
    device: arguments.value("--device")
  )
  context.command = ["assay"] + CommandLine.arguments.dropFirst()
  let records = try importer.records(source, context)
  let store = try openStore(storeURL(arguments))
  let isDry = arguments.has("--dry-run")
  // An imported record's id is made of what was read: it is the same record, whenever it is imported.
  let fresh = try records.filter { try store.records(RecordQuery(id: $0.id)).isEmpty }
  var outcome = try RecordImport.add(fresh, to: store, isDry: isDry)
  outcome.known = records.count - fresh.count
  try console.result(
    .object([
      "schema": "assay.import/1", "file": .string(path), "format": .string(importer.name),
      "store": .string(store.url), "added": JSON(outcome.added), "known": JSON(outcome.known),
      "dryRun": .bool(isDry), "records": .array(records.map(\.json)),
    ]),
    text: importedText(records) + "\n" + importWords(outcome, isDry, store.url)
  )
  return .done
}

/// Imported records as a table, then what they lack.
private func importedText(_ records: [Record]) -> String {
  var text = Text.table(
    ["model", "runtime", "device", "median", "mean", "throughput", "verdict"],
    records.prefix(40).map { record in
      let summary = record.summary
      return [
        Host.name(of: record.model.path), "\(record.runtime)/\(record.provider)", record.device,
        summary.p50.value.map { Text.time(Double($0.value)) } ?? "-",
        summary.mean.value.map { Text.time($0) } ?? "-",
        record.throughput.value.map { "\(Text.significant($0))/s" } ?? "-",
        record.verdict.rawValue,
      ]
    },
    numeric: [3, 4, 5]
  )
  if records.count > 40 { text += "… and \(records.count - 40) more\n" }
  var gaps: [Record.Imported.Gap] = []
  for gap in records.flatMap({ $0.imported?.gaps ?? [] }) where !gaps.contains(gap) {
    gaps.append(gap)
  }
  text += "\nwhat is missing\n"
  text += Text.table(["figure", "why"], gaps.map { [$0.name, $0.reason] })
  let faults = records.flatMap { record in record.reasons.filter { $0.severity == .error } }
  for (index, fault) in faults.enumerated()
  where !faults[..<index].contains(where: { $0.summary == fault.summary }) {
    text += "\(fault)\n"
  }
  return text
}
