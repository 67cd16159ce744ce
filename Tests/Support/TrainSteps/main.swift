import AssayAutodiff
import AssayBase
import AssayCodec
import AssayFormat
import AssayGraph
import AssayKernels
import AssayTensor
import AssayTrain
import FormatKeras

// Trains a Keras network on given batches and prints the loss and the time of every step: what
// Bench/measures/training.py compares with Keras.
//
// usage: train-steps MODEL.keras BATCHES.npz LOSS STEPS THREADS RATE [--amsgrad] [--nodes]

/// Batches that are used in turn.
final class Cycle: BatchSource {
  let arrays: [FloatBlock]
  let batchesPerEpoch: Int
  let identity = "a cycle of batches"

  init(_ inputs: Tensor, _ targets: Tensor) {
    batchesPerEpoch = inputs.shape[0]
    arrays = [FloatBlock(inputs.floats()), FloatBlock(targets.floats())]
  }

  func fill(_ batch: Batch, step: Int) {
    for (source, target) in zip(arrays, [batch.inputs[0], batch.targets[0]]) {
      target.copy(source.buffer.part(step % batchesPerEpoch * target.count, target.count))
    }
  }
}

/// Losses, and the time from one step to the next.
final class Recorder: TrainingObserver {
  var losses: [Double] = []
  var seconds: [Double] = []
  private var last = 0.0

  func observe(_ event: TrainingEvent) {
    guard case .step(let step) = event else { return }
    losses.append(step.loss)
    seconds.append(step.elapsed - last)
    last = step.elapsed
  }
}

func run() throws {
  let arguments = CommandLine.arguments
  guard arguments.count >= 7, let loss = Loss(rawValue: arguments[3]),
    let steps = Int(arguments[4]), let threads = Int(arguments[5]),
    let rate = Float(arguments[6])
  else { throw Diagnostic("TRN000", "usage: train-steps MODEL BATCHES LOSS STEPS THREADS RATE") }
  let graph = try KerasFormat().importGraph(
    MappedFile(path: arguments[1]).view,
    options: ImportOptions(path: arguments[1])
  ).graph
  let arrays = try NPZ.read(MappedFile(path: arguments[2]).view)
  func array(_ name: String) throws -> Tensor {
    guard let found = arrays.first(where: { $0.name == name }) else {
      throw Diagnostic("TRN000", "there is no array '\(name)'")
    }
    return found.tensor
  }
  let (inputs, targets) = (try array("inputs"), try array("targets"))
  var options = TrainerOptions(
    steps: steps,
    optimizer: Optimizer(
      arguments.contains("--amsgrad") ? .adam(epsilon: 1e-8, isAMSGrad: true) : .adam()
    ),
    schedule: Schedule(rate)
  )
  options.validationInterval = steps
  var compilation = TrainableGraph.Options()
  compilation.threads = threads
  let trainer = try Trainer(
    graph,
    batch: inputs.shape[1],
    losses: [loss],
    options: options,
    compilation: compilation
  )
  let recorder = Recorder()
  trainer.observers = [recorder]
  try trainer.run(Cycle(inputs, targets))
  if arguments.contains("--nodes") {
    for time in try trainer.model.nodeTimes() {
      let node = trainer.model.graph.nodes[time.node]
      print("\(node.name) \(node.op.name) \(time.forward * 1e3) \(time.backward * 1e3)")
    }
  }
  let result = JSON.object([
    "losses": .array(recorder.losses.map { JSON($0) }),
    "seconds": .array(recorder.seconds.map { JSON($0) }),
  ])
  print(result.text())
}

do { try run() } catch { fatalError("\(error)") }
