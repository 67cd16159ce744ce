import AssayAutodiff
import AssayBase
import AssayCodec
import AssayData
import AssayGraph
import AssayHost
import AssayKernels
import AssayModels
import AssayReport
import AssayTensor
import AssayTestSupport
import Testing

@testable import AssayCommand
@testable import AssayTrain

/// A clock that a test turns.
private final class Clock {
  var time: UInt64 = 0
}

private func step(_ index: Int, of steps: Int, loss: Double, accuracy: Double) -> TrainingStep {
  TrainingStep(
    step: index,
    steps: steps,
    loss: loss,
    metrics: [accuracy],
    rate: 0.001,
    gradientNorm: 1,
    samplesPerSecond: 250,
    elapsed: 1,
    remaining: 65
  )
}

struct TrainingProgressTests {
  @Test("an epoch's figures are the means of its steps")
  func epochs() throws {
    let clock = Clock()
    var rows: [TrainingHistory.Row] = []
    var takenUp: [Int] = []
    var console = Console()
    console.isQuiet = true
    let progress = TrainingProgress(
      console,
      phase: "prune50",
      metrics: ["accuracy"],
      isValidated: true,
      now: { clock.time },
      takeUp: { takenUp.append($0) },
      record: { rows.append($0) }
    )
    progress.observe(.started(step: 2, steps: 6, batchesPerEpoch: 2))
    progress.observe(.step(step(2, of: 6, loss: 1, accuracy: 0.5)))
    let last = step(3, of: 6, loss: 0.5, accuracy: 0.75)
    progress.observe(.step(last))
    let line = progress.line(last)
    #expect(
      line
        == "prune50: epoch 2/3  step 2/2  loss 0.750  accuracy 62.5 %  250 samples/s  65 s left"
    )
    clock.time = 2_500_000_000
    let evaluation = Evaluation(loss: 0.8, metrics: [0.6])
    progress.observe(.validated(evaluation, step: 4, isBest: true))
    #expect(takenUp == [1])
    #expect(rows.count == 1)
    #expect(rows.first?.epoch == 2 && rows.first?.step == 4 && rows.first?.seconds == 2.5)
    #expect(
      rows.first?.values.filter { $0.key != "learning_rate" }
        == ["loss": 0.75, "accuracy": 0.625, "val_loss": 0.8, "val_accuracy": 0.6]
    )
    // The next epoch begins anew.
    progress.observe(.step(step(4, of: 6, loss: 0.25, accuracy: 1)))
    progress.observe(.validated(evaluation, step: 6, isBest: false))
    #expect(rows.last?.values["loss"] == 0.25)
  }

  @Test("times that people wait are told in their units")
  func durations() {
    #expect(Text.duration(0) == "0 s")
    #expect(Text.duration(61.2e9) == "62 s")
    #expect(Text.duration(185e9) == "3:05 min")
    #expect(Text.duration(3725e9) == "1:02 h")
    #expect(Text.duration(.nan) == "0 s")
  }
}

struct TrainingLogTests {
  private func row(_ epoch: Int, phase: String = "") -> TrainingHistory.Row {
    TrainingHistory.Row(
      epoch: epoch,
      step: epoch,
      phase: phase,
      seconds: 1,
      values: ["loss": 1 / Double(epoch), "val_loss": 2 / Double(epoch)]
    )
  }

  @Test("a run that goes on keeps the epochs before, and repeats none")
  func continued() throws {
    try withFolder { folder in
      var log = try TrainingLog(folder: folder, board: nil, isContinued: true)
      for epoch in 1...3 { try log.add(row(epoch)) }
      try log.add(row(1, phase: "prune50"))
      var next = try TrainingLog(folder: folder, board: nil, isContinued: true)
      #expect(next.history == log.history)
      next.forget(phase: "", after: 2)
      #expect(next.history.rows.map(\.epoch) == [1, 2, 1])
      #expect(try TrainingLog(folder: folder, board: nil, isContinued: false).history.rows.isEmpty)
    }
  }

