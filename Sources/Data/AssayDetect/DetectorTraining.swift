import AssayAutodiff
import AssayBase
import AssayData
import AssayGraph
import AssayModels
import AssayTensor
import AssayTrain

/// How a temporal-convolution autoencoder is trained on a series that may itself hold anomalies: they
/// are too rare to be learnt.
public struct DetectorTraining: Sendable {
  /// How series are brought to a common range.
  public enum Scaling: String, Sendable, CaseIterable {
    /// To mean 0 and deviation 1.
    case zscore
    /// To 0...1.
    case minmax
    /// As they are.
    case none
  }

  /// The network.
  public var model = TCNAutoencoder()
  /// How the series is scaled.
  public var scaling = Scaling.zscore
  /// Samples of a window.
  public var window = 1050
  /// Windows of a step.
  public var batch = 8
  /// Where windows begin.
  public var order = WindowSource.Order.random
  /// Steps in all.
  public var steps = 1
  /// The learning rate.
  public var schedule = Schedule(1e-3)
  /// How gradients change weights.
  public var optimizer = Optimizer(.adam(epsilon: 1e-8, isAMSGrad: true))
  /// The part of the windows at the end that is kept for validation; with `Order.stride` only.
  public var validation = 0.0
  /// When training ends early.
  public var earlyStopping: EarlyStopping?
  /// Of first weights and windows.
  public var seed: UInt64 = 0
  /// Where the state of an unfinished training is kept.
  public var checkpointPath: String?

  /// The published training: 40 epochs of windows every 5 samples, in batches of 32.
  public static func full(epochs: Int = 40, samples: Int) -> DetectorTraining {
    var training = DetectorTraining()
    training.batch = 32
    training.order = .stride(5)
    training.validation = 0.001
    let windows = max(0, samples - training.window) / 5 + 1
    let trained = windows - Int(training.validation * Double(windows))
    training.steps = epochs * max(1, trained / training.batch)
    return training
  }

  /// A training that comes as far at a fraction of the cost: windows at random offsets, few at a time and
  /// therefore in many steps, a high rate after a warm-up, and a cosine down to a hundredth of it.
  public static func fast(steps: Int = 24_000) -> DetectorTraining {
    var training = DetectorTraining()
    training.batch = 2
    training.steps = steps
    training.schedule = Schedule(3e-3, warmUp: min(200, steps / 5), decay: .cosine(end: 0.01))
    return training
  }

  /// The figures by which the series is scaled.
  public func standardization(of series: TimeSeries) -> Standardization {
    switch scaling {
    case .zscore: Standardization(of: series)
    case .minmax:
      Standardization(
        mean: series.values.map { $0.min() ?? 0 },
        deviation: series.values.map { ($0.max() ?? 1) - ($0.min() ?? 0) }
      )
    case .none:
      Standardization(
        mean: series.values.map { _ in 0 },
        deviation: series.values.map { _ in 1 }
      )
    }
  }

  /// A training that is ready to run.
  public struct Run {
    /// Trains the network.
    public let trainer: Trainer
    /// The windows that it is trained on.
    public let source: WindowSource
    /// The windows that it is validated by, if any are kept for that.
    public let validation: WindowSource?
  }

  /// Prepares the training.
  ///
  /// - Throws: `Diagnostic` MDL01x for a network that cannot be, DTC00x for a series that cannot be
  ///   learnt from, TRN… .
  public func prepared(
    _ series: TimeSeries,
    threads: Int,
    metrics: [Metric] = []
  ) throws -> Run {
    var model = model
    model.channels = series.channels.count
    let length = window / max(model.latentRate, 1) * model.latentRate
    try series.check(leastCount: max(length, Scoring().window + 1))
    let network = try model.network(length: length, seed: seed)
    let scaled = standardization(of: series).applied(to: series)
    var options = TrainerOptions(steps: steps, optimizer: optimizer, schedule: schedule)
    options.metrics = metrics
    options.earlyStopping = earlyStopping
    options.restoresBest = earlyStopping != nil
    options.checkpointPath = checkpointPath
    // An epoch of windows is a few steps; a state is 2.4 MB.
    options.validationInterval = validation > 0 ? nil : min(100, max(steps, 1))
    options.checkpointInterval = max(100, steps / 20)
    var compilation = TrainableGraph.Options()
    compilation.threads = threads
    compilation.seed = seed
    func source(_ isValidation: Bool) throws -> WindowSource {
      try WindowSource(
        scaled,
        window: length,
        batch: batch,
        order: order,
        seed: seed,
        validation: validation,
        isValidation: isValidation
      )
    }
    let held = try source(true)
    return Run(
      trainer: try Trainer(
        network.withDropouts(),
        batch: batch,
        losses: [.logCosh],
        options: options,
        compilation: compilation
      ),
      source: try source(false),
      validation: held.isEmpty ? nil : held
    )
  }
}

extension Network {
  /// The network as it is trained: whole channels are dropped behind the values that say so.
  fileprivate func withDropouts() throws -> Graph {
    var result = graph
    for (index, node) in graph.nodes.enumerated().reversed() {
      guard let made = node.outputs.first, let rate = dropouts[graph[made].name] else { continue }
      let op = Dropout(rate: rate, dropsChannels: true)
      let name = graph[made].name + "/dropout"
      let dropped = result.add(Value(name: name, type: graph[made].type))
      for reader in result.nodes.indices {
        result.nodes[reader].inputs = result.nodes[reader].inputs.map { $0 == made ? dropped : $0 }
      }
      result.outputs = result.outputs.map { $0 == made ? dropped : $0 }
      result.nodes.insert(
        Node(name: name, op: op, inputs: [made], outputs: [dropped]),
        at: index + 1
      )
    }
    return result
  }
}
