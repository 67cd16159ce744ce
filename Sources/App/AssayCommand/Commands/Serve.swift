import AssayBase
import AssayData
import AssayExplore
import AssayHost
import AssayRate
import AssayStore

let serveCommand = CommandSpec(
  name: "serve",
  summary: "explore what was measured on a page, and run benchmarks from it",
  discussion: """
    Serves the records of the store, or a table of published results, at http://localhost:8888: any
    property against any other, ratings, the best model for a demand, model by model. Models, pictures
    and series of the models' folder can be run from the page. Only this machine can reach it; with
    --address others can, and then a token is needed. Ends with Ctrl-C.
    """,
  options: ExplorerArguments.options + [
    Option("--port", .value("N"), "the port (default: 8888; 0 for any that is free)"),
    Option("--address", .value("ADDRESS"), "the numeric address to listen on (default: 127.0.0.1)"),
    Option("--token", .value("WORD"), "what the page's address must bring (default: made up)"),
    Option(
      "--models",
      .value("DIR"),
      "models, pictures and series for the page (default: models in $ASSAY_HOME)"
    ),
    Option("--read-only", .flag, "show, and run nothing"),
    Option("--upload-limit", .value("MB"), "the largest file that may be dropped (default: 1024)"),
  ],
  examples: [
    ("assay serve", "what was measured here"),
    ("assay serve --table results.csv --properties properties.json", "a published table"),
    ("assay serve --address 0.0.0.0 --read-only", "for others to see, with a token"),
  ]
) { arguments, console in
  var options = Explorer.Options()
  options.address = arguments.value("--address") ?? options.address
  options.port = try arguments.integer("--port", minimum: 0) ?? options.port
  options.uploadLimit = (try arguments.integer("--upload-limit") ?? 1024) * 1_000_000
  options.token = arguments.value("--token")
  if options.token == nil, !Explorer.isLocal(options.address) { options.token = madeUpToken() }
  options.plotly = Explorer.chartLibrary
  options.version = assayVersion
  // A page that stands at once, and fills while it is looked at.
  options.readFirst = 5_000
  options.keepsRowsIn = Host.join(AssayHome.path, "explorer")
  let models = arguments.value("--models") ?? Host.join(AssayHome.path, "models")
  var bench: PageBench?
  if !arguments.has("--read-only") {
    if arguments.value("--models") == nil { try Host.makeFolders(models) }
    guard Host.kind(of: models) == .folder else {
      throw Diagnostic("CLI006", "--models names no folder", at: [models])
    }
    bench = PageBench(folder: models, store: arguments.value("--store"))
  }
  let explorer = try Explorer(
    try ExplorerArguments.source(arguments),
    settings: try ExplorerArguments.settings(arguments),
    bench: bench,
    options: options
  )
  let url = try explorer.start()
  console.output("\(url)\n")
  console.note("serving until Ctrl-C")
  while true { Host.sleep(nanoseconds: 3_600_000_000_000) }
}

/// 128 random bits.
private func madeUpToken() -> String {
  (0..<2).map { _ in String(UInt64.random(in: UInt64.min...UInt64.max), radix: 36) }.joined()
}

/// What `serve` and `export-site` share: which measurements, and how they are rated.
enum ExplorerArguments {
  static let options = [
    Shared.store,
    Option(
      "--table",
      .value("FILE"),
      "a CSV of published results in the place of the store, as assay rate reads it"
    ),
    Option("--properties", .value("FILE"), "with --table: JSON of what its columns are"),
    Option("--settings", .value("FILE"), "how to rate, as the page saved it"),
  ]

  static func source(_ arguments: Arguments) throws -> Explorer.Source {
    guard let path = arguments.value("--table") else {
      return .store(try openStore(storeURL(arguments)))
    }
    guard let described = arguments.value("--properties") else {
      throw Diagnostic(
        "CLI005",
        "--properties is missing: what the table's columns are",
        remedy: "--properties FILE.json"
      )
    }
    let table = try MeasurementTable(
      CSV.records(ofFile: path),
      properties: try read(json: described, PropertyMeta.read)
    )
    return .table(ExplorerTable(table), name: Host.name(of: path))
  }

  static func settings(_ arguments: Arguments) throws -> ExplorerSettings? {
    guard let path = arguments.value("--settings") else { return nil }
    return try read(json: path, ExplorerSettings.init(json:))
  }
}
