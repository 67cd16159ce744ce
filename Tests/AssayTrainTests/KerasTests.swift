import AssayAutodiff
import AssayBase
import AssayCodec
import AssayFormat
import AssayGraph
import AssayKernels
import AssayTensor
import AssayTestSupport
import AssayTrain
import FormatKeras
import Testing

/// Two networks as Keras trains them: `Tests/Goldens/make_training_goldens.py`.
@Suite struct KerasTests {
  /// Batches that are used in turn.
  private final class Cycle: BatchSource {
    let inputs: [Float], targets: [Float]
    let batchesPerEpoch: Int
    let identity = "a cycle of batches"

    init(_ inputs: Tensor, _ targets: Tensor) {
      batchesPerEpoch = inputs.shape[0]
      self.inputs = inputs.floats()
      self.targets = targets.floats()
    }

    func fill(_ batch: Batch, step: Int) {
      for (source, target) in [(inputs, batch.inputs[0]), (targets, batch.targets[0])] {
        let first = step % batchesPerEpoch * target.count
        for index in 0..<target.count { target[index] = source[first + index] }
      }
    }
  }

  @Test(
    arguments: [
      ("autoencoder", Loss.logCosh, Optimizer(.adam(epsilon: 1e-8, isAMSGrad: true)), 4),
      ("classifier", .binaryCrossEntropy, Optimizer.adam, 8),
    ]
  )
  func losses(name: String, loss: Loss, optimizer: Optimizer, batch: Int) throws {
    let folder = TestData.package + "/Tests/Fixtures/training/"
    let path = folder + name + ".keras"
    let graph = try KerasFormat().importGraph(
      MappedFile(path: path).view,
      options: ImportOptions(path: path)
    ).graph
    let arrays = Dictionary(
      try NPZ.read(MappedFile(path: folder + name + ".npz").view).map { ($0.name, $0.tensor) },
      uniquingKeysWith: { first, _ in first }
    )
    let (inputs, targets) = (try #require(arrays["inputs"]), try #require(arrays["targets"]))
    let expected = try #require(arrays["losses"]).elements(as: Double.self)
    var options = TrainerOptions(steps: 50, optimizer: optimizer, schedule: Schedule(1e-3))
    options.validationInterval = 50
    let trainer = try Trainer(graph, batch: batch, losses: [loss], options: options)
    let recorder = Recorder()
    trainer.observers = [recorder]
    try trainer.run(Cycle(inputs, targets))
    try #require(recorder.losses.count == expected.count)
    for (step, (mine, theirs)) in zip(recorder.losses, expected).enumerated() {
      #expect(
        (mine - theirs).magnitude < 1e-3 * theirs.magnitude,
        "step \(step): \(mine), Keras \(theirs)"
      )
    }
    let moving = try #require(arrays["moving"]).floats()
    let mine = trainer.model.parameters.filter { $0.role == .statistic }.flatMap(\.value.array)
    #expect(largestDifference(mine, moving).relative < 1e-3)
  }
}
