import AssayAutodiff
import AssayBase
import AssayGraph
import AssayQuantize
import AssayTensor
import AssayTrain

/// How a network is trained on after each step of a recipe.
public struct FineTuning {
  /// Passes over the data for each step of the recipe.
  public var epochs: Int
  /// Samples in a step of the optimizer.
  public var batch: Int
  /// The greatest learning rate; it rises over the first twentieth and decays as a cosine.
  public var learningRate: Float
  /// What is made small.
  public var loss: Loss
  /// What is shown beside the loss.
  public var metrics: [Metric]
  /// Workers.
  public var threads: Int
  /// Of all draws.
  public var seed: UInt64
  /// Whether outputs are made probabilities by a softmax while the network trains: its scores are not.
  public var addsSoftmax = false
  /// The part of the old moving averages that a step keeps, in batch normalizations; by default one for
  /// half an epoch.
  public var batchNormMomentum: Float?
  /// Where a run keeps its state; `nil` for nowhere.
  public var folder: String?

  /// Settings without a place for states.
  public init(
    epochs: Int,
    batch: Int = 32,
    learningRate: Float = 1e-3,
    loss: Loss,
    metrics: [Metric] = [],
    threads: Int = 1,
    seed: UInt64 = 1
  ) {
    self.epochs = epochs
    self.batch = batch
    self.learningRate = learningRate
    self.loss = loss
    self.metrics = metrics
    self.threads = threads
    self.seed = seed
  }
}

/// Does the steps of a recipe that train, each with a training of its own.
///
/// A state is kept for each step: a run that was killed goes on in the step where it was, and gives the
/// same weights as an unbroken one.
public final class Optimization {
  /// What came out.
  public struct Outcome {
    /// The network in floats, with all that is true of its weights.
    public var graph: Graph
    /// The network of integers, for a recipe with quantization-aware training.
    public var integers: Graph?
    /// Layers that lost channels.
    public var losses: [ChannelPlan.Loss]
    /// Steps of the optimizer in all.
    public var steps: Int
    /// What was noticed.
    public var diagnostics: [Diagnostic]
  }

  /// Who is told how the training of a step of the recipe goes on; called before it begins.
  public var observer: ((_ step: RecipeStep, _ index: Int) -> (any TrainingObserver)?)?

  private let recipe: Recipe
  private let tuning: FineTuning
  private let source: any BatchSource
  private let calibrate: (Calibrator) throws -> Void
  private let normalized: Set<String>
  private var compressor: Compressor
  private var steps = 0

  /// Prepares a canonical float32 network.
  ///
  /// - Parameters:
  ///   - source: batches of training data.
  ///   - calibrate: shows representative data to a calibrator; asked only for quantization-aware
  ///     training, for the ranges to begin with.
  ///   - normalized: the nodes behind which a batch normalization was folded (`normalizedLayers`); it
  ///     stands there again for the first part of quantization-aware training.
  public init(
    _ graph: Graph,
    _ recipe: Recipe,
    _ tuning: FineTuning,
    source: any BatchSource,
    calibrate: @escaping (Calibrator) throws -> Void,
    normalized: Set<String> = []
  ) {
    self.normalized = normalized
    self.recipe = recipe
    self.tuning = tuning
    self.source = source
    self.calibrate = calibrate
    compressor = Compressor(graph, seed: tuning.seed)
  }

  /// Does all steps.
  ///
  /// - Throws: `Diagnostic` CMP… of a step, TRN… of its training, CMP008 when one diverged.
  public func run() throws -> Outcome {
    var integers: Graph?
    var diagnostics: [Diagnostic] = []
    for (index, step) in recipe.training.enumerated() {
      try locating("step '\(step.name)'") {
        switch step {
        case .prune(let pruning) where pruning.pattern == .channels:
          try compressor.removeChannels(pruning)
          try train(step, index, pruning: nil)
        case .prune(let pruning):
          try train(step, index, pruning: pruning)
        case .cluster(let clustering):
          try compressor.cluster(clustering)
          try train(step, index, pruning: nil)
        case .quantizationAware(let aware):
          let made = try trainForIntegers(step, index, aware)
          integers = made.graph
          diagnostics += made.diagnostics
        }
      }
    }
    return Outcome(
      graph: compressor.graph,
      integers: integers,
      losses: compressor.losses,
      steps: steps,
      diagnostics: diagnostics
    )
  }

  // MARK: Steps

  private var stepCount: Int { tuning.epochs * source.batchesPerEpoch }

