import AssayAccuracy
import AssayBase
import AssayCatalog
import AssayCodec
import AssayData
import AssayDevice
import AssayFormat
import AssayHost
import AssayRuntime
import AssaySets
import AssayStore
import AssayVision

let evaluateCommand = CommandSpec(
  name: "evaluate",
  summary: "tell a model's accuracy on labelled data, with its interval, on each runtime",
  discussion: """
    Runs the model over a set that `assay data prepare` made (a folder of class folders is prepared on the
    way) and scores what comes out: classes, objects and masks by COCO's rules, regions, or texts. What was
    evaluated is kept in the store's ledger, so that a run that was stopped goes on, and several machines \
    that run the same command with one store share the work. With --against each model is compared with the original on the same
    items: agreement, the difference with its interval, and McNemar's exact test.
    """,
  operands: [
    Operand(word: "MODEL", help: "a model file (none with --results)", isOptional: true)
  ],
  options: [
    Option("--data", .value("SET"), "a prepared set, or a folder with a folder for each class"),
    Option("--against", .value(Option.model), "the original, evaluated on the same items"),
    Shared.device,
    Option("--runtime", .value("A,B"), "runtimes, each a row (default: the first that fits)"),
    Shared.provider, Shared.threads, Shared.preprocess,
    Option(
      "--head",
      .choice(Head.allCases.map(\.rawValue)),
      "how outputs are read (default: told by their shapes)"
    ),
    Option("--label-offset", .value("N"), "the network's number of the first class (default: 0)"),
    Option(
      "--coco-classes",
      .choice(["80", "90", "91", "set"]),
      "how a detector numbers COCO's classes (default: 80, 90 for SSD)"
    ),
    Option("--vocabulary", .value("FILE"), "the pieces of words that texts are cut into"),
    Option("--cased", .flag, "texts keep their capitals and accents"),
    Option("--limit", .value("N"), "take a seeded sample of N items"),
    Option("--workers", .value("N"), "worker processes, or jobs of Slurm (default: 1)"),
    Option("--executor", .choice(["local", "slurm"]), "who runs the workers (default: local)"),
    Shared.store,
    Option(
      "--results",
      .value("FILE"),
      "score a COCO results file against --data ANNOTATIONS.json instead"
    ),
    Option(
      "--min-accuracy",
      .value("PART"),
      "end with status 1 when a model's first figure is below, such as 70%"
    ),
  ],
  examples: [
    (
      "assay evaluate model.tflite --data imagenet-set -p mobilenet --runtime litert,openvino",
      "accuracy on two runtimes"
    ),
    (
      "assay evaluate int8.tflite --data set --against model.onnx -p torch",
      "what quantization cost, by a paired test"
    ),
    (
      "assay evaluate --results detections.json --data instances_val2017.json",
      "COCO's figures of a results file"
    ),
  ]
) { arguments, console in
  guard let data = arguments.value("--data") else {
    throw Diagnostic("CLI005", "--data is missing: the labelled data")
  }
  if let results = arguments.value("--results") {
    return try scoreResults(results, data, console)
  }
  guard let path = arguments.operand(0) else {
    throw Diagnostic("CLI005", "MODEL is missing: the file to evaluate")
  }
  guard let executable = Host.executablePath else {
    throw Diagnostic("HST032", "this system does not tell where assay itself lies")
  }
  let folder = try setFolder(data, limit: arguments.integer("--limit"), console)
  let set = try LabelledSet(folder: folder)
  let storeURL = storeURL(arguments)
  let run = EvaluationRun(
    executable: executable,
    workers: try arguments.integer("--workers") ?? 1,
    store: try openStore(storeURL),
    storeURL: storeURL,
    usesSlurm: arguments.value("--executor") == "slurm",
    console: console
  )
  let least = try arguments.part("--min-accuracy")
  var reference: EvaluationResult?
  if let original = arguments.value("--against") {
    let runtime = try anyRuntime(model: original)
    reference = try run.run(try evaluationPlan(original, runtime, folder, set, arguments), set)
  }
  let device = try evaluationDevice(arguments)
  let results = try evaluationRuntimes(arguments, model: path).map { runtime in
    var plan = try evaluationPlan(path, runtime, folder, set, arguments)
    plan.device = device
    return try run.run(plan, set)
  }
  let table = EvaluationTable(
    set: set,
    results: results,
    reference: reference,
    threads: Host.processorCount
  )
  let findings = results.flatMap { table.findings($0) } + (reference?.fault ?? [])
  try console.result(
    .object([
      "schema": "assay.evaluation/1", "task": .string(set.task.rawValue),
      "set": .object([
        "sha256": .string(set.sha256), "source": .string(set.source),
        "items": JSON(set.items.count), "skipped": JSON(set.skipped.count),
        "selection": .string(set.selection),
      ]),
      "reference": reference.map { table.json($0) } ?? .null,
      "results": .array(results.map { table.json($0) }),
    ]),
    text: table.text + evaluationNotes(set, results, reference)
  )
  for finding in findings { console.report(finding) }
  if results.contains(where: { !$0.isWhole }) || findings.contains(where: { $0.code == "EVA011" }) {
    return .finding
  }
  guard let least else { return .done }
  let below = results.map { (result: $0, reached: measure($0, set) ?? 0) }.filter {
    $0.reached < least
  }
  for (result, reached) in below {
    console.report(
      Diagnostic(
        "EVA013",
        "\(result.plan.runtime) reaches \(Words.percent(reached)), which is below "
          + "--min-accuracy \(Words.percent(least))",
        at: [result.plan.model]
      )
    )
  }
  return below.isEmpty ? .done : .finding
}

