import AssayAutodiff
import AssayBase
import AssayGraph
import AssayHost
import AssayKernels
import AssayTensor
import Synchronization

/// How long a run is, what it writes, and when it gives up.
public struct TrainerOptions {
  /// Steps in all.
  public var steps: Int
  /// How gradients change parameters.
  public var optimizer: Optimizer
  /// The learning rate.
  public var schedule: Schedule
  /// What is shown beside the loss.
  public var metrics: [Metric] = []
  /// Steps between two looks at the validation set, or without one between two looks at the mean loss
  /// of the batches since; an epoch if `nil`.
  public var validationInterval: Int?
  /// When nothing gets better any more.
  public var earlyStopping: EarlyStopping?
  /// Whether the best weights (by validation loss, or by the mean training loss of an interval) are
  /// put back at the end.
  public var restoresBest = false
  /// Where the state is kept (a file that is there is taken up); `nil` for nowhere.
  public var checkpointPath: String?
  /// Steps between two states; `nil` for one at each look at the validation set.
  public var checkpointInterval: Int?
  /// A run whose mean loss of some ten steps exceeds that of its first ten by this factor is over.
  public var divergenceFactor = 10.0

  /// Makes options.
  public init(steps: Int, optimizer: Optimizer = .adam, schedule: Schedule = Schedule(1e-3)) {
    self.steps = steps
    self.optimizer = optimizer
    self.schedule = schedule
  }
}

/// When a run ends before its last step.
public struct EarlyStopping: Sendable, Hashable {
  /// How many looks in a row may bring nothing better.
  public var patience: Int
  /// How much less the loss must be to be better.
  public var minimalChange: Double

  /// Makes a rule.
  public init(patience: Int, minimalChange: Double = 0) {
    self.patience = patience
    self.minimalChange = minimalChange
  }
}

/// Trains a graph.
///
/// The trainer compiles the graph for a batch, pulls batches from a source on another thread while it
/// computes, and moves the parameters. A run is a function of graph, source, options and seed: it
/// gives the same bits for any number of threads, and the same after it was killed and taken up again
/// from its checkpoint.
///
/// ```swift
/// let trainer = try Trainer(graph, batch: 32, losses: [.meanSquared], options: options)
/// let outcome = try trainer.run(source, validation: nil)
/// let trained = trainer.graph  // write it with an exporter
/// ```
public final class Trainer {
  /// The graph at work; its parameters may be looked at and changed between steps.
  public let model: TrainableGraph
  /// For each output of the graph its loss.
  public let losses: [Loss]
  /// How the run goes.
  public let options: TrainerOptions
  /// What parameters must keep to, in this order.
  public var constraints: [any ParameterConstraint] = []
  /// Who is told how the run goes on.
  public var observers: [any TrainingObserver] = []
  /// The step that comes next, the first being 0.
  public private(set) var step = 0
  /// The looks at the validation set, or at the mean training loss, so far.
  public private(set) var history: [HistoryEntry] = []

  /// One look.
  public struct HistoryEntry: Sendable, Equatable {
    /// The steps that were done.
    public var step: Int
    /// The mean loss and metrics of the batches since the last look.
    public var training: Evaluation
    /// Those of the validation set, if there is one.
    public var validation: Evaluation?
  }

  private let optimizer: OptimizerState
  private let entries: [ValueID]
  private let batches: [Batch]
  /// One worker computes while the other fetches the next batch.
  private let overlap = ThreadPool(threads: 2)
  private let isStopping = Atomic<Bool>(false)
  private var progress = Progress()

  /// What a run remembers between steps, beside parameters and slots.
  private struct Progress {
    var best: [[Float]] = []
    var bestLoss = Double.infinity
    var waited = 0
    /// The mean loss of the last steps, and of the first ones.
    var running = 0.0
    var first = 0.0
    var sum = Evaluation(loss: 0, metrics: [])
    var summed = 0
  }

