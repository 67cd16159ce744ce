import AssayBase
import AssayBench
import AssayCatalog
import AssayCodec
import AssayCompress
import AssayData
import AssayEvaluator
import AssayGraph
import AssayHost
import AssayQuantize
import AssayRecord
import AssayReport
import AssayRewrite
import AssayRuntime
import AssayTensor
import AssayTrain

/// A variant of a trained network: its file, and how well and fast it does.
struct TrainedVariant {
  var recipe: Recipe
  /// The name in the table; the recipe's, but for the trained network itself.
  var title: String
  var path: String
  var byteCount: Int
  var deflatedByteCount: Int
  /// How the file's network does on the judging set.
  var report: ClassificationReport
  /// The file's latency by runtime, where it was measured.
  var records: [Record] = []

  var json: JSON {
    .object([
      "variant": .string(recipe.name), "file": .string(path), "bytes": JSON(byteCount),
      "deflatedBytes": JSON(deflatedByteCount), "score": report.json,
      "latency": .array(
        records.map { record in
          .object([
            "runtime": .string(record.runtime), "version": .string(record.version),
            "threads": JSON(record.threads), "verdict": .string(record.verdict.rawValue),
            "latencyNs": Summary(samples: record.samples).json,
            "reasons": .array(record.reasons.map(\.json)),
          ])
        }
      ),
    ])
  }
}

/// Makes variants of a trained network and finds out what each is worth.
struct VariantShop {
  /// How variants whose recipes train are fine-tuned.
  struct Tuning {
    var clusterEpochs: Int
    var pruneEpochs: Int
    var quantizeEpochs: Int
    /// For all steps but pruning.
    var learningRate: Float
    /// For pruning, which takes more away.
    var pruneRate: Float
  }

  let plan: TrainingPlan
  let sets: TrainingSets
  let tuning: Tuning
  let loss: Loss
  /// The trained network with its training operators; `nil` to fine-tune it in the form in which it is
  /// written.
  let trainingGraph: Graph?
  /// The stem of the files' names.
  let stem: String
  let console: Console

  /// Makes the variants and judges each by its file.
  ///
  /// - Parameter graph: the trained network, without training operators.
  func make(
    _ recipes: [Recipe],
    of graph: Graph,
    _ log: inout TrainingLog
  ) throws -> [TrainedVariant] {
    let canonical = try canonicalized(graph)
    let normalized = graph.normalizedLayers()
    var variants: [TrainedVariant] = []
    for recipe in recipes {
      let (weights, integers) = try trained(canonical, normalized, recipe, &log)
      var variant = integers ?? weights
      if integers == nil {
        let maker = VariantMaker(weights, threads: plan.threads, feed: calibrate)
        let made = try maker.make(plain(recipe))
        for finding in made.diagnostics where finding.severity != .note { console.report(finding) }
        variant = made.graph
      }
      let path = Host.join(plan.modelFolder, "\(stem)-\(recipe.name).tflite")
      try exportModel(variant, to: path, description: "assay \(assayVersion) \(recipe.name)")
      let bytes = try MappedFile(path: path).view
      variants.append(
        TrainedVariant(
          recipe: recipe,
          title: recipe.name == "float32" ? "float32 (as trained)" : recipe.name,
          path: path,
          byteCount: bytes.count,
          deflatedByteCount: try Zlib.deflatedByteCount(bytes),
          report: try judge(try importModel(path: path).graph, recipe.name)
        )
      )
    }
    return variants
  }

  /// A recipe without its steps that train.
  private func plain(_ recipe: Recipe) -> Recipe {
    var result = recipe
    result.training = []
    return result
  }

  /// Shows representative pictures to a calibrator.
  func calibrate(_ calibrator: Calibrator) throws {
    let count = min(sets.training.count, 300)
    for index in 0..<count {
      console.progress("calibrating \(index + 1)/\(count)")
      _ = try calibrator.observe(
        try sets.training.sample(at: index, epoch: nil, seed: plan.seed)
      )
    }
    console.endProgress()
  }

  /// How a network does on the judging set.
  func judge(_ graph: Graph, _ name: String) throws -> ClassificationReport {
    let evaluator = try Evaluator(graph, threads: plan.threads)
    let data = sets.judging
    var report = ClassificationReport(
      names: sets.names,
      count: max(sets.names.count, (data.labels.max() ?? 0) + 1)
    )
    for index in 0..<data.count {
      if index % 16 == 0 { console.progress("judging \(name) \(index)/\(data.count)") }
      let inputs = try data.sample(at: index, epoch: nil, seed: 0)
      guard let output = try evaluator.run(inputs).first else { continue }
      report.add(scores: output.tensor.floats(), label: data.labels[index])
    }
    console.endProgress()
    return report
  }

  /// Measures the latency of each file on the runtime for it, if that is installed.
  func measure(_ variants: inout [TrainedVariant]) throws {
    guard plan.measuresLatency, let executable = Host.executablePath,
      let runtime = Catalog.runtimes.first(where: { $0.id == "litert" }),
      case .available = runtime.probe()
    else { return }
    let scratch = try Scratch()
    defer { scratch.remove() }
    let comparison = Comparison(
      preset: .quick,
      seed: plan.seed,
      profiledRuns: 0,
      folder: scratch.path,
      command: ["assay"] + CommandLine.arguments.dropFirst(),
      executable: executable
    )
    let first = try sets.judging.sample(at: 0, epoch: nil, seed: 0)
    let inputs = Host.join(scratch.path, "first.npz")
    let arrays = first.map { (name: $0.key, tensor: $0.value) }.sorted { $0.name < $1.name }
    try AtomicFile.write(try NPZ.write(arrays), to: inputs)
    let configurations = try variants.map { variant in
      Configuration(
        model: try Record.Model(file: variant.path),
        artefact: "tflite",
        variant: variant.recipe.name,
        runtime: runtime.id,
        provider: .cpu,
        threads: 1,
        inputs: inputs,
        evaluation: nil
      )
    }
    let measured = try comparison.run(configurations, progress: { show($0, console) })
    console.endProgress()
    for (index, result) in measured.enumerated() { variants[index].records = [result.record] }
  }
}