  private func train(_ step: RecipeStep, _ index: Int, pruning: Pruning?) throws {
    let constraint = CompressionConstraint(compressor, pruning: pruning, stepCount: stepCount)
    let trained = try fit(compressor.graph, [constraint], step, index)
    compressor = constraint.compressor
    compressor.takeAll(of: trained)
    // A schedule that ends after the training leaves the rest to be done at once.
    if let pruning { try compressor.finish(pruning) }
  }

  private func trainForIntegers(
    _ step: RecipeStep,
    _ index: Int,
    _ aware: QuantizationAwareTraining
  ) throws -> (graph: Graph, diagnostics: [Diagnostic]) {
    let calibrator = try Calibrator(
      compressor.graph,
      method: recipe.calibration,
      threads: tuning.threads
    )
    try calibrate(calibrator)
    let plan = try IntegerPlan(compressor.graph, recipe, calibrator.calibration)
    let network = try QuantizationAwareNetwork(
      plan,
      aware.ranges,
      normalized: try moments(aware, samples: calibrator.kept)
    )
    let constraint = CompressionConstraint(
      compressor,
      stepCount: stepCount,
      place: { network.value(of: $0) }
    )
    let freeze = RangeFreeze(at: aware.freeze.step(of: stepCount), network.rangeEnds)
    let stand = NormalizationFreeze(at: aware.normalizationFreeze.step(of: stepCount))
    let trained = try fit(network.graph, [constraint, freeze, stand], step, index)
    compressor = constraint.compressor
    compressor.takeAll(of: network.source(after: trained))
    return try network.written(after: trained)
  }

  /// What the layers make that get a batch normalization again, by the node's name.
  ///
  /// A batch of a few samples has no statistics worth following; and clusters are values that the
  /// channels of a layer share, which a factor for each of them would tear apart.
  private func moments(
    _ aware: QuantizationAwareTraining,
    samples: [[String: Tensor]]
  ) throws -> [String: ChannelMoments] {
    guard tuning.batch >= Self.normalizedBatch,
      aware.normalizationFreeze.step(of: stepCount) > 0
    else { return [:] }
    let clustered = Set(
      compressor.layers.filter { compressor.clusters[$0.value] != nil }.map(\.node)
    )
    let layers = normalized.subtracting(clustered)
    if layers.isEmpty { return [:] }
    return try ChannelMoments.measured(
      compressor.graph,
      layers,
      samples: samples,
      threads: tuning.threads
    )
  }

  /// The fewest samples in a step whose statistics are followed.
  private static let normalizedBatch = 8

  /// The graph with a softmax behind each output; IDs stay.
  private func withSoftmax(_ graph: Graph) throws -> Graph {
    var result = graph
    for (index, id) in graph.outputs.enumerated() {
      let name = graph[id].name + "/probabilities"
      result.outputs[index] = try result.addNode(name, Softmax(), [id])[0]
    }
    return result
  }

  /// Trains a graph.
  ///
  /// - Returns: it with its weights after the training, all training operators in place.
  private func fit(
    _ graph: Graph,
    _ constraints: [any ParameterConstraint],
    _ step: RecipeStep,
    _ index: Int
  ) throws -> Graph {
    let count = stepCount
    var options = TrainerOptions(
      steps: count,
      schedule: Schedule(
        tuning.learningRate,
        warmUp: count / 20,
        decay: .cosine(end: 0.01)
      )
    )
    options.metrics = tuning.metrics
    // Each choice of weights makes the loss jump, the more the smaller it was: that is no divergence.
    options.divergenceFactor = 1e5
    options.checkpointPath = tuning.folder.map { "\($0)/step-\(index + 1).state" }
    var compilation = TrainableGraph.Options()
    compilation.threads = tuning.threads
    compilation.seed = tuning.seed
    compilation.batchNormMomentum =
      tuning.batchNormMomentum
      ?? TrainableGraph.Options.batchNormMomentum(stepsPerEpoch: source.batchesPerEpoch)
    let graph = tuning.addsSoftmax ? try withSoftmax(graph) : graph
    let trainer = try Trainer(
      graph,
      batch: tuning.batch,
      losses: graph.outputs.map { _ in tuning.loss },
      options: options,
      compilation: compilation
    )
    trainer.constraints = constraints
    if let observer = observer?(step, index) { trainer.observers.append(observer) }
    let outcome = try trainer.run(source)
    steps += trainer.step
    if case .diverged(let place, let loss) = outcome {
      throw Diagnostic(
        "CMP008",
        "the training left all bounds in step \(place) of \(count) (loss \(loss))",
        remedy: "a smaller --learning-rate; \(tuning.learningRate) was too great"
      )
    }
    return trainer.model.trained
  }
}