  /// Compiles a graph for training.
  ///
  /// - Parameters:
  ///   - graph: a valid graph in float32.
  ///   - batch: samples of a step.
  ///   - losses: one for each output of the graph; their sum is made small.
  ///   - compilation: threads, seed and what is trained; the seeds are set here.
  /// - Throws: `Diagnostic` TRN… when the graph cannot be trained.
  public init(
    _ graph: Graph,
    batch: Int,
    losses: [Loss],
    options: TrainerOptions,
    compilation: TrainableGraph.Options = TrainableGraph.Options()
  ) throws {
    guard losses.count == graph.outputs.count else {
      throw Diagnostic(
        "TRN008",
        "\(losses.count) losses for \(graph.outputs.count) outputs",
        remedy: "give one loss for each output"
      )
    }
    entries = zip(losses, graph.outputs).map { $0.entry($1, in: graph) }
    var compilation = compilation
    compilation.seeds = entries
    let model = try TrainableGraph(graph, batch: batch, options: compilation)
    self.model = model
    self.losses = losses
    self.options = options
    optimizer = OptimizerState(options.optimizer, model)
    batches = (0..<2).map { _ in
      Batch(
        capacity: batch,
        inputs: model.graph.inputs.map { model.graph[$0].type.shape.count },
        targets: model.graph.outputs.map { model.graph[$0].type.shape.count }
      )
    }
  }

  /// The trained graph, without what serves training alone.
  public var graph: Graph { model.trained.withoutTrainingOperators() }

  /// Asks the run to end after the step that it is at; may be called from any thread.
  public func stop() { isStopping.store(true, ordering: .relaxed) }

  // MARK: The run

  /// Trains until the last step, or until something ends the run.
  ///
  /// - Throws: a `Diagnostic` of the source, of a checkpoint that belongs to another run (TRN031) or
  ///   cannot be written; the weights are then those before the step.
  @discardableResult
  public func run(
    _ source: any BatchSource,
    validation: (any BatchSource)? = nil
  ) throws -> TrainingOutcome {
    isStopping.store(false, ordering: .relaxed)
    let interval = max(options.validationInterval ?? source.batchesPerEpoch, 1)
    for constraint in constraints where step == 0 { _ = constraint.state }
    try takeUp(source)
    for constraint in constraints { try constraint.begin(model) }
    if progress.best.isEmpty { progress.best = snapshot() }
    tell(
      .started(step: step, steps: options.steps, batchesPerEpoch: max(source.batchesPerEpoch, 1))
    )
    let clock = Stopwatch(start: step)
    let outcome = try loop(source, validation, interval, clock)
    if case .diverged = outcome {
      restore(progress.best)
    } else {
      try keep(source)
      if options.restoresBest, outcome != .interrupted { restore(progress.best) }
    }
    tell(.ended(outcome, step: step))
    return outcome
  }

  private func loop(
    _ source: any BatchSource,
    _ validation: (any BatchSource)?,
    _ interval: Int,
    _ clock: Stopwatch
  ) throws -> TrainingOutcome {
    guard step < options.steps else { return .finished }
    if isExhausted { return .stoppedEarly }
    batches[step % 2].reset()
    try source.fill(batches[step % 2], step: step)
    while step < options.steps {
      let (current, next) = (batches[step % 2], batches[(step + 1) % 2])
      var (result, fetched): (Result<Report, any Error>?, Result<Void, any Error>?)
      let isLast = step + 1 == options.steps
      overlap.forEach(2) { [step] item, _ in
        if item == 0 {
          result = Result { try advance(current) }
        } else if !isLast {
          next.reset()
          fetched = Result { try source.fill(next, step: step + 1) }
        }
      }
      guard let report = try result?.get() else { return .interrupted }
      if let loss = report.divergence { return .diverged(step: step, loss: loss) }
      step += 1
      tell(.step(clock.step(report, step - 1, options.steps, batch: model.batch)))
      if step % interval == 0 || step == options.steps { try look(validation) }
      if isExhausted { return .stoppedEarly }
      if let every = options.checkpointInterval {
        if step % every == 0 { try keep(source) }
      } else if step % interval == 0 {
        try keep(source)
      }
      if isStopping.load(ordering: .relaxed), step < options.steps { return .interrupted }
      try fetched?.get()
    }
    return .finished
  }

