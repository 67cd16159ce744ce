import AssayBase
import AssayCatalog
import AssayFormat
import AssayGraph
import AssayHost
import AssayModels
import AssayRewrite

let zooBuildCommand = CommandSpec(
  name: "zoo build",
  summary: "write a network of the zoo, or all of them, with random or published weights",
  discussion: """
    Builds a network, finds sizes for its random weights that keep its numbers alive (normalizations take
    the statistics of a made-up picture, every other layer gives out numbers of about one), and writes
    the format that the output's name asks for. The same seed gives the same file on every machine with
    the same kernels.
    With --weights it gets the weights of a file instead: Keras's .h5, .weights.h5 or .keras, .safetensors,
    PyTorch's .pt or .pth, or a TensorFlow checkpoint (see docs/weights.md). What the file lacks, has too
    much of or has in other extents is listed; nothing is written unless everything has its weight.
    With --all every network that the filters leave is written to a folder; files that are there are
    left alone, so that a run that was stopped goes on where it was.
    """,
  operands: [
    Operand(word: "NAME", help: ZooArguments.operand.help, isOptional: true)
  ],
  options: [
    Option("--output", short: "-o", .value("FILE"), "the file to write; the folder with --all"),
    ZooArguments.seed,
  ] + ZooArguments.shaping + [
    Option("--weights", .value("FILE"), "published weights instead of random ones"),
    Option("--partial", .flag, "with --weights: what the file lacks keeps random weights"),
    Shared.threads, Option("--all", .flag, "all networks, each as NAME.tflite in the folder"),
    Option("--format", .value("EXT"), "with --all: another format, such as onnx or keras"),
    Option("--force", .flag, "with --all: write files that are there again"),
  ] + ZooArguments.filters,
  examples: [
    ("assay zoo build MobileNetV2 -o mobilenet.tflite", "one network"),
    ("assay zoo build ResNet50 --no-top --size 320x240 -o features.onnx", "its features alone"),
    ("assay zoo build ResNet50 --weights resnet50.h5 -o resnet50.tflite", "with published weights"),
    ("assay zoo build --all --family EfficientNet -o zoo/", "a family"),
  ]
) { arguments, console in
  let job = try ZooJob(arguments)
  if !arguments.has("--all") { return try job.buildOne(console) }
  return try job.buildAll(console)
}

/// One call of the command, checked.
private struct ZooJob {
  let arguments: Arguments
  let output: String
  let options: ZooOptions
  let threads: Int

  init(_ arguments: Arguments) throws {
    self.arguments = arguments
    guard let output = arguments.value("--output") else {
      throw Diagnostic(
        "CLI005",
        "--output is missing: the file to write",
        remedy: arguments.has("--all") ? "-o zoo/" : "-o network.tflite"
      )
    }
    self.output = output
    options = try ZooArguments.options(arguments)
    threads = try arguments.integer("--threads") ?? Host.allowedProcessors().count
  }

  func buildOne(_ console: Console) throws -> ExitStatus {
    guard let name = arguments.operand(0) else {
      throw Diagnostic("CLI004", "NAME is missing", remedy: "'assay zoo list' shows the networks")
    }
    let entry = try ZooArguments.entry(name)
    let weights = try ZooWeights(arguments, console)
    let made = try ZooFile(entry, options, threads: threads, output, weights)
    try console.result(made.json, text: made.text)
    return .done
  }