/// What the figures are of, under the table.
private func evaluationNotes(
  _ set: LabelledSet,
  _ results: [EvaluationResult],
  _ reference: EvaluationResult?
) -> String {
  var lines = [
    "\n\(set.items.count) items of \(set.source), set \(set.sha256.prefix(12))"
      + (set.selection.isEmpty ? "" : ", \(set.selection)")
      + (set.skipped.isEmpty ? "" : ", \(set.skipped.count) broken files left out")
  ]
  if let first = results.first {
    lines.append("preprocessing: \(first.plan.preprocess)")
    lines.append("model: sha256 \(first.plan.sha256)")
  }
  switch set.task {
  case .classes, .text:
    lines.append("± is half the 95 % interval (Wilson)")
    if reference != nil {
      lines.append("points: against the original on the same items, 95 % (Newcombe); p: McNemar")
    }
  case .objects:
    lines.append(
      "COCO's rules; ± by drawing the pictures again; precision and recall at the best F1"
    )
  case .regions: lines.append("± by drawing the pictures again")
  }
  let least = results.map(\.outcomes.count).min() ?? 0
  if least < set.items.count {
    lines.append("not all items are done: others are at them, or the same command does the rest")
  }
  return lines.joined(separator: "\n") + "\n"
}

/// What a task's accuracy is told by first; `nil` when nothing was scored.
private func measure(_ result: EvaluationResult, _ set: LabelledSet) -> Double? {
  switch result.task {
  case .classes, .text: result.tops[1]?.fraction
  case .objects: result.detection(set, kind: .box, threads: 1).summary.mean
  case .regions: result.regions.mean
  }
}

/// The device that `--device` names: one worker at a time can use it.
private func evaluationDevice(_ arguments: Arguments) throws -> String? {
  guard let word = arguments.value("--device"), word != "local" else { return nil }
  guard try arguments.integer("--workers") ?? 1 == 1 else {
    throw Diagnostic("CLI009", "a device has one worker: --workers does not go with --device")
  }
  return try DeviceBook.read().entry(word).address.text
}

/// The runtimes that are asked for, or the first that fits.
private func evaluationRuntimes(
  _ arguments: Arguments,
  model path: String
) throws -> [any InferenceRuntime] {
  guard let names = arguments.words("--runtime") else { return [try anyRuntime(model: path)] }
  return try names.map { name in
    let runtime = try Catalog.runtime(name)
    let format = try format(ofModel: path).id
    guard runtime.formats.contains(format) else {
      throw Diagnostic(
        "CLI009",
        "\(name) does not read \(format) files",
        at: [path],
        remedy: "it reads \(runtime.formats.joined(separator: ", ")): see assay convert"
      )
    }
    return runtime
  }
}

/// The first usable runtime that reads a model's format.
private func anyRuntime(model path: String) throws -> any InferenceRuntime {
  let format = try format(ofModel: path).id
  let fitting = Catalog.runtimes.filter { $0.formats.contains(format) && $0.id != "null" }
  guard let found = fitting.first(where: { $0.probe().isAvailable }) else {
    throw Diagnostic("HST030", "no runtime here runs \(format) files", at: [path])
  }
  return found
}