  @Test("TensorBoard's files hold training and validation as runs of their own")
  func board() throws {
    try withFolder { folder in
      let log = try TensorBoardLog(folder: folder, now: { 1000 })
      for epoch in 1...2 { try log.add(row(epoch)) }
      try log.add(row(1, phase: "cluster8"))
      #expect(try Host.list(folder) == ["cluster8", "train", "validation"])
      for run in ["train", "validation", "cluster8/train"] {
        let place = Host.join(folder, run)
        let name = try #require(try Host.list(place).first)
        #expect(name.hasPrefix("events.out.tfevents.1000."))
        let records = try TFRecord.records(MappedFile(path: Host.join(place, name)).view)
        // The version, and one event for each epoch.
        #expect(records.count == (run.hasPrefix("cluster8") ? 2 : 3))
      }
    }
  }
}

struct TrainingBatchesTests {
  /// Four samples of one number, the last of class 1.
  private func data(in folder: String) throws -> TrainingData {
    let values = Tensor([Float(10), 20, 30, 40], [4, 1])
    let path = folder + "/data.npz"
    try AtomicFile.write(
      NPZ.write([("x", values), ("y", Tensor([Int32(0), 0, 0, 1], [4]))]),
      to: path
    )
    let input = DataInput(name: "x", type: TensorType(.float32, [1, 1]))
    return try TrainingData(Dataset.open(path: path, inputs: [input]))
  }

  private func fill(_ source: TrainingBatches, _ step: Int, _ capacity: Int) throws -> Batch {
    let batch = Batch(capacity: capacity, inputs: [capacity], targets: [capacity * 2])
    try source.fill(batch, step: step)
    return batch
  }

  @Test("training sees whole batches, each sample at most once an epoch, in the order of the seed")
  func training() throws {
    try withFolder { folder in
      let data = try data(in: folder)
      let source = TrainingBatches(data, batch: 2, seed: 3, isTraining: true, isBalanced: true)
      #expect(source.batchesPerEpoch == 2)
      for epoch in 0..<3 {
        let batches = try (0..<2).map { try fill(source, epoch * 2 + $0, 2) }
        let seen = batches.flatMap(\.inputs[0].array)
        #expect(seen.sorted() == [10, 20, 30, 40])
        #expect(seen == data.order(epoch: epoch, seed: 3).map { Float($0 + 1) * 10 })
        let targets = batches.flatMap(\.targets[0].array)
        #expect(targets == seen.flatMap { $0 == 40 ? [0, 1] : [1, 0] })
        // The rare class weighs as much as the frequent one.
        let weights = batches.flatMap(\.weights.array)
        #expect(weights == seen.map { $0 == 40 ? 2 : Float(4) / 6 })
      }
      // A step is a function of its number.
      let again = TrainingBatches(data, batch: 2, seed: 3, isTraining: true)
      let (first, second) = (try fill(again, 5, 2), try fill(source, 5, 2))
      #expect(first.inputs[0].array == second.inputs[0].array)
      #expect(source.identity != again.identity)
    }
  }

  @Test("validation sees everything once, the last batch being short")
  func validation() throws {
    try withFolder { folder in
      let source = TrainingBatches(try data(in: folder), batch: 3, seed: 3, isTraining: false)
      #expect(source.batchesPerEpoch == 2)
      let batches = try (0..<2).map { try fill(source, $0, 3) }
      #expect(batches.map(\.count) == [3, 1])
      #expect(batches[0].inputs[0].array == [10, 20, 30])
      #expect(batches[1].inputs[0].array[0] == 40)
    }
  }
}

struct TrainingGraphTests {
  @Test("dropouts stand in the trained graph and leave no trace")
  func dropouts() throws {
    let network = try Network.fireDetectionNet(side: 32)
    let training = try network.trainingGraph()
    let dropouts = training.nodes.compactMap { $0.op as? Dropout }
    #expect(dropouts.map(\.rate) == [0.5, 0.5])
    let faults = training.validate()
    #expect(faults.isEmpty, "\(faults)")
    let plain = training.withoutTrainingOperators()
    #expect(plain.dump() == network.graph.dump())
  }

  @Test("constants are taken by name")
  func constants() throws {
    let first = try Network.fireDetectionNet(side: 32, seed: 1).graph
    let second = try Network.fireDetectionNet(side: 32, seed: 2).graph
    #expect(first.takingConstants(of: second).dump() == second.dump())
    let name = "dense/kernel"
    func weights(_ graph: Graph) -> [Float]? {
      graph.values.first { $0.name == name }?.constant?.floats()
    }
    #expect(weights(first) != weights(second))
    #expect(weights(first.takingConstants(of: second)) == weights(second))
  }
}
