import AssayAutodiff
import AssayBase
import AssayGraph
import AssayHost
import AssayKernels
import AssayTensor
import AssayTestSupport
import AssayTrain
import Testing

/// Two classes that a straight line does not part: points inside and outside of a ring.
enum Rings {
  static func network(_ rng: inout SeededRNG, dropout: Float = 0) throws -> Graph {
    var graph = Graph(name: "rings")
    let x = graph.addInput("x", TensorType(.float32, [1, 2]))
    func dense(
      _ name: String,
      _ input: ValueID,
      _ outputs: Int,
      _ activation: Activation
    ) throws
      -> ValueID
    {
      let inputs = graph[input].type.shape[-1]
      let scale = (2 / Float(inputs)).squareRoot()
      let w = graph.addConstant("\(name)/w", rng.tensor([outputs, inputs], scale: scale))
      let b = graph.addConstant(
        "\(name)/b",
        Tensor([Float](repeating: 0, count: outputs), [outputs])
      )
      return try graph.addNode(name, FullyConnected(activation: activation), [input, w, b])[0]
    }
    var y = try dense("hidden", x, 24, .relu)
    let ones = [Float](repeating: 1, count: 24)
    let zeros = [Float](repeating: 0, count: 24)
    let statistics = [ones, zeros, zeros, ones].enumerated().map {
      graph.addConstant("norm/\($0)", Tensor($1, [24]))
    }
    y = try graph.addNode("norm", BatchNorm(epsilon: 1e-3), [y] + statistics)[0]
    if dropout > 0 { y = try graph.addNode("dropout", Dropout(rate: dropout), [y])[0] }
    y = try dense("logits", y, 2, .none)
    graph.outputs = try graph.addNode("softmax", Softmax(), [y])
    return graph
  }

  static func source(
    samples: Int,
    batch: Int,
    seed: UInt64,
    isShuffled: Bool = true
  ) throws
    -> ArraySource
  {
    var rng = SeededRNG(seed: seed)
    var (points, classes): ([Float], [Float]) = ([], [])
    for _ in 0..<samples {
      let (x, y) = (rng.uniform(-2, 2), rng.uniform(-2, 2))
      let isInside = x * x + y * y < 1.5
      points += [x, y]
      classes += isInside ? [1, 0] : [0, 1]
    }
    return try ArraySource(
      inputs: [points],
      targets: [classes],
      samples: samples,
      batch: batch,
      isShuffled: isShuffled,
      seed: seed
    )
  }

  static func trainer(
    steps: Int,
    checkpoint: String? = nil,
    dropout: Float = 0.1,
    threads: Int = 1,
    rate: Float = 1e-2,
    _ change: (inout TrainerOptions) -> Void = { _ in }
  ) throws -> Trainer {
    var rng = SeededRNG(seed: 4)
    let graph = try network(&rng, dropout: dropout)
    var options = TrainerOptions(
      steps: steps,
      optimizer: Optimizer(.adam(isAMSGrad: true), clipping: .norm(5)),
      schedule: Schedule(rate, warmUp: 10, decay: .cosine(end: 0.01))
    )
    options.metrics = [.accuracy]
    options.checkpointPath = checkpoint
    options.validationInterval = 20
    change(&options)
    var compilation = TrainableGraph.Options()
    compilation.threads = threads
    compilation.seed = 8
    compilation.batchNormMomentum = 0.9
    return try Trainer(
      graph,
      batch: 32,
      losses: [.categoricalCrossEntropy],
      options: options,
      compilation: compilation
    )
  }
}

final class Recorder: TrainingObserver {
  var losses: [Double] = []
  var outcome: TrainingOutcome?
  var checkpoints: [Int] = []
  /// Called after each step.
  var afterStep: (Int) -> Void = { _ in }

  func observe(_ event: TrainingEvent) {
    switch event {
    case .step(let step):
      losses.append(step.loss)
      afterStep(step.step)
    case .checkpoint(_, let step): checkpoints.append(step)
    case .ended(let outcome, _): self.outcome = outcome
    default: break
    }
  }
}