private func evaluationPlan(
  _ path: String,
  _ runtime: any InferenceRuntime,
  _ folder: String,
  _ set: LabelledSet,
  _ arguments: Arguments
) throws -> EvaluationPlan {
  guard case .available(let version) = runtime.probe() else {
    throw Diagnostic("HST030", "\(runtime.id) cannot be used", remedy: "see assay doctor")
  }
  let head = arguments.value("--head").flatMap(Head.init)
  let isCOCO = set.categoryIDs == LabelMaps.cocoIDs
  let classes =
    switch arguments.value("--coco-classes") {
    case "set"?: 0
    case let text?: Int(text) ?? 0
    case nil: isCOCO && head == .ssd ? 90 : 0
    }
  return EvaluationPlan(
    model: Host.realPath(path) ?? path,
    sha256: try contentHash(path),
    runtime: runtime.id,
    version: version,
    provider: arguments.value("--provider") ?? "cpu",
    threads: try arguments.integer("--threads") ?? 1,
    set: Host.realPath(folder) ?? folder,
    setHash: set.sha256,
    preprocess: try Preprocessing.parse(arguments.value("--preprocess") ?? "").text,
    head: head,
    labelOffset: try arguments.integer("--label-offset", minimum: -1) ?? 0,
    vocabulary: arguments.value("--vocabulary").map { Host.realPath($0) ?? $0 },
    isUncased: !arguments.has("--cased"),
    detectorClasses: classes
  )
}

/// The folder of a prepared set; a folder of class folders is prepared below Assay's home.
private func setFolder(_ path: String, limit: Int?, _ console: Console) throws -> String {
  let isSet = Host.kind(of: Host.join(path, LabelledSet.fileName)) == .file
  if isSet, limit == nil { return path }
  if !isSet, Host.kind(of: Host.join(path, SetVerification.journal)) == .file {
    throw Diagnostic(
      "DST001",
      "the preparation of the set in this folder was not finished",
      at: [path],
      remedy: "the same assay data prepare goes on where it stopped"
    )
  }
  var set: LabelledSet
  if isSet {
    set = try LabelledSet(folder: path)
  } else {
    let (indexed, findings) = try SetSource.folder.index(path)
    for finding in findings { console.report(finding) }
    set = indexed
  }
  if let limit { set = set.selected(limit, seed: 0) }
  let name = sha256((Host.realPath(path) ?? path) + "\(limit ?? 0)").prefix(16)
  let folder = Host.join(AssayHome.path, "sets/" + name)
  try Host.makeFolders(folder)
  if !isSet {
    let (verified, findings) = try SetVerification(folder: folder, threads: Host.processorCount)
      .run(set, skipsBroken: false) { done in console.progress("\(done)/\(set.items.count)") }
    console.endProgress()
    for finding in findings { console.report(finding) }
    set = verified
  }
  let file = Host.join(folder, LabelledSet.fileName)
  try AtomicFile.write(set.json.text() + "\n", to: file)
  return folder
}

/// Scores a results file against an annotation file.
private func scoreResults(
  _ results: String,
  _ annotations: String,
  _ console: Console
) throws -> ExitStatus {
  let truth = try locating(annotations) { try COCOTruth(MappedFile(path: annotations).view) }
  let (images, hasMasks) = try read(json: results) { try truth.images(results: $0) }
  for finding in truth.findings { console.report(finding.inside(annotations)) }
  var json = JSON.object(["schema": "assay.evaluation/1", "task": "objects"])
  var rows: [[String]] = []
  for kind in hasMasks ? [DetectionRules.Kind.box, .mask] : [.box] {
    let evaluation = DetectionEvaluation(
      images,
      kind: kind,
      categoryCount: truth.categories.count,
      threads: Host.processorCount
    )
    let figures = EvaluationTable.json(
      evaluation,
      classes: truth.categories.map(\.name),
      threads: Host.processorCount
    )
    json[kind.rawValue] = figures
    func range(_ name: String) -> ClosedRange<Double>? {
      let ends = (figures[name]?["interval"]?.array ?? []).compactMap(\.double)
      return ends.count == 2 ? ends[0]...ends[1] : nil
    }
    let summary = evaluation.summary
    let point = evaluation.workingPoint
    rows.append([
      kind.rawValue, EvaluationTable.percent(summary.at50, range("mAP50")),
      EvaluationTable.percent(summary.mean, range("mAP50_95")),
      EvaluationTable.percent(point?.precision, nil), EvaluationTable.percent(point?.recall, nil),
      "\(evaluation.objectCount)", "\(evaluation.imageCount)",
    ])
  }
  try console.result(
    json,
    text: Text.table(
      ["", "mAP50", "mAP50-95", "precision", "recall", "objects", "pictures"],
      rows,
      numeric: Set(1...6)
    ) + "\nCOCO's rules; ± by drawing the pictures again; precision and recall at the best F1\n"
  )
  return .done
}
