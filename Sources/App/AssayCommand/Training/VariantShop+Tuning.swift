import AssayAutodiff
import AssayBase
import AssayCompress
import AssayGraph
import AssayHost
import AssayQuantize
import AssayRewrite
import AssayTrain

extension VariantShop {
  /// The weights after the steps of a recipe that train, or the network of integers.
  ///
  /// Weights are pruned and clustered in the network as it was trained, where there is one: its batch
  /// normalizations then follow what the steps do to the values. For its integers a network is trained
  /// in the form in which it is written, with the normalizations in place for the first half.
  func trained(
    _ canonical: Graph,
    _ normalized: Set<String>,
    _ recipe: Recipe,
    _ log: inout TrainingLog
  ) throws -> (weights: Graph, integers: Graph?) {
    guard !recipe.training.isEmpty else { return (canonical, nil) }
    let isAware = recipe.training.contains {
      if case .quantizationAware = $0 { true } else { false }
    }
    let raw = isAware ? nil : trainingGraph
    let state = Host.join(plan.stateFolder, recipe.name)
    try Host.makeFolders(state)
    var settings = FineTuning(
      epochs: recipe.training.map(epochs).max() ?? 1,
      batch: plan.batch,
      learningRate: recipe.training.contains { if case .prune = $0 { true } else { false } }
        ? tuning.pruneRate : tuning.learningRate,
      loss: loss,
      metrics: [.accuracy],
      threads: plan.threads,
      seed: plan.seed
    )
    settings.folder = state
    let optimization = Optimization(
      raw ?? canonical,
      recipe,
      settings,
      source: TrainingBatches(
        sets.training,
        batch: plan.batch,
        seed: plan.seed &+ 1,
        isTraining: true,
        isBalanced: plan.isBalanced
      ),
      calibrate: calibrate,
      normalized: normalized
    )
    let box = LogBox(log)
    var progress: [TrainingProgress] = []
    optimization.observer = { step, index in
      let phase = recipe.training.count > 1 ? "\(recipe.name) (\(step.name))" : step.name
      let observer = TrainingProgress(
        console,
        phase: phase,
        metrics: ["accuracy"],
        isValidated: false,
        takeUp: { box.log.forget(phase: phase, after: $0) },
        record: { try box.log.add($0) }
      )
      progress.append(observer)
      return observer
    }
    let outcome = try optimization.run()
    if let failure = progress.lazy.compactMap(\.failure).first { throw failure }
    for finding in outcome.diagnostics where finding.severity != .note { console.report(finding) }
    log = box.log
    let weights =
      try raw == nil ? outcome.graph : canonicalized(outcome.graph.withoutTrainingOperators())
    return (weights, outcome.integers)
  }

  private func epochs(_ step: RecipeStep) -> Int {
    switch step {
    case .prune: tuning.pruneEpochs
    case .cluster: tuning.clusterEpochs
    case .quantizationAware: tuning.quantizeEpochs
    }
  }
}