  /// What a step gave.
  fileprivate struct Report {
    var loss: Double
    var metrics: [Double]
    var rate: Float
    var norm: Double
    /// The loss with which the run left all bounds; the parameters have not been changed.
    var divergence: Double?
  }

  /// One step: forward, backward, the optimizer, the constraints.
  private func advance(_ batch: Batch) throws -> Report {
    let rate = options.schedule.rate(at: step, of: options.steps)
    let evaluation = try forward(batch, isTraining: true)
    var report = Report(
      loss: evaluation.loss,
      metrics: evaluation.metrics,
      rate: rate,
      norm: 0,
      divergence: nil
    )
    guard evaluation.loss.isFinite else {
      report.divergence = evaluation.loss
      return report
    }
    try model.backward()
    for constraint in constraints { try constraint.adjustGradients(model, step: step) }
    report.norm = optimizer.norm()
    guard report.norm.isFinite else {
      report.divergence = evaluation.loss
      return report
    }
    progress.running =
      step == 0 ? evaluation.loss : 0.9 * progress.running + 0.1 * evaluation.loss
    if step < 10 { progress.first = max(progress.first, evaluation.loss) }
    if step >= 10, progress.running > options.divergenceFactor * progress.first {
      report.divergence = evaluation.loss
      return report
    }
    optimizer.apply(step: step, rate: rate, norm: report.norm)
    for constraint in constraints { try constraint.constrain(model, step: step) }
    progress.sum.loss += evaluation.loss
    if progress.sum.metrics.isEmpty { progress.sum.metrics = evaluation.metrics.map { _ in 0 } }
    for index in evaluation.metrics.indices {
      progress.sum.metrics[index] += evaluation.metrics[index]
    }
    progress.summed += 1
    return report
  }

  /// Loss and metrics of a batch; for training also the gradients at the seeds.
  private func forward(_ batch: Batch, isTraining: Bool) throws -> Evaluation {
    for (id, source) in zip(model.graph.inputs, batch.inputs) { model.value(id)?.copy(source) }
    try model.forward(training: isTraining, step: step)
    var total = 0.0
    var sums = options.metrics.map { _ in (sum: 0.0, count: 0.0) }
    for (index, id) in model.graph.outputs.enumerated() {
      guard let output = model.value(id) else { continue }
      let classes = max(model.graph[id].type.shape[-1], 1)
      total += losses[index].evaluate(
        model.value(entries[index]) ?? output,
        batch.targets[index],
        weights: batch.weights,
        classes: classes,
        samples: model.batch,
        count: batch.count,
        gradient: isTraining ? model.seed(entries[index]) : nil,
        isFused: entries[index] != id
      )
      for (place, metric) in options.metrics.enumerated() {
        let part = metric.sum(
          output,
          batch.targets[index],
          classes: classes,
          samples: model.batch,
          count: batch.count
        )
        sums[place].sum += part.sum
        sums[place].count += part.count
      }
    }
    return Evaluation(loss: total, metrics: sums.map { $0.sum / max($0.count, 1) })
  }

