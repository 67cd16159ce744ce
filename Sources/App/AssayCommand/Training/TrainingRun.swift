import AssayAutodiff
import AssayBase
import AssayGraph
import AssayHost
import AssayReport
import AssayTrain

/// Trains one graph on one set and keeps what can be said of it.
struct TrainingRun {
  /// What came out.
  struct Result {
    /// The trained graph; training operators are in it.
    var graph: Graph
    /// How it ended.
    var outcome: TrainingOutcome
    /// The epoch whose weights were kept, from 1.
    var bestEpoch: Int
    /// Seconds of this run (not of those before it that it went on with).
    var seconds: Double
  }

  var plan: TrainingPlan
  var loss: Loss
  /// Which constants are trained; `nil` for all.
  var isTrainable: ((_ name: String, _ node: Node) -> Bool)?
  /// Whether batch normalizations keep to their moving averages, as frozen ones do.
  var freezesNormalization = false
  /// How moving averages of batch normalizations move, by node.
  var momenta: [String: Float] = [:]

  /// Trains.
  ///
  /// - Parameters:
  ///   - graph: with its training operators.
  ///   - log: gets the epochs.
  /// - Throws: `Diagnostic` TRN… or DAT…; TRN040 when the loss left all bounds.
  func run(
    _ graph: Graph,
    _ sets: TrainingSets,
    _ log: inout TrainingLog,
    _ console: Console
  ) throws -> Result {
    let source = TrainingBatches(
      sets.training,
      batch: plan.batch,
      seed: plan.seed,
      isTraining: true,
      isBalanced: plan.isBalanced
    )
    let validation = TrainingBatches(
      sets.validation,
      batch: plan.batch,
      seed: plan.seed,
      isTraining: false
    )
    var options = TrainerOptions(
      steps: plan.epochs * source.batchesPerEpoch,
      schedule: Schedule(plan.learningRate)
    )
    options.metrics = [.accuracy]
    options.restoresBest = true
    options.earlyStopping = plan.patience.map { EarlyStopping(patience: $0) }
    options.checkpointPath = Host.join(plan.stateFolder, "training.state")
    var compilation = TrainableGraph.Options()
    compilation.threads = plan.threads
    compilation.seed = plan.seed
    compilation.batchNormMomentum = TrainableGraph.Options.batchNormMomentum(
      stepsPerEpoch: source.batchesPerEpoch
    )
    compilation.batchNormMomentums = momenta
    if let isTrainable {
      compilation.isTrainable = { name, role, node in
        role != .statistic && role != .range && isTrainable(name, node)
      }
    }
    let trainer = try Trainer(
      graph,
      batch: plan.batch,
      losses: graph.outputs.map { _ in loss },
      options: options,
      compilation: compilation
    )
    trainer.model.freezesNormalization = freezesNormalization
    // The log is a value of the caller's: what observers add lies in a box meanwhile.
    let box = LogBox(log)
    let progress = TrainingProgress(
      console,
      metrics: ["accuracy"],
      isValidated: true,
      takeUp: { box.log.forget(phase: "", after: $0) },
      record: { try box.log.add($0) }
    )
    trainer.observers = [progress]
    let start = Host.monotonicNanoseconds()
    let outcome = try located { try trainer.run(source, validation: validation) }
    log = box.log
    if let failure = progress.failure { throw failure }
    if case .diverged(let step, let loss) = outcome {
      throw Diagnostic(
        "TRN040",
        "the loss left all bounds in step \(step + 1) (\(loss)): the training diverged",
        at: [plan.folder],
        remedy: "a smaller --learning-rate than \(plan.learningRate), and --restart"
      )
    }
    let rows = log.history.rows.filter { $0.phase.isEmpty }
    let best = rows.min { ($0.values["val_loss"] ?? .nan) < ($1.values["val_loss"] ?? .nan) }
    return Result(
      graph: trainer.model.trained,
      outcome: outcome,
      bestEpoch: best?.epoch ?? rows.count,
      seconds: Double(Host.monotonicNanoseconds() - start) / 1e9
    )
  }

  /// Says how to begin anew where a state belongs to another run.
  private func located<T>(_ body: () throws -> T) throws -> T {
    do { return try body() } catch var fault as Diagnostic where fault.code == "TRN031" {
      fault.remedy = "--restart to begin anew, or give the options of the run before"
      throw fault
    }
  }
}