@Suite struct TrainerTests {
  @Test func averagesFollowHalfAnEpoch() {
    let momentum = TrainableGraph.Options.batchNormMomentum(stepsPerEpoch:)
    #expect(momentum(1) == 0.8 && momentum(0) == 0.8)
    #expect(abs(momentum(37) - (1 - 2 / 37)) < 1e-6)
    #expect(momentum(200) == 0.99 && momentum(100_000) == 0.99)
  }

  @Test func aNetworkLearns() throws {
    let trainer = try Rings.trainer(steps: 300)
    let validation = try Rings.source(samples: 333, batch: 32, seed: 77, isShuffled: false)
    let before = try trainer.evaluate(validation)
    let outcome = try trainer.run(
      try Rings.source(samples: 600, batch: 32, seed: 1),
      validation: validation
    )
    let after = try trainer.evaluate(validation)
    #expect(outcome == .finished)
    #expect(before.metrics[0] < 0.8)
    #expect(after.metrics[0] > 0.95)
    #expect(after.loss < 0.2)
    #expect(trainer.history.count == 15)
    #expect(
      trainer.graph.nodes.map(\.op.name) == [
        "FullyConnected", "BatchNorm", "FullyConnected", "Softmax",
      ]
    )
  }

  @Test func aRunThatWasKilledResumesToTheSameBits() throws {
    let folder = try Host.makeTemporaryFolder()
    defer { try? Host.remove(folder) }
    let source = { try Rings.source(samples: 100, batch: 32, seed: 1) }
    let whole = try Rings.trainer(steps: 60)
    try whole.run(try source())
    // Stopped at steps that are no multiples of anything, and resumed in a new trainer each time, with
    // another number of threads.
    let path = Host.join(folder, "run.checkpoint")
    var trainer = try Rings.trainer(steps: 60, checkpoint: path)
    for (stop, threads) in [(7, 2), (23, 3), (41, 1), (1000, 2)] {
      trainer = try Rings.trainer(steps: 60, checkpoint: path, threads: threads)
      let recorder = Recorder()
      recorder.afterStep = { [unowned trainer] step in if step == stop { trainer.stop() } }
      trainer.observers = [recorder]
      try trainer.run(try source())
      #expect(recorder.outcome == (stop < 60 ? .interrupted : .finished))
    }
    #expect(trainer.step == 60)
    for (a, b) in zip(whole.model.parameters, trainer.model.parameters) {
      #expect(a.value.array == b.value.array, "\(a.name)")
    }
    #expect(whole.history == trainer.history)
  }

  @Test func aCheckpointOfAnotherRunIsRefused() throws {
    let folder = try Host.makeTemporaryFolder()
    defer { try? Host.remove(folder) }
    let path = Host.join(folder, "run.checkpoint")
    try Rings.trainer(steps: 20, checkpoint: path).run(
      try Rings.source(samples: 100, batch: 32, seed: 1)
    )
    #expect(throws: Diagnostic.self) {
      try Rings.trainer(steps: 20, checkpoint: path).run(
        try Rings.source(samples: 101, batch: 32, seed: 1)
      )
    }
    let bytes = try MappedFile(path: path).view.array
    for count in [0, 7, 100, bytes.count - 1] {
      #expect(throws: Diagnostic.self) {
        _ = try Checkpoint(ByteView(bytes.prefix(count)), name: "cut")
      }
    }
    var flipped = bytes
    flipped[bytes.count / 2] ^= 1
    #expect(throws: Diagnostic.self) { _ = try Checkpoint(ByteView(flipped), name: "flipped") }
    let whole = try Checkpoint(ByteView(bytes), name: "whole")
    #expect(whole.header["step"]?.int == 20)
  }

  @Test func aRunThatDivergesKeepsItsBestWeights() throws {
    let trainer = try Rings.trainer(steps: 400) { options in
      options.schedule = Schedule(1e-2)
      options.optimizer = Optimizer(.adam())
      options.validationInterval = 10
    }
    let validation = try Rings.source(samples: 200, batch: 32, seed: 5, isShuffled: false)
    // A constraint that ruins the weights in the middle of the run.
    final class Saboteur: ParameterConstraint {
      func constrain(_ model: TrainableGraph, step: Int) {
        if step == 95 { model.parameters[0].value[0] = .nan }
      }
    }
    trainer.constraints = [Saboteur()]
    let outcome = try trainer.run(
      try Rings.source(samples: 600, batch: 32, seed: 1),
      validation: validation
    )
    guard case .diverged(let step, _) = outcome else {
      Issue.record("\(outcome)")
      return
    }
    #expect(step == 96)
    let best = trainer.history.compactMap { $0.validation?.loss }.min()
    #expect(try trainer.evaluate(validation).loss == best)
  }

  @Test func aRateThatIsTooGreatIsNoticed() throws {
    let trainer = try Rings.trainer(steps: 2000, dropout: 0) { options in
      options.optimizer = Optimizer(.descent(momentum: 0.9))
      options.schedule = Schedule(500)
    }
    let outcome = try trainer.run(try Rings.source(samples: 600, batch: 32, seed: 1))
    guard case .diverged = outcome else {
      Issue.record("\(outcome)")
      return
    }
    #expect(trainer.model.parameters.allSatisfy { $0.value.array.allSatisfy(\.isFinite) })
  }

  @Test func earlyStoppingWaits() throws {
    let trainer = try Rings.trainer(steps: 1000) { options in
      options.schedule = Schedule(0)
      options.validationInterval = 5
      options.earlyStopping = EarlyStopping(patience: 3, minimalChange: 10)
    }
    let validation = try Rings.source(samples: 64, batch: 32, seed: 5, isShuffled: false)
    let outcome = try trainer.run(
      try Rings.source(samples: 600, batch: 32, seed: 1),
      validation: validation
    )
    #expect(outcome == .stoppedEarly)
    // The first look is better than none.
    #expect(trainer.step == 20)
  }

  @Test func aSourceThatFailsLosesNothing() throws {
    final class Broken: BatchSource {
      let batchesPerEpoch = 10
      let identity = "broken"
      func fill(_ batch: Batch, step: Int) throws {
        if step == 4 { throw Diagnostic("DAT999", "the fifth batch is gone") }
        batch.targets[0].fill(0.5)
      }
    }
    let trainer = try Rings.trainer(steps: 20)
    #expect(throws: Diagnostic("DAT999", "the fifth batch is gone")) {
      try trainer.run(Broken())
    }
    #expect(trainer.step == 4)
  }

  @Test func lossesNeedAnOutputEach() throws {
    var rng = SeededRNG(seed: 4)
    let graph = try Rings.network(&rng)
    do {
      _ = try Trainer(graph, batch: 2, losses: [], options: TrainerOptions(steps: 1))
      Issue.record("it was compiled")
    } catch let fault as Diagnostic {
      #expect(fault.code == "TRN008")
    }
  }
}

@Suite struct ScheduleTests {
  @Test func ratesRiseAndFall() {
    let cosine = Schedule(2, warmUp: 4, decay: .cosine(end: 0.1))
    let rates = (0...20).map { cosine.rate(at: $0, of: 20) }
    #expect(rates.prefix(4).elementsEqual([0.5, 1, 1.5, 2]))
    #expect(rates[4] == 2)
    #expect((rates[12] - 1.1).magnitude < 1e-6)
    #expect((rates[20] - 0.2).magnitude < 1e-6)
    let stepped = Schedule(1, decay: .steps(every: 5, factor: 0.5))
    #expect([0, 4, 5, 10].map { stepped.rate(at: $0, of: 20) } == [1, 1, 0.5, 0.25])
    let polynomial = Schedule(1, decay: .polynomial(power: 2, end: 0))
    #expect([0, 5, 10].map { polynomial.rate(at: $0, of: 10) } == [1, 0.25, 0])
    #expect(Schedule(3).rate(at: 7, of: 9) == 3)
  }
}