  /// Loss and metrics over one round of a source, as the network is used: nothing is dropped and the
  /// moving averages normalize.
  public func evaluate(_ source: any BatchSource) throws -> Evaluation {
    let batch = batches[(step + 1) % 2]
    let held = Batch(
      capacity: batch.capacity,
      inputs: batch.inputs.map(\.count),
      targets: batch.targets.map(\.count)
    )
    var sum = Evaluation(loss: 0, metrics: options.metrics.map { _ in 0 })
    var samples = 0
    for index in 0..<source.batchesPerEpoch {
      held.reset()
      try source.fill(held, step: index)
      let part = try forward(held, isTraining: false)
      sum.loss += part.loss * Double(held.count)
      for place in sum.metrics.indices {
        sum.metrics[place] += part.metrics[place] * Double(held.count)
      }
      samples += held.count
    }
    let divisor = Double(max(samples, 1))
    return Evaluation(loss: sum.loss / divisor, metrics: sum.metrics.map { $0 / divisor })
  }

  // MARK: Looks

  private func look(_ validation: (any BatchSource)?) throws {
    guard progress.summed > 0 else { return }
    let divisor = Double(progress.summed)
    let training = Evaluation(
      loss: progress.sum.loss / divisor,
      metrics: progress.sum.metrics.map { $0 / divisor }
    )
    progress.sum = Evaluation(loss: 0, metrics: [])
    progress.summed = 0
    let validated = try validation.map { try evaluate($0) }
    history.append(HistoryEntry(step: step, training: training, validation: validated))
    let loss = validated?.loss ?? training.loss
    let isBest = loss < progress.bestLoss
    if loss < progress.bestLoss - (options.earlyStopping?.minimalChange ?? 0) {
      progress.waited = 0
    } else {
      progress.waited += 1
    }
    if isBest {
      progress.bestLoss = loss
      progress.best = snapshot()
    }
    tell(.validated(validated ?? training, step: step, isBest: isBest))
  }

  private var isExhausted: Bool {
    options.earlyStopping.map { progress.waited >= max($0.patience, 1) } ?? false
  }

  private func snapshot() -> [[Float]] { model.parameters.map(\.value.array) }

  private func restore(_ elements: [[Float]]) {
    for (parameter, elements) in zip(model.parameters, elements) { parameter.set(elements) }
  }

  private func tell(_ event: TrainingEvent) {
    for observer in observers { observer.observe(event) }
  }

  // MARK: Checkpoints

  /// What must be equal for a state to belong to this run.
  private func fingerprint(_ source: any BatchSource) -> String {
    let shapes = model.parameters.map { "\($0.name) \($0.shape) \($0.role.rawValue)" }
    return sha256(
      (shapes + [
        source.identity, "\(model.batch)", "\(options.steps)", "\(options.optimizer)",
        "\(options.schedule)", losses.map(\.rawValue).joined(separator: ","),
      ]).joined(separator: "\n")
    )
  }

  private func keep(_ source: any BatchSource) throws {
    guard let path = options.checkpointPath else { return }
    var arrays: [(name: String, elements: [Float])] = []
    for (index, parameter) in model.parameters.enumerated() {
      arrays.append(("parameter \(index)", parameter.value.array))
    }
    for (index, slots) in optimizer.slots.enumerated() {
      for (slot, block) in slots.enumerated() {
        arrays.append(("slot \(index) \(slot)", block.buffer.array))
      }
    }
    for (index, elements) in progress.best.enumerated() {
      arrays.append(("best \(index)", elements))
    }
    for (index, constraint) in constraints.enumerated() {
      for (name, elements) in constraint.state.sorted(by: { $0.key < $1.key }) {
        arrays.append(("constraint \(index) \(name)", elements))
      }
    }
    let header = JSON.object([
      "run": .string(fingerprint(source)), "source": .string(source.identity), "step": JSON(step),
      "bestLoss": JSON(progress.bestLoss), "waited": JSON(progress.waited),
      "running": JSON(progress.running), "first": JSON(progress.first),
      "sum": progress.sum.json, "summed": JSON(progress.summed),
      "history": .array(history.map(\.json)),
    ])
    try Checkpoint(header: header, arrays: arrays).write(to: path)
    tell(.checkpoint(path: path, step: step))
  }

