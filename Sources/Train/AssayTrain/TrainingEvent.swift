/// How a run goes on, as it happens.
public enum TrainingEvent: Sendable {
  /// The run begins at a step, the first being 0.
  case started(step: Int, steps: Int, batchesPerEpoch: Int)
  /// A step is done.
  case step(TrainingStep)
  /// The validation set has been looked at.
  case validated(Evaluation, step: Int, isBest: Bool)
  /// A checkpoint has been written.
  case checkpoint(path: String, step: Int)
  /// The run is over.
  case ended(TrainingOutcome, step: Int)
}

/// One step of a run.
public struct TrainingStep: Sendable {
  /// The number of the step, the first being 0, and how many there will be at most.
  public var step: Int, steps: Int
  /// The loss of the step's batch before the weights moved.
  public var loss: Double
  /// The metrics of the same batch, in the order in which they were asked for.
  public var metrics: [Double]
  /// The learning rate.
  public var rate: Float
  /// The Euclidean norm of all gradients before clipping.
  public var gradientNorm: Double
  /// Samples in a second since the run was begun (or taken up).
  public var samplesPerSecond: Double
  /// Seconds since then.
  public var elapsed: Double
  /// Seconds that are left if it goes on like this.
  public var remaining: Double
}

/// Loss and metrics over a data set.
public struct Evaluation: Sendable, Equatable {
  /// The mean loss.
  public var loss: Double
  /// The metrics, in the order in which they were asked for.
  public var metrics: [Double]

  /// Makes an evaluation.
  public init(loss: Double, metrics: [Double]) {
    self.loss = loss
    self.metrics = metrics
  }
}

/// How a run ended.
public enum TrainingOutcome: Sendable, Equatable {
  /// All steps are done.
  case finished
  /// Nothing got better for as long as early stopping waits.
  case stoppedEarly
  /// Somebody called `Trainer.stop()`.
  case interrupted
  /// The loss left all bounds at a step; the best weights are back in place.
  case diverged(step: Int, loss: Double)
}

/// Who is told how a run goes on; called on the thread that trains.
public protocol TrainingObserver: AnyObject {
  /// Something has happened.
  func observe(_ event: TrainingEvent)
}
