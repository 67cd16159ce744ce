import AssayBase
import AssayBench
import AssayCatalog
import AssayData
import AssayGraph
import AssayHost
import AssayQuantize
import AssayRecord
import AssayRemote
import AssayReport
import AssayStore
import AssayVerify

let tryCommand = CommandSpec(
  name: "try",
  summary:
    "make variants of a model, prove them, measure them on every runtime, and say which to ship",
  discussion: """
    Imports the model, makes a variant for each recipe, compares each with the original, measures every
    variant on every runtime in worker processes that take turns, and ends with one table, one HTML page
    and a recommendation. Records are kept in the store as they are finished. Without a MODEL, and for
    every option that is not given, assay.yaml in this folder is asked.
    """,
  operands: [
    Operand(word: "MODEL", help: "a .h5, .keras, .tflite or .onnx file", isOptional: true)
  ],
  options: [
    Shared.representative,
    Option("--labels", short: "-l", .value("FILE"), "a CSV with the header file,label"),
    Option("--data", .value("PATH"), "the labelled data, when --labels is an .npy for arrays"),
    Option("--label-names", .value("FILE"), "one class name a line, in the model's order"),
    Shared.preprocess,
    Option("--recipes", .value("LIST"), "recipes with commas (default: the five common ones)"),
    Option("--runtimes", .value("LIST"), "runtimes with commas (default: all that are installed)"),
    Shared.provider,
    Option("--threads", short: "-t", .value("LIST"), "thread counts with commas (default: 1)"),
    Option(
      "--openvino-format",
      .choice(["openvino", "onnx", "tflite"]),
      "what OpenVINO gets (default: its own, .xml)"
    ),
    Option("--max-drop", .value("PART"), "the pick may lose at most this accuracy, such as 1%"),
    Option("--max-latency", .value("TIME"), "the pick's median is at most this, such as 5ms"),
    Option("--max-size", .value("SIZE"), "the pick's file is at most this, such as 500kB"),
    Shared.device, Shared.preset, Shared.preflight,
    Option("--limit", .value("N"), "judge by at most N samples, stratified (default: 1000)"),
    Option("--calibration-limit", .value("N"), "calibrate on at most N samples (default: 500)"),
    Option("--seed", .value("N"), "seed of the order of turns (default: 1)"),
    Option("--no-profile", .flag, "leave out the times of operators"),
    Option("--output", short: "-o", .value("DIR"), "models and page (default: assay-out)"),
    Shared.store,
  ] + Shared.importing,
  examples: [
    ("assay try model.h5 -r images/ -l images/labels.csv --max-drop 1%", "the whole question"),
    ("assay try model.keras --preset quick --recipes float32,float16", "a glance, without data"),
  ]
) { arguments, console in
  let arguments = try withProjectFile(arguments, console)
  let plan = try TryPlan(arguments)
  let model = try Shared.model(plan.model, arguments, console)
  let data = try TryData(model.graph, arguments, console)
  let variants = try TryVariants(
    model.graph,
    plan,
    feed: data.representative.map { data in { try Quantizing.feed($0, data, console) } },
    console
  )
  for finding in variants.made.flatMap(\.diagnostics) where finding.severity != .note {
    console.report(finding)
  }
  let certificates = try variants.made.map { variant in
    console.progress("comparing \(variant.recipe.name) with the original")
    return try Certificate.compare(
      original: model.graph,
      variant: variant.graph,
      inputs: data.samples.prefix(8).map(\.inputs),
      threads: Host.processorCount
    )
  }
  console.endProgress()
  let scratch = try Scratch()
  defer { scratch.remove() }
  let session = try deviceSession(arguments, console)
  defer { session?.close() }
  var configurations = try TryConfigurations(variants, plan, data, folder: scratch.path)
  if let session { configurations.place(on: session) }
  var comparison = try comparison(arguments, folder: scratch.path)
  comparison.profiledRuns = arguments.has("--no-profile") ? 0 : 20
  let threads = configurations.wanted.map(\.threads).max() ?? 1
  if let session {
    comparison.place(on: session)
  } else {
    let watcher = try conditionsWatcher(arguments, threads: threads, console)
    for finding in watcher.findings where finding.severity == .warning { console.report(finding) }
    comparison.watchers.append(watcher)
  }
  let store = try openStore(storeURL(arguments))
  var records: [Record] = []
  _ = try comparison.run(
    configurations.wanted,
    progress: { show($0, console) },
    finished: { measured in
      let record = judge(measured, variants, data)
      try store.append([record])
      records.append(record)
    }
  )
  console.endProgress()
  records += configurations.impossible
  return try conclude(
    TryResult(
      plan: plan,
      model: model,
      data: data,
      variants: variants,
      certificates: certificates,
      records: records,
      storeURL: store.url,
      command: comparison.command
    ),
    console
  )
}

/// The arguments, completed by the project file.
private func withProjectFile(_ arguments: Arguments, _ console: Console) throws -> Arguments {
  let words = try ProjectFile.words(for: tryCommand, given: arguments)
  guard !words.isEmpty else { return arguments }
  return try arguments.adding(words, spec: tryCommand)
    .mapModels(of: tryCommand) { try ZooModel.path($0, console) }
}

/// A record with accuracy, agreement and noise of its own outputs.
private func judge(_ measured: Measured, _ variants: TryVariants, _ data: TryData) -> Record {
  var record = measured.record
  guard let outputs = measured.outputs,
    let graph = variants.made.first(where: { $0.recipe.name == record.variant })?.graph
  else { return record }
  do {
    let judgement = try Judgement(outputs: outputs, graph: graph, data: data)
    record.accuracy = judgement.accuracy
    record.accuracyCount = judgement.count
    record.agreement = judgement.agreement
    record.snrDb = judgement.snrDb
  } catch {
    record.reasons.append(
      (error as? Diagnostic) ?? Diagnostic("BEN130", "\(error)", severity: .warning)
    )
  }
  return record
}
