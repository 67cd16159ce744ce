import AssayBase
import AssayBench
import AssayCatalog
import AssayEvaluator
import AssayFormat
import AssayGraph
import AssayHost
import AssayModels
import AssayQuantize
import AssayRewrite
import AssayRuntime
import AssayTensor
import AssayVerify

let zooCheckCommand = CommandSpec(
  name: "zoo check",
  summary: "convert networks of the zoo by every recipe and run them on every runtime here",
  discussion: """
    Builds each network, makes its variants (those with static scales are calibrated on made-up inputs),
    writes them in the format that each runtime gets, runs them on the runtimes that are installed, and
    compares what comes out with the float32 network: the ratio of signal to noise in decibels. Files are removed
    again; the results stay in the folder, one for each network, and a network that has one is not
    looked at again. --markdown makes the table of docs/zoo.md of all results in the folder.
    """,
  operands: [Operand(word: "PART", help: "only names that contain this", isOptional: true)],
  options: [
    Option("--output", short: "-o", .value("FOLDER"), "where results are kept"),
    Option("--recipe", .repeated("NAME"), "recipes (default: float32 and the three common ones)"),
    Option("--most", .value("N"), "only networks of at most N million parameters"),
    Option(
      "--markdown",
      .value("FILE"),
      "write the table of all results in the folder, between <!-- zoo check --> marks if there are"
    ),
    Option("--force", .flag, "look at networks again that have a result"), Shared.threads,
  ] + ZooArguments.filters,
  examples: [
    ("assay zoo check --family MobileNetV2 -o results/", "a family"),
    ("assay zoo check -o results/ --markdown zoo.md", "all, as a table"),
  ]
) { arguments, console in
  guard let folder = arguments.value("--output") else {
    throw Diagnostic("CLI005", "--output is missing: the folder of results", remedy: "-o results/")
  }
  let most = try arguments.integer("--most") ?? 1_000_000
  let given = arguments.all("--recipe")
  let recipes = try (given.isEmpty ? ZooCheck.recipes : given).map {
    try Quantizing.recipe(named: $0)
  }
  let all = try ZooArguments.entries(arguments, named: arguments.operand(0))
    .map { (entry: $0, size: try $0.outline().parameterCount) }
    .filter { $0.size <= most * 1_000_000 }.sorted { $0.size < $1.size }.map(\.entry)
  try Host.makeFolders(folder)
  let start = Host.monotonicNanoseconds()
  var (done, faults, failures) = (0, 0, 0)
  func isKnown(_ entry: ZooEntry) -> Bool {
    Host.exists(Host.join(folder, "\(entry.name).json")) && !arguments.has("--force")
  }
  let units = try all.filter { !isKnown($0) }.reduce(into: [String: Double]()) {
    $0[$1.name] = try ZooWork.units($1)
  }
  var work = ZooWork(left: units.values.reduce(0, +))
  for (index, entry) in all.enumerated() {
    let path = Host.join(folder, "\(entry.name).json")
    guard let cost = units[entry.name] else { continue }
    let left = work.timeLeft(since: start)
    defer { work.finish(cost) }
    do {
      let result = try ZooCheck(
        entry,
        recipes,
        threads: try arguments.integer("--threads") ?? Host.allowedProcessors().count,
        folder: folder
      ) { console.progress("\(index + 1)/\(all.count)\(left): \(entry.name) \($0)") }
      // What the machine could not do says nothing of the network: it is looked at again next time.
      if let run = result.runs.first(where: { $0.fault?.hasPrefix("HST") == true }) {
        throw Diagnostic(
          "ZOO021",
          "the machine could not run \(run.recipe) on \(run.runtime)",
          remedy: "run the same command again when it can",
          cause: run.fault
        )
      }
      try AtomicFile.write(result.json.text(pretty: true) + "\n", to: path)
      console.endProgress()
      console.note("\(index + 1)/\(all.count) \(entry.name): \(result.runs.count) runs")
      faults += result.runs.filter { $0.fault != nil }.count
      done += 1
    } catch let fault as Diagnostic {
      console.endProgress()
      console.report(fault.inside(entry.name))
      failures += 1
    }
  }
  let results = try ZooTable(folder: folder)
  if let path = arguments.value("--markdown") { try results.write(to: path) }
  try console.result(
    .object(["schema": "assay.zoo-check/1", "networks": .array(results.rows)]),
    text:
      "\(done) networks looked at, \(results.rows.count) results in \(folder), \(faults) runs failed\n"
      + (arguments.value("--markdown").map { "\($0): the table\n" } ?? "")
  )
  return failures == 0 ? .done : .finding
}