  func buildAll(_ console: Console) throws -> ExitStatus {
    guard arguments.operand(0) == nil else {
      throw Diagnostic("CLI004", "NAME and --all exclude one another", remedy: "leave one out")
    }
    guard arguments.value("--weights") == nil else {
      throw Diagnostic("CLI004", "--weights is for one network, not for --all")
    }
    // The smallest first: what is wrong shows early.
    let entries = try ZooArguments.entries(arguments).map { ($0, try ZooWork.units($0)) }
      .sorted { $0.1 < $1.1 }
    let suffix = arguments.value("--format") ?? "tflite"
    _ = try exportFormat(for: "x.\(suffix)")
    try Host.makeFolders(output)
    let start = Host.monotonicNanoseconds()
    var made: [ZooFile] = []
    var work = ZooWork(left: entries.reduce(0) { $0 + $1.1 })
    var (kept, faults) = (0, [Diagnostic]())
    for (index, (entry, units)) in entries.enumerated() {
      let path = Host.join(output, "\(entry.name).\(suffix)")
      if Host.exists(path), !arguments.has("--force") {
        kept += 1
        work.left -= units
        continue
      }
      console.progress("\(index + 1)/\(entries.count)\(work.timeLeft(since: start)): \(entry.name)")
      do {
        let file = try ZooFile(entry, options, threads: threads, path)
        made.append(file)
        console.endProgress()
        console.note("\(index + 1)/\(entries.count) \(file.text.dropLast())")
      } catch let fault as Diagnostic {
        console.endProgress()
        console.report(fault.inside(entry.name))
        faults.append(fault.inside(entry.name))
      }
      work.finish(units)
    }
    let bytes = made.reduce(0) { $0 + $1.byteCount }
    let elapsed = Double(Host.monotonicNanoseconds() - start)
    try console.result(
      .object([
        "schema": "assay.zoo-build/1", "folder": .string(output),
        "files": .array(made.map(\.json)), "kept": JSON(kept),
        "failed": .array(faults.map(\.json)),
      ]),
      text: "\(output): \(made.count) networks written (\(Text.bytes(bytes))) in "
        + "\(Text.time(elapsed)), \(kept) were there, \(faults.count) failed\n"
    )
    return faults.isEmpty ? .done : .finding
  }
}

/// How far a run over many networks is: by what they cost, since the largest takes a thousand times as long
/// as the smallest.
struct ZooWork {
  /// What is still to be done.
  var left: Double
  private var done = 0.0

  init(left: Double) { self.left = left }

  /// What building a network costs, in multiply-accumulates: a parameter is drawn, scaled and written in the
  /// time of about two hundred.
  static func units(_ entry: ZooEntry) throws -> Double {
    let outline = try entry.outline()
    return Double(outline.cost.macs) + 200 * Double(outline.parameterCount)
  }

  mutating func finish(_ units: Double) {
    done += units
    left -= units
  }

  /// `, 3 min left`, at the pace so far; empty before there is one.
  func timeLeft(since start: UInt64) -> String {
    guard done > 0 else { return "" }
    let elapsed = Double(Host.monotonicNanoseconds() - start)
    return ", \(Text.duration(elapsed / done * left)) left"
  }
}

/// A network that was written.
struct ZooFile {
  let entry: ZooEntry
  let path: String
  let byteCount: Int
  let parameterCount: Int
  let macs: Int
  let operatorCount: Int
  let nanoseconds: Double

  /// Builds a network and writes it.
  ///
  /// - Parameter weights: what its weights are read from; random ones without it.
  init(
    _ entry: ZooEntry,
    _ options: ZooOptions,
    threads: Int,
    _ path: String,
    _ weights: ZooWeights? = nil
  ) throws {
    let format = try exportFormat(for: path)
    let start = Host.monotonicNanoseconds()
    let network =
      try weights?.network(entry, options, threads: threads)
      ?? entry.network(options, threads: threads)
    // A format of layers keeps them; the others get the network as it runs.
    let graph = format.keepsLayers ? network.graph : try canonicalized(network.graph)
    byteCount = try exportModel(
      graph,
      to: path,
      description: "assay \(assayVersion) zoo \(entry.name)"
    )
    self.entry = entry
    self.path = path
    parameterCount = network.parameterCount
    macs = network.cost.macs
    operatorCount = graph.nodes.count
    nanoseconds = Double(Host.monotonicNanoseconds() - start)
  }

  var text: String {
    """
    \(path): \(entry.name), \(Text.bytes(byteCount)), \(Text.count(parameterCount)) parameters, \
    \(operatorCount) operators, \(Text.count(macs)) multiply-accumulates, in \
    \(Text.time(nanoseconds))

    """
  }

  var json: JSON {
    .object([
      "schema": "assay.zoo-file/1", "network": .string(entry.name), "output": .string(path),
      "bytes": JSON(byteCount), "parameters": JSON(parameterCount), "macs": JSON(macs),
      "operators": JSON(operatorCount), "seconds": JSON(nanoseconds / 1e9),
    ])
  }
}
