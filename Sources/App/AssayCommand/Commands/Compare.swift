import AssayBase
import AssayBench
import AssayHost
import AssayRecord
import AssayRemote
import AssayReport
import AssayRuntime
import AssayStatistics
import AssayStore

let compareCommand = CommandSpec(
  name: "compare",
  summary: "say which of two is faster, by how much, and what could have been missed",
  discussion: """
    A and B are two model files, measured side by side: pairs of fresh processes that take turns in random
    order. Or two records, by id or as JSON files. Or one model in two ways: two runtimes or two thread
    counts with a comma. The difference comes with its 95 % interval and with the size of a difference that
    such a comparison finds. With --max-regression it ends with status 1 when B is slower than A by more
    than that beyond doubt; without, when a measurement does not hold.
    """,
  operands: [
    Operand(word: "A", help: "a model file or a record", isOptional: true),
    Operand(word: "B", help: "another model file or record", isOptional: true),
  ],
  options: [
    Option("--runtime", .value("LIST"), "a runtime for both, or A's and B's with a comma"),
    Shared.provider, Shared.device,
    Option("--clock", .value("LIST"), "Edge TPU: a clock for both, or A's and B's with a comma"),
    EdgeTPUOptions.device,
    Option(
      "--threads",
      short: "-t",
      .value("LIST"),
      "threads of both, or A's and B's with a comma"
    ),
    Shared.preset, Shared.preflight, Shared.store,
    Option("--input", short: "-i", .value("FILE"), "an .npz or .npy with the inputs of both"),
    Option("--seed", .value("N"), "seed of the order of turns (default: 1)"),
  ] + DifferenceOptions.options + ScenarioOptions.issuing,
  examples: [
    ("assay compare old.tflite new.tflite", "two files, side by side"),
    ("assay compare model.tflite --threads 1,2", "does a second thread help?"),
    (
      "assay compare model_edgetpu.tflite --clock standard,maximum",
      "what an Edge TPU gains by its higher clock"
    ),
    ("assay compare model.tflite model.onnx --runtime litert,onnxruntime", "two runtimes"),
    (
      "assay compare old.tflite new.tflite --max-regression 2% --junit out.xml",
      "a check for a build server"
    ),
    ("assay compare 01JC9Q4T8MZC3V5K-0000 01JC9Q4T8MZC3V5K-0001", "two records of the store"),
  ]
) { arguments, console in
  let options = try DifferenceOptions(arguments)
  let sides: (DifferenceReport.Side, DifferenceReport.Side)
  if let records = try recordedSides(arguments) {
    sides = records
  } else {
    sides = try measuredSides(try CompareSide.pair(arguments), arguments, console)
  }
  let wanted = try ScenarioOptions(arguments)
  let report = DifferenceReport(
    sides.0,
    sides.1,
    percentile: options.percentile ?? wanted.scenario?.percentile ?? .p50,
    limit: options.limit,
    asked: Set(
      ["--threads", "--clock"].filter { arguments.value($0)?.contains(",") == true }
        .map { String($0.dropFirst(2)) }
    )
  )
  return try options.conclude(report, console)
}

/// What is done with a difference, as options of a command.
struct DifferenceOptions {
  /// The percentile that is compared; `nil` when no option says.
  var percentile: Percentile?
  /// The slow-down that is allowed.
  var limit: Double?
  private var junit: String?
  private var markdown: String?

  static let options = [
    Option("--max-regression", .value("PART"), "how much slower B may be, as 2%; status 1 beyond"),
    Option("--junit", .value("FILE"), "also write the outcome as JUnit's XML"),
    Option("--markdown", .value("FILE"), "also append it as Markdown, as to $GITHUB_STEP_SUMMARY"),
  ]

  init(_ arguments: Arguments) throws {
    if let text = arguments.value("--percentile") { percentile = Percentile(text) }
    limit = try arguments.part("--max-regression", upTo: 10)
    junit = arguments.value("--junit")
    markdown = arguments.value("--markdown")
  }

  /// Writes and prints the report.
  func conclude(_ report: DifferenceReport, _ console: Console) throws -> ExitStatus {
    if let junit { try AtomicFile.write(report.junit, to: junit) }
    if let markdown {
      // A build server hands every step the same file.
      let before =
        Host.kind(of: markdown) == .file ? try MappedFile(path: markdown).view.utf8 ?? "" : ""
      try AtomicFile.write(before + report.markdown, to: markdown)
    }
    try console.result(report.json, text: differenceText(report))
    if !report.isValid { return .finding }
    return report.outcome == .regressed ? .finding : .done
  }
}

/// What `compare` prints: the answer, then both sides, then what to know of them.
func differenceText(_ report: DifferenceReport) -> String {
  var text = report.sentences.joined(separator: "\n") + "\n\n"
  text += Text.table(
    ["", report.a.name, report.b.name],
    DifferenceReport.rows.map { [$0.name, $0.value(report.a.record), $0.value(report.b.record)] },
    numeric: [1, 2]
  )
  for side in [report.a, report.b] {
    for reason in side.record.reasons { text += "\(side.name): \(reason)\n" }
  }
  return text
}

/// Measures both sides side by side and keeps their records.
func measuredSides(
  _ pair: (CompareSide, CompareSide),
  _ arguments: Arguments,
  _ console: Console
) throws -> (DifferenceReport.Side, DifferenceReport.Side) {
  let scratch = try Scratch()
  defer { scratch.remove() }
  let wanted = try ScenarioOptions(arguments)
  let sides = [pair.0, pair.1]
  let session = try deviceSession(arguments, console)
  defer { session?.close() }
  let configurations = try sides.map { side in
    var configuration = try side.configuration()
    configuration.scenario = wanted.scenario
    configuration.device = session?.name ?? "local"
    if let input = arguments.value("--input") {
      configuration.inputs = try boundInputs(
        input,
        side.path,
        placed(side.runtime, on: session),
        scratch
      )
    }
    return configuration
  }
  var duel = Duel(
    try comparison(arguments, folder: scratch.path),
    thoroughness: arguments.value("--preset") ?? "standard"
  )
  duel.comparison.preset = wanted.applied(to: duel.comparison.preset)
  let threads = configurations.map(\.threads).max() ?? 1
  if let session {
    duel.comparison.place(on: session)
  } else {
    duel.comparison.watchers.append(try conditionsWatcher(arguments, threads: threads, console))
  }
  let records = try duel.run(configurations, progress: { show($0, console) })
  console.endProgress()
  guard records.count == 2 else {
    throw Diagnostic("BEN001", "\(records.count) of two sides were measured")
  }
  if !sides.contains(where: { $0.runtime.id == "null" }) {
    try openStore(storeURL(arguments)).append(records)
  }
  let names = CompareSide.names(pair.0, pair.1)
  return (.init(name: names.0, record: records[0]), .init(name: names.1, record: records[1]))
}
