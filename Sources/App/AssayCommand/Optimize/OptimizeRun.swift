import AssayBase
import AssayCompress
import AssayData
import AssayGraph
import AssayHost
import AssayQuantize
import AssayTensor
import AssayTrain

/// Makes one variant.
struct OptimizeRun {
  /// What comes out.
  struct Made {
    /// The network with its changed weights, in floats.
    var weights: Graph
    /// The variant as it is written.
    var variant: Graph
    var losses: [ChannelPlan.Loss]
    var steps: Int
    var diagnostics: [Diagnostic]
  }

  private let plan: OptimizePlan
  private let wish: OptimizePlan.Wish
  private let graph: Graph
  private let normalized: Set<String>
  private let data: OptimizeData?
  private let console: Console
  /// Where a run that is killed leaves its state.
  private let folder: String

  /// - Parameters:
  ///   - normalized: the layers that had a batch normalization (`normalizedLayers`).
  ///   - modelHash: what tells the model from others.
  init(
    _ plan: OptimizePlan,
    _ wish: OptimizePlan.Wish,
    _ graph: Graph,
    normalized: Set<String>,
    modelHash: String,
    _ data: OptimizeData?,
    _ console: Console
  ) {
    self.plan = plan
    self.wish = wish
    self.graph = graph
    self.normalized = normalized
    self.data = data
    self.console = console
    let identity = [
      modelHash, wish.recipe.json.text(), "\(plan.epochs) \(plan.batch) \(plan.learningRate)",
      "\(plan.seed) \(plan.holdout) \(plan.augmentation)", data?.training.path ?? "",
      "\(data?.training.count ?? 0)",
    ].joined(separator: "\n")
    let name = ".assay-optimize-" + String(sha256(identity).prefix(12))
    folder = Host.join(Host.folder(of: wish.files[0]), name)
  }

  /// At most so many samples calibrate.
  private static let calibrationCount = 300

  /// - Parameter isFresh: whether what a killed run has left is thrown away.
  func run(isFresh: Bool) throws -> Made {
    if let data, plan.epochs > 0 { return try train(data, isFresh: isFresh) }
    var compressor = Compressor(graph, seed: plan.seed)
    for step in wish.recipe.training { try compressor.change(by: step) }
    let finding = Diagnostic(
      "CMP010",
      "the weights were changed without training: accuracy suffers more than it need",
      at: ["recipe '\(wish.recipe.name)'"],
      remedy: "--data PATH --epochs 10",
      severity: .warning
    )
    return try finished(compressor.graph, nil, compressor.losses, 0, [finding])
  }

  private func train(_ data: OptimizeData, isFresh: Bool) throws -> Made {
    let isClassifier = Judgement.isClassifier(graph)
    var tuning = FineTuning(
      epochs: plan.epochs,
      batch: plan.batch,
      learningRate: plan.learningRate,
      loss: data.isLabelled ? .categoricalCrossEntropy : .meanSquared,
      metrics: data.isLabelled ? [.accuracy] : [],
      threads: Host.processorCount,
      seed: plan.seed
    )
    if data.isLabelled {
      if isClassifier, endsInSigmoid { tuning.loss = .binaryCrossEntropy }
      tuning.addsSoftmax = !isClassifier
    }
    if isFresh { try Host.remove(folder) }
    try Host.makeFolders(folder)
    tuning.folder = folder
    let batches = try source(data)
    let optimization = Optimization(
      graph,
      wish.recipe,
      tuning,
      source: batches,
      calibrate: { try feed($0, data.training) },
      normalized: normalized
    )
    let count = wish.recipe.training.count
    optimization.observer = { step, index in
      TrainingProgress(
        console,
        phase: count > 1 ? "\(step.name) (\(index + 1)/\(count))" : step.name,
        metrics: tuning.metrics.map(\.rawValue),
        isValidated: false
      )
    }
    // A run that could not begin leaves nothing.
    defer { if (try? Host.list(folder).isEmpty) ?? false { clear() } }
    let outcome = try optimization.run()
    return try finished(
      outcome.graph,
      outcome.integers,
      outcome.losses,
      outcome.steps,
      outcome.diagnostics
    )
  }

  /// Batches of the training data: with labels the classes are to be found, without them what was fed
  /// is to be given back.
  private func source(_ data: OptimizeData) throws -> any BatchSource {
    defer { console.endProgress() }
    guard data.isLabelled else {
      console.progress("reading \(data.training.count) samples")
      let name = graph.inputs.first.map { graph[$0].name } ?? ""
      let samples = try data.training.samples(threads: Host.processorCount)
      let numbers = samples.flatMap { $0.inputs[name]?.floats() ?? [] }
      return try ArraySource(
        inputs: [numbers],
        targets: [numbers],
        samples: samples.count,
        batch: plan.batch,
        seed: plan.seed
      )
    }
    let decoded = try TrainingData(data.training, augmentation: plan.augmentation) { done, all in
      console.progress("reading samples \(done)/\(all)")
    }
    return TrainingBatches(decoded, batch: plan.batch, seed: plan.seed, isTraining: true)
  }

  /// Forgets the state, once the files are written.
  func clear() { try? Host.remove(folder) }

  /// The variant by the steps of the recipe that do not train.
  private func finished(
    _ weights: Graph,
    _ integers: Graph?,
    _ losses: [ChannelPlan.Loss],
    _ steps: Int,
    _ diagnostics: [Diagnostic]
  ) throws -> Made {
    var made = Made(
      weights: weights,
      variant: integers ?? weights,
      losses: losses,
      steps: steps,
      diagnostics: diagnostics
    )
    guard integers == nil else { return made }
    let maker = VariantMaker(
      weights,
      threads: Host.processorCount,
      feed: data.map { data in { try feed($0, data.training) } }
    )
    let variant = try maker.make(wish.recipe.withoutTraining)
    made.variant = variant.graph
    made.diagnostics += variant.diagnostics
    return made
  }

  private var endsInSigmoid: Bool {
    let producers = graph.producers()
    guard let output = graph.outputs.first, let index = producers[output],
      let unary = graph.nodes[index].op as? Unary
    else { return false }
    return unary.kind == .sigmoid
  }

  private func feed(_ calibrator: Calibrator, _ training: Dataset) throws {
    try Quantizing.feed(calibrator, training.subset(Self.calibrationCount), console)
  }
}
