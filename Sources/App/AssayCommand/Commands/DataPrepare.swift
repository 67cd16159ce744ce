import AssayBase
import AssayCatalog
import AssayData
import AssayGraph
import AssayHost
import AssaySets
import AssayTensor

let dataPrepareCommand = CommandSpec(
  name: "data prepare",
  summary: "index and verify labelled data, select from them, and preprocess them once",
  discussion: """
    Makes a folder that `assay evaluate --data` takes: what is in the set, the hash of every file, and with
    --for the pictures as a network's input wants them, made once and shared by all networks of that size.
    Every picture is decoded; a broken one is an error unless --skip-broken. The same command goes on where
    it was interrupted; only a finished set is taken for one. KIND is imagenet (folders of synsets, or
    pictures with --labels), coco (--labels ANNOTATIONS.json), folder (a folder for each class), voc, or
    tsv (texts).
    """,
  operands: [
    Operand(word: "KIND", help: SetSource.allCases.map(\.rawValue).joined(separator: ", ")),
    Operand(word: "PATH", help: "the folder of the data, or the .tsv file"),
  ],
  options: [
    Option("--output", short: "-o", .value("DIR"), "the folder of the set"),
    Option("--labels", .value("FILE"), "annotations, or the list of labels"),
    Option("--label-names", .value("FILE"), "one class name a line, in the networks' order"),
    Option("--regions", .flag, "the classes of the pixels (voc)"),
    Option("--split", .value("NAME"), "the list in VOC's ImageSets (default: val)"),
    Option("--limit", .value("N"), "select N items, each class in proportion"),
    Option("--seed", .value("N"), "the same seed selects the same items (default: 0)"),
    Option("--selection", .value("FILE"), "select the items that the file names, one a line"),
    Option("--skip-broken", .flag, "leave out files that cannot be read, and list them"),
    Option("--for", .value(Option.model), "also preprocess for this model's input"),
    Shared.preprocess,
    Option("--threads", short: "-t", .value("N"), "threads that decode (default: all)"),
  ],
  examples: [
    (
      "assay data prepare imagenet val/ --labels val.txt --limit 5000 -o imagenet-5k",
      "5,000 pictures, each class in proportion"
    ),
    (
      "assay data prepare coco val2017/ --labels instances_val2017.json -o coco --for yolo.onnx -p yolo",
      "COCO, letterboxed once"
    ),
  ]
) { arguments, console in
  guard let source = SetSource(rawValue: arguments.operands[0]) else {
    let known = SetSource.allCases.map(\.rawValue)
    throw Diagnostic(
      "CLI004",
      "there is no kind of data '\(arguments.operands[0])'",
      remedy: nearest(to: arguments.operands[0], among: known).map { "did you mean \($0)?" }
        ?? "one of \(known.joined(separator: ", "))"
    )
  }
  guard let folder = arguments.value("--output") else {
    throw Diagnostic("CLI005", "--output is missing: the folder of the set")
  }
  let threads = try arguments.integer("--threads") ?? Host.processorCount
  let start = Host.monotonicNanoseconds()
  var (set, findings) = try source.index(
    arguments.operands[1],
    SetSource.Options(
      labels: arguments.value("--labels"),
      classNames: arguments.labelNames(),
      wantsRegions: arguments.has("--regions"),
      split: arguments.value("--split") ?? "val"
    )
  )
  if let file = arguments.value("--selection") {
    set = try set.selected(names: textLines(file), from: file)
  } else if let limit = try arguments.integer("--limit") {
    set = set.selected(limit, seed: UInt64(try arguments.integer("--seed", minimum: 0) ?? 0))
  }
  try Host.makeFolders(folder)
  // What an earlier set holds is not taken for this one while this one is made.
  try? Host.remove(Host.join(folder, LabelledSet.fileName))
  func show(_ what: String, _ done: Int) {
    let elapsed = Double(Host.monotonicNanoseconds() - start)
    let left = done > 0 ? elapsed / Double(done) * Double(set.items.count - done) : 0
    console.progress("\(what) \(done)/\(set.items.count), \(Text.duration(left)) left")
  }
  let verified = try SetVerification(folder: folder, threads: threads)
    .run(set, skipsBroken: arguments.has("--skip-broken")) { show("reading", $0) }
  set = verified.set
  findings += verified.findings
  var made: (folder: String, made: Int)?
  if let model = arguments.value("--for") {
    let graph = try importModel(path: model).graph
    guard graph.inputs.count == 1 else {
      throw Diagnostic("DAT011", "pictures feed networks of one input", at: [model])
    }
    made = try PreparedPictures.make(
      setFolder: folder,
      set: set,
      preprocessing: Preprocessing.parse(arguments.value("--preprocess") ?? ""),
      input: graph[graph.inputs[0]].type,
      threads: threads
    ) { show("preparing", $0) }
  }
  console.endProgress()
  let names = set.items.map { $0.name + "\n" }.joined()
  try AtomicFile.write(names, to: Host.join(folder, "selection.txt"))
  // Written last: a folder with this file is whole.
  try AtomicFile.write(set.json.text() + "\n", to: Host.join(folder, LabelledSet.fileName))
  for finding in findings { console.report(finding) }
  for skipped in set.skipped { console.note("left out: \(skipped.name): \(skipped.reason)") }
  let objects = set.items.reduce(0) { $0 + $1.objects.count }
  let words = [
    "\(set.items.count) items of \(set.classes.count) classes in \(folder)"
      + (objects > 0 ? ", \(objects) objects" : "")
      + (set.skipped.isEmpty ? "" : ", \(set.skipped.count) broken files left out"),
    set.selection.isEmpty ? nil : "selected: \(set.selection) (selection.txt)",
    made.map {
      $0.made > 0 ? "\($0.made) pictures prepared" : "the prepared pictures are there already"
    },
    "set \(set.sha256.prefix(12)); next: assay evaluate MODEL --data \(folder)",
  ]
  try console.result(
    .object([
      "schema": "assay.data-prepare/1", "folder": .string(folder),
      "task": .string(set.task.rawValue), "sha256": .string(set.sha256),
      "items": JSON(set.items.count), "classes": JSON(set.classes.count),
      "objects": JSON(objects), "selection": .string(set.selection),
      "skipped": .array(
        set.skipped.map { .object(["name": .string($0.name), "reason": .string($0.reason)]) }
      ),
      "findings": .array(findings.map(\.json)),
      "prepared": made.map { .string($0.folder) } ?? .null,
    ]),
    text: words.compactMap(\.self).joined(separator: "\n") + "\n"
  )
  return .done
}
