import AssayBase
import AssayFigures
import AssayHost
import AssayRate
import AssayRecord
import AssayReport
import AssayStore

let reportCommand = CommandSpec(
  name: "report",
  summary: "a comparison of the store as HTML, PDF, CSV, Markdown or a LaTeX table",
  discussion: """
    Takes the records of one comparison (the newest unless --session names another) and writes what the
    output's name asks for; without one it prints the table. PDF needs Cairo.
    """,
  operands: [
    Operand(word: "MODEL", help: "only models whose name has this in it", isOptional: true)
  ],
  options: [
    Option(
      "--output",
      short: "-o",
      .value("FILE"),
      "a .html, .pdf, .svg, .png, .csv, .md or .tex file, or `-` with --format"
    ),
    Option("--format", .choice(reportFormats), "the form, where the name does not tell it"),
    Option(
      "--store",
      .repeated("URL"),
      "a store of records (default: store.sqlite in $ASSAY_HOME)"
    ),
    Option("--session", .value("ID"), "the comparison (default: the newest)"),
    Option("--all", .flag, "the records of every comparison"),
    Shared.gridFactor,
  ],
  examples: [
    ("assay report -o digits.html", "the newest comparison as a page"),
    ("assay report --format md -o -", "as Markdown, to paste"),
    ("assay report digits --all -o digits.tex", "every record of a model as a LaTeX table"),
    ("assay report --co2 380g/kWh", "with an estimate of carbon dioxide at a factor of yours"),
  ]
) { arguments, console in
  var report = try storedReport(arguments)
  report.gridFactor = try gridFactor(arguments)
  guard let path = arguments.value("--output") else {
    guard arguments.value("--format") == nil else {
      throw Diagnostic("CLI005", "--output is missing", remedy: "-o FILE, or -o -")
    }
    try console.result(
      Recommendation(report).json,
      text: renderTable(report, width: Console.width, color: Console.usesColor)
    )
    return .done
  }
  let format =
    arguments.value("--format") ?? reportFormats.first { path.lowercased().hasSuffix("." + $0) }
  let bytes: [UInt8]
  switch format {
  case "html": bytes = Array(renderReport(report).utf8)
  case "csv": bytes = Array(renderCSV(report).utf8)
  case "md": bytes = Array(renderMarkdown(report).utf8)
  case "tex": bytes = Array(renderLaTeX(report).utf8)
  case let name?:
    bytes = try comparisonSheet(report, DrawingFormat(rawValue: name) ?? .pdf)
  case nil:
    throw Diagnostic(
      "FIG004",
      "'\(path)' does not tell what to write",
      remedy: "end it with .\(reportFormats.joined(separator: ", ."))"
    )
  }
  if path == "-" {
    guard let format, ["html", "csv", "md", "tex", "svg"].contains(format) else {
      throw Diagnostic("CLI006", "this form is no text for standard output", remedy: "-o FILE")
    }
    console.output(String(decoding: bytes, as: UTF8.self))
    return .done
  }
  try AtomicFile.write([ByteView(bytes)], to: path)
  try console.result(
    .object(["report": .string(path), "records": JSON(report.records.count)]),
    text: "\(path): \(report.records.count) records\n"
  )
  return .done
}

private let reportFormats = ["html", "pdf", "svg", "png", "csv", "md", "tex"]

let figuresCommand = CommandSpec(
  name: "figures",
  summary: "every view of a comparison as PDF and SVG, each with its data as CSV",
  discussion: """
    Draws what the records of one comparison (the newest unless --session names another) have figures
    for: latency against quality, how latency varies, size, memory, initialization and grades. Beside
    each drawing lies a CSV of the same name with the figures in base units. Needs Cairo.
    """,
  operands: [
    Operand(word: "MODEL", help: "only models whose name has this in it", isOptional: true)
  ],
  options: [
    Option("--output", short: "-o", .value("DIR"), "the folder, made if it is not there"),
    Option("--format", .repeated("FORM"), "pdf, svg or png (default: pdf and svg)"),
    Option(
      "--store",
      .repeated("URL"),
      "a store of records (default: store.sqlite in $ASSAY_HOME)"
    ),
    Option("--session", .value("ID"), "the comparison (default: the newest)"),
    Option("--all", .flag, "the records of every comparison"),
  ],
  examples: [("assay figures -o figures", "the newest comparison")]
) { arguments, console in
  guard let folder = arguments.value("--output") else {
    throw Diagnostic("CLI005", "--output is missing", remedy: "-o DIR")
  }
  let given = try arguments.all("--format").map { word in
    guard let format = DrawingFormat(rawValue: word) else {
      throw Diagnostic("CLI004", "--format cannot be '\(word)'", remedy: "one of svg, pdf, png")
    }
    return format
  }
  let formats = given.isEmpty ? [DrawingFormat.pdf, .svg] : given
  let report = try storedReport(arguments)
  let figures = ComparisonFigure.all(report)
  guard !figures.isEmpty else {
    throw Diagnostic("FIG006", "these records have nothing to draw")
  }
  try Host.makeFolders(folder)
  var files: [String] = []
  for figure in figures {
    for format in formats {
      let path = Host.join(folder, "\(figure.name).\(format.rawValue)")
      try AtomicFile.write([ByteView(try figure.file(format, madeAt: report.madeAt))], to: path)
      files.append(path)
    }
    let path = Host.join(folder, "\(figure.name).csv")
    try AtomicFile.write(figure.csv, to: path)
    files.append(path)
  }
  try console.result(
    .object(["files": .array(files.map { .string($0) })]),
    text: figures.map { "\(Host.join(folder, $0.name)): \($0.title)\n" }.joined()
  )
  return .done
}

/// The records of one comparison of the store, as pages and tables show them.
private func storedReport(_ arguments: Arguments) throws -> ComparisonReport {
  var records = try storedRecords(arguments)
  if let word = arguments.operand(0) {
    records = records.filter { Subject.name($0).contains(word) }
  }
  if !arguments.has("--all") {
    let newest = records.max { $0.finishedAt < $1.finishedAt }?.session
    let session = arguments.value("--session") ?? newest
    records = records.filter { $0.session == session }
  }
  guard let first = records.first else {
    throw Diagnostic(
      "RAT024",
      "no record is called so",
      at: [arguments.operand(0) ?? arguments.value("--session") ?? ""],
      remedy: "assay report without a name takes the newest comparison"
    )
  }
  let original = records.first { ["float32", "original"].contains($0.variant) } ?? first
  let networks = Set(records.map { Subject.name($0) })
  if networks.count > 1 {
    // A variant alone would not say whose it is.
    for index in records.indices {
      records[index].variant = "\(Subject.name(records[index])) \(records[index].variant)"
    }
  }
  var report = ComparisonReport(
    original: ComparisonReport.Original(
      path: Subject.name(original),
      sha256: original.model.sha256,
      byteCount: original.model.byteCount
    ),
    records: records
  )
  report.version = assayVersion
  report.networkCount = networks.count
  return report
}
