import AssayBase
import AssayCatalog
import AssayData
import AssayRecord
import AssayRemote
import AssayRuntime
import AssayTensor

let classifyCommand = CommandSpec(
  name: "classify",
  summary: "what a model sees in each picture of a folder, and how long it takes",
  discussion: """
    Runs every picture through the model and lists the classes with the highest scores. Each picture is
    run --repeat times after one run that warms up; the time is that of inference alone.

    With --device the pictures are prepared here and run there by our own runner, on a board or on a
    phone's processor. --adb-images does the same on a phone by benchmark_model, which has the phone's
    GPU and NNAPI too; the time of a picture is then the mean that the tool tells.
    """,
  operands: [Operand(word: "MODEL", help: "a .tflite or .onnx file (any format for reference)")],
  options: [
    Option("--images", .value("PATH"), "a folder of images, one image, or a list of paths"),
    Option("--label-names", .value("FILE"), "one class name a line, in the model's order"),
    Option("--top", .value("K"), "classes to list for each picture (default: 1)"),
    Option("--repeat", .value("N"), "timed runs of each picture (default: 1)"),
    Option("--adb-images", .value("PATH"), "the same on the phone that --device names"),
    Shared.runtime, Shared.anyProvider, Shared.threads, Shared.device, Shared.preprocess,
  ] + Shared.phone,
  examples: [
    (
      "assay classify model.tflite --images photos/ --label-names labels.txt --top 3 -p mobilenet",
      "what is in the photos"
    ),
    ("assay classify model.tflite --images photos/ --device pi", "what a board makes of them"),
    (
      "assay classify model.tflite --adb-images photos/ --device adb:R58M123ABC --provider gpu",
      "the same on a phone's GPU"
    ),
  ]
) { arguments, console in
  let path = arguments.operands[0]
  if let images = arguments.value("--adb-images") {
    let (rows, preprocessing) = try classifyOnPhone(images, arguments, console)
    let top = try arguments.integer("--top") ?? 1
    let summary = Summary(samples: rows.flatMap(\.nanoseconds))
    try console.result(
      .object([
        "schema": "assay.classify/1", "model": .string(path), "runtime": "benchmark_model",
        "device": JSON(arguments.value("--device")),
        "provider": .string(arguments.value("--provider") ?? "cpu"),
        "preprocess": .string(preprocessing), "images": .array(rows.map(\.json)),
        "latencyNs": summary.json,
      ]),
      text: text(rows, summary, top)
    )
    return .done
  }
  guard let images = arguments.value("--images") else {
    throw Diagnostic("CLI005", "--images is missing: the pictures to look at")
  }
  if let word = arguments.value("--provider"), Provider(rawValue: word) == nil {
    throw Diagnostic(
      "CLI009",
      "--provider \(word) is a path of benchmark_model, which reads pictures that are prepared for it",
      remedy: "--adb-images \(images) in place of --images"
    )
  }
  let options = try sessionOptions(arguments)
  let session = try deviceSession(arguments, console)
  defer { session?.close() }
  let runtime = placed(
    try chosenRuntime(arguments, model: path, mustBeHere: session == nil),
    on: session,
    provider: options.provider
  )
  let model = try LoadedModel(path: path, runtime: runtime, options: options)
  let data = try Dataset.open(
    path: images,
    inputs: model.inputs.map { DataInput(name: $0.name, type: $0.type) },
    preprocessing: try Preprocessing.parse(arguments.value("--preprocess") ?? ""),
    labelNames: arguments.labelNames()
  )
  if let list = arguments.value("--label-names"),
    let classes = model.outputs.first?.type.shape.dims.last,
    let finding = namesFinding(data.labelNames.count, classes: classes, from: list)
  {
    console.report(finding)
  }
  let top = try arguments.integer("--top") ?? 1
  let runs = try arguments.integer("--repeat") ?? 1
  var rows: [Classified] = []
  for index in 0..<data.count {
    console.progress("\(index + 1)/\(data.count) \(data.names[index])")
    rows.append(try classify(try data.sample(at: index), model, top, runs, data.labelNames))
  }
  console.endProgress()
  let summary = Summary(samples: rows.flatMap(\.nanoseconds))
  try console.result(
    .object([
      "schema": "assay.classify/1", "model": .string(path), "runtime": .string(runtime.id),
      "device": .string(session?.name ?? "local"),
      "preprocess": .string(data.preprocessing.text), "images": .array(rows.map(\.json)),
      "latencyNs": summary.json,
    ]),
    text: text(rows, summary, top)
  )
  return .done
}

/// What a model says of one picture.
struct Classified {
  var name: String
  var classes: [(label: String, index: Int, score: Float)]
  var nanoseconds: [Int64]

  var json: JSON {
    .object([
      "file": .string(name), "label": .string(classes.first?.label ?? ""),
      "score": JSON(Double(classes.first?.score ?? 0)),
      "ns": JSON(Int(nanoseconds.sorted()[(nanoseconds.count - 1) / 2])),
      "top": .array(
        classes.map {
          .object([
            "label": .string($0.label), "index": JSON($0.index), "score": JSON(Double($0.score)),
          ])
        }
      ),
    ])
  }
}

/// Looks at one picture: the best classes, and the times of `runs` runs after one that warms up.
func classify(
  _ sample: Sample,
  _ model: LoadedModel,
  _ top: Int,
  _ runs: Int,
  _ names: [String]
) throws -> Classified {
  try model.feed(sample.inputs)
  try model.session.runOnce()
  let times = try model.session.timedRuns(max(runs, 1)).map { Int64(clamping: $0) }
  guard let scores = try model.read().first?.tensor.floats() else {
    throw Diagnostic("RTM012", "the model has no output")
  }
  let classes = topIndices(scores, count: top).map { index in
    (
      label: names.indices.contains(index) ? names[index] : "\(index)", index: index,
      score: scores[index]
    )
  }
  return Classified(name: sample.name, classes: classes, nanoseconds: times)
}

private func text(_ rows: [Classified], _ summary: Summary, _ top: Int) -> String {
  let lines = rows.flatMap { row in
    row.classes.enumerated().map { rank, entry in
      [
        rank == 0 ? row.name : "", entry.label, Text.fixed(Double(entry.score), 4),
        rank == 0
          ? Text.time(Double(row.nanoseconds.sorted()[(row.nanoseconds.count - 1) / 2])) : "",
      ]
    }
  }
  func time(_ figure: Figure<Quantile>) -> String {
    figure.value.map { Text.time(Double($0.value)) } ?? "-"
  }
  return Text.table(["image", "class", "score", "time"], lines, numeric: [2, 3])
    + "\n\(rows.count) images, mean \(summary.mean.value.map { Text.time($0) } ?? "-"), "
    + "p50 \(time(summary.p50)), p90 \(time(summary.p90)), p99 \(time(summary.p99))\n"
}

/// The lone input of a model, made from a picture.
func imageInput(
  _ path: String,
  _ model: LoadedModel,
  _ arguments: Arguments
) throws
  -> [String: Tensor]
{
  let data = try Dataset.open(
    path: path,
    inputs: model.inputs.map { DataInput(name: $0.name, type: $0.type) },
    preprocessing: try Preprocessing.parse(arguments.value("--preprocess") ?? "")
  )
  return try data.sample(at: 0).inputs
}
