import AssayBase
import AssayData
import AssayHost
import AssayRecord
import AssayStore

/// Options that choose records.
private let choosing: [Option] = [
  Option("--session", .value("ID"), "only this comparison"),
  Option("--model", .value("SHA256"), "only this model file"),
  Option("--variant", .value("NAME"), "only this variant"),
  Option("--runtime", .value("NAME"), "only this runtime"),
]

let storeExportCommand = CommandSpec(
  name: "store export",
  summary: "write records as JSON lines or CSV, on request without names and paths",
  discussion: """
    A JSON line is a record in the form of docs/schema/record-1.json. The CSV has the figures that people
    compare, and in its last column the whole record, from which import reads it again. With --redact
    host and user names, serial numbers and folders are taken out.
    """,
  options: [
    Shared.store,
    Option("--format", .choice(RecordImport.formats), "jsonl (default) or csv"),
    Option("--output", short: "-o", .value("FILE"), "where to (default: standard output)"),
    Option("--redact", .flag, "without host names, serial numbers, user names and folders"),
    Option("--figures-only", .flag, "a CSV without the column of whole records"),
  ] + choosing,
  examples: [
    ("assay store export --redact -o records.jsonl", "records to give away"),
    ("assay store export --format csv --figures-only", "a table for a spreadsheet"),
  ]
) { arguments, console in
  let store = try readStore(arguments)
  let query = RecordQuery(
    session: arguments.value("--session"),
    modelSHA256: arguments.value("--model"),
    variant: arguments.value("--variant"),
    runtime: arguments.value("--runtime")
  )
  let table = RecordTable(hasWholeRecord: !arguments.has("--figures-only"))
  let isTable = arguments.value("--format") == "csv"
  var redactor = arguments.has("--redact") ? Redactor() : nil
  let output = arguments.value("--output")
  let draft = output.map { $0 + ".partial-\(Host.processID)" }
  defer { if let draft { try? Host.remove(draft) } }
  func write(_ text: String) throws {
    if let draft { try Host.append(Array(text.utf8), to: draft) } else { console.output(text) }
  }
  if isTable { try write(table.header) }
  var count = 0
  var page = ""
  try store.forEach(query) { record in
    let record = try redactor?.redacted(record) ?? record
    page += isTable ? table.line(record) : record.json.text() + "\n"
    count += 1
    if count % 100 == 0 {
      try write(page)
      page = ""
      console.progress("\(count) records")
    }
  }
  try write(page)
  console.endProgress()
  if let output, let draft {
    try AtomicFile.write([try MappedFile(path: draft).view], to: output)
    console.note("\(count) records are in \(output)")
  }
  return .done
}