/// What became of one network.
private struct ZooCheck {
  static let recipes = ["float32", "float16", "dynamic_int8", "static_int8"]

  /// One file on one runtime.
  struct Run {
    var recipe: String
    var runtime: String
    /// The format that it was given; `nil` where none could be written.
    var format: String?
    /// Signal to noise in decibels; `nil` for a run that failed.
    var decibels: Double?
    var fault: String?
  }

  var runs: [Run] = []
  /// Bytes of each file, by recipe and format.
  private var sizes: [(recipe: String, format: String, bytes: Int)] = []
  private var kinds: [String: Int] = [:]
  private let entry: ZooEntry
  private let parameterCount: Int
  private let macs: Int

  init(
    _ entry: ZooEntry,
    _ recipes: [Recipe],
    threads: Int,
    folder: String,
    progress: (String) -> Void
  ) throws {
    self.entry = entry
    progress("is built")
    let network = try entry.network(threads: threads)
    parameterCount = network.parameterCount
    macs = network.cost.macs
    let graph = try canonicalized(network.graph)
    for node in graph.nodes { kinds[node.op.name, default: 0] += 1 }
    let samples = (1...4).map { entry.syntheticInputs(of: network, seed: $0) }
    let wanted = try Evaluator(graph, threads: threads).run(samples[0])
    let maker = VariantMaker(graph, threads: threads) { calibrator in
      for sample in samples { _ = try calibrator.observe(sample) }
    }
    let usable = Catalog.runtimes.filter {
      $0.probe().isAvailable && ["litert", "onnxruntime", "openvino"].contains($0.id)
    }
    for recipe in recipes {
      progress(recipe.name)
      let variant: Graph
      do {
        variant = try maker.make(recipe).graph
      } catch {
        runs.append(Run(recipe: recipe.name, runtime: "all", fault: Self.text(error)))
        continue
      }
      for runtime in usable {
        progress("\(recipe.name) on \(runtime.id)")
        var run = Run(recipe: recipe.name, runtime: runtime.id)
        var path = ""
        do {
          run.format = try firstWritten(Catalog.preferredFormats(of: runtime)) { format in
            path = Catalog.file(Host.join(folder, "\(entry.name)-\(recipe.name)"), format: format)
            let bytes = try exportModel(variant, to: path, description: "assay zoo check")
            sizes.append((recipe.name, format, bytes))
          }
          let options = SessionOptions(provider: .cpu, threads: threads)
          let model = try LoadedModel(path: path, runtime: runtime, options: options)
          run.decibels = Self.decibels(try model.run(samples[0]), wanted)
        } catch {
          run.fault = Self.text(error)
        }
        for file in modelFiles(path) { try? Host.remove(file) }
        runs.append(run)
      }
    }
  }

  private static func text(_ error: any Error) -> String {
    switch error {
    case let one as Diagnostic: "\(one.code) \(one.summary)"
    case let many as Diagnostics: many.all.first.map { "\($0.code) \($0.summary)" } ?? "\(many)"
    default: "\(error)"
    }
  }

  /// The worst output's ratio of signal to noise, at most 200; what is no number counts as -200.
  private static func decibels(
    _ found: [(name: String, tensor: Tensor)],
    _ wanted: [(name: String, tensor: Tensor)]
  ) -> Double {
    wanted.reduce(200) { worst, output in
      guard let other = found.first(where: { $0.name == output.name })?.tensor,
        other.shape.count == output.tensor.shape.count
      else { return -200 }
      let error = compareTensors(reference: output.tensor.floats(), other: other.floats())
      if error.isIdentical { return worst }
      guard error.nonFinite == 0, !error.snrDb.isNaN else { return -200 }
      return min(worst, error.snrDb)
    }
  }

  var json: JSON {
    .object([
      "schema": "assay.zoo-result/1", "assay": .string(assayVersion),
      "network": .string(entry.name),
      "family": .string(entry.family), "parameters": JSON(parameterCount), "macs": JSON(macs),
      "operators": .array(
        kinds.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map {
          .object(["kind": .string($0.key), "count": JSON($0.value)])
        }
      ),
      "files": .array(
        sizes.map {
          .object([
            "recipe": .string($0.recipe), "format": .string($0.format), "bytes": JSON($0.bytes),
          ])
        }
      ),
      "runs": .array(
        runs.map { run in
          .object([
            "recipe": .string(run.recipe), "runtime": .string(run.runtime),
            "format": run.format.map { .string($0) } ?? .null,
            "decibels": run.decibels.map { JSON($0) } ?? .null,
            "fault": run.fault.map { .string($0) } ?? .null,
          ])
        }
      ),
    ])
  }
}