  /// Goes on where a checkpoint ends, if there is one.
  private func takeUp(_ source: any BatchSource) throws {
    guard step == 0, let path = options.checkpointPath, Host.exists(path) else { return }
    let checkpoint = try Checkpoint(path: path)
    let header = checkpoint.header
    guard header["run"]?.string == fingerprint(source) else {
      throw Diagnostic(
        "TRN031",
        "the checkpoint belongs to another run",
        at: [path],
        remedy: "remove the file, or train with the same network, data and options",
        cause: "it was trained on \(header["source"]?.string ?? "something else")"
      )
    }
    func take(_ name: String, into target: FloatBuffer) throws {
      guard let elements = checkpoint[name], elements.count == target.count else {
        throw Diagnostic("TRN030", "the checkpoint lacks '\(name)'", at: [path])
      }
      for index in elements.indices { target[index] = elements[index] }
    }
    for (index, parameter) in model.parameters.enumerated() {
      try take("parameter \(index)", into: parameter.value)
    }
    for (index, slots) in optimizer.slots.enumerated() {
      for (slot, block) in slots.enumerated() {
        try take("slot \(index) \(slot)", into: block.buffer)
      }
    }
    progress.best = model.parameters.indices.compactMap { checkpoint["best \($0)"] }
    if progress.best.count != model.parameters.count { progress.best = [] }
    for (index, constraint) in constraints.enumerated() {
      let prefix = "constraint \(index) "
      constraint.state = Dictionary(
        checkpoint.arrays.filter { $0.name.hasPrefix(prefix) }
          .map { (String($0.name.dropFirst(prefix.count)), $0.elements) },
        uniquingKeysWith: { first, _ in first }
      )
    }
    step = max(header["step"]?.int ?? 0, 0)
    progress.bestLoss = header["bestLoss"]?.double ?? .infinity
    progress.waited = header["waited"]?.int ?? 0
    progress.running = header["running"]?.double ?? 0
    progress.first = header["first"]?.double ?? 0
    progress.sum = header["sum"].flatMap(Evaluation.init(json:)) ?? progress.sum
    progress.summed = header["summed"]?.int ?? 0
    history = (header["history"]?.array ?? []).compactMap(HistoryEntry.init(json:))
  }
}

extension Evaluation {
  /// As a JSON object.
  public var json: JSON {
    .object(["loss": JSON(loss), "metrics": .array(metrics.map { JSON($0) })])
  }

  /// Reads the form that `json` gives.
  public init?(json: JSON) {
    guard let loss = json["loss"]?.double else { return nil }
    self.init(loss: loss, metrics: (json["metrics"]?.array ?? []).compactMap(\.double))
  }
}

extension Trainer.HistoryEntry {
  /// As a JSON object.
  public var json: JSON {
    var object = JSON.object(["step": JSON(step), "training": training.json])
    if let validation { object["validation"] = validation.json }
    return object
  }

  /// Reads the form that `json` gives.
  public init?(json: JSON) {
    guard let step = json["step"]?.int, let training = json["training"].flatMap(Evaluation.init)
    else { return nil }
    self.init(
      step: step,
      training: training,
      validation: json["validation"].flatMap(Evaluation.init)
    )
  }
}

/// How long steps take.
private struct Stopwatch {
  private let begin = ContinuousClock.now
  private let start: Int

  init(start: Int) { self.start = start }

  func step(_ report: Trainer.Report, _ step: Int, _ steps: Int, batch: Int) -> TrainingStep {
    let duration = ContinuousClock.now - begin
    let elapsed =
      Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
    let done = Double(step + 1 - start)
    return TrainingStep(
      step: step,
      steps: steps,
      loss: report.loss,
      metrics: report.metrics,
      rate: report.rate,
      gradientNorm: report.norm,
      samplesPerSecond: done * Double(batch) / max(elapsed, 1e-9),
      elapsed: elapsed,
      remaining: elapsed / done * Double(steps - step - 1)
    )
  }
}
