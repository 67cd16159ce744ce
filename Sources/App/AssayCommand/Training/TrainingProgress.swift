import AssayBase
import AssayHost
import AssayReport
import AssayTrain

/// Tells a person how a training goes, and keeps its figures.
///
/// On a terminal a line moves with epoch, step, loss, metric, throughput and time left; each epoch has a
/// line that stays, on a terminal and elsewhere.
final class TrainingProgress: TrainingObserver {
  private let console: Console
  private let phase: String
  private let metrics: [String]
  private let isValidated: Bool
  private let now: () -> UInt64
  private let record: ((TrainingHistory.Row) throws -> Void)?
  private let takeUp: ((_ epoch: Int) -> Void)?
  /// What went wrong while figures were written; the training itself goes on.
  private(set) var failure: (any Error)?

  private var steps = 0
  private var batches = 1
  private var sums: (loss: Double, metrics: [Double], count: Int) = (0, [], 0)
  private var rate: Float = 0
  private var shown: UInt64 = 0
  private var epochStart: UInt64 = 0
  private var last: TrainingStep?

  /// - Parameters:
  ///   - phase: what is trained, before each line; empty for the training itself.
  ///   - metrics: the names of the metrics, in the trainer's order.
  ///   - isValidated: whether there is a validation set.
  ///   - now: nanoseconds of a clock that does not jump.
  ///   - takeUp: called when the run begins, with the epochs that a run before has done.
  ///   - record: called with each epoch.
  init(
    _ console: Console,
    phase: String = "",
    metrics: [String],
    isValidated: Bool,
    now: @escaping () -> UInt64 = Host.monotonicNanoseconds,
    takeUp: ((_ epoch: Int) -> Void)? = nil,
    record: ((TrainingHistory.Row) throws -> Void)? = nil
  ) {
    self.console = console
    self.phase = phase
    self.metrics = metrics
    self.isValidated = isValidated
    self.now = now
    self.takeUp = takeUp
    self.record = record
  }

  func observe(_ event: TrainingEvent) {
    switch event {
    case .started(let step, let steps, let batchesPerEpoch):
      self.steps = steps
      batches = max(batchesPerEpoch, 1)
      epochStart = now()
      takeUp?(step / batches)
      if step >= steps {
        console.note("\(prefix)all \(epochs) epochs were done before")
      } else if step > 0 {
        console.note("\(prefix)going on after epoch \(step / batches) of \(epochs)")
      }
    case .step(let step): take(step)
    case .validated(let evaluation, let step, let isBest): finishEpoch(evaluation, step, isBest)
    case .checkpoint: break
    case .ended(let outcome, let step): end(outcome, step)
    }
  }

  private var epochs: Int { (steps + batches - 1) / batches }
  private var prefix: String { phase.isEmpty ? "" : phase + ": " }

  private func take(_ step: TrainingStep) {
    sums.loss += step.loss
    if sums.metrics.isEmpty { sums.metrics = step.metrics.map { _ in 0 } }
    for index in step.metrics.indices { sums.metrics[index] += step.metrics[index] }
    sums.count += 1
    rate = step.rate
    last = step
    let time = now()
    guard time - shown >= 100_000_000 else { return }
    shown = time
    console.progress(line(step))
  }

  /// The line that moves.
  func line(_ step: TrainingStep) -> String {
    let count = Double(max(sums.count, 1))
    var parts = [
      "step \(step.step % batches + 1)/\(batches)",
      "loss \(Self.figure("loss", sums.loss / count))",
    ]
    for (name, sum) in zip(metrics, sums.metrics) {
      parts.append("\(name) \(Self.figure(name, sum / count))")
    }
    parts.append("\(Words.significant(step.samplesPerSecond)) samples/s")
    parts.append("\(Text.duration(step.remaining * 1e9)) left")
    return head(step.step / batches + 1) + "  " + parts.joined(separator: "  ")
  }

  private func finishEpoch(_ evaluation: Evaluation, _ step: Int, _ isBest: Bool) {
    let epoch = (step + batches - 1) / batches
    let count = Double(max(sums.count, 1))
    var shownValues: [(name: String, value: Double)] = [("loss", sums.loss / count)]
    shownValues += zip(metrics, sums.metrics).map { ($0, $1 / count) }
    if isValidated {
      shownValues.append(("val_loss", evaluation.loss))
      shownValues += zip(metrics, evaluation.metrics).map { ("val_" + $0, $1) }
    }
    let time = now()
    let row = TrainingHistory.Row(
      epoch: epoch,
      step: step,
      phase: phase,
      seconds: Double(time - epochStart) / 1e9,
      // The rate's shortest text: as a double it would show digits that a float has not.
      values: Dictionary(shownValues.map { ($0.name, $0.value) }) { first, _ in first }
        .merging(["learning_rate": Double("\(rate)") ?? Double(rate)]) { first, _ in first }
    )
    do { try record?(row) } catch { failure = failure ?? error }
    console.endProgress()
    var parts = shownValues.map { "\($0.name) \(Self.figure($0.name, $0.value))" }
    if let last {
      parts.append("\(Words.significant(last.samplesPerSecond)) samples/s")
      if epoch < epochs { parts.append("\(Text.duration(last.remaining * 1e9)) left") }
    }
    if isBest, isValidated, epoch > 1 { parts.append("best so far") }
    console.note("\(head(epoch)): " + parts.joined(separator: ", "))
    sums = (0, [], 0)
    epochStart = now()
  }

  private func end(_ outcome: TrainingOutcome, _ step: Int) {
    console.endProgress()
    switch outcome {
    case .finished, .interrupted: break
    case .stoppedEarly:
      console.note("\(prefix)stopped after step \(step): nothing got better any more")
    case .diverged(let step, let loss):
      console.note(
        "\(prefix)the loss left all bounds in step \(step) (\(loss)); the best weights are back"
      )
    }
  }

  private func head(_ epoch: Int) -> String {
    let digits = "\(epochs)".count - "\(epoch)".count
    return "\(prefix)epoch \(String(repeating: " ", count: max(digits, 0)))\(epoch)/\(epochs)"
  }

  /// Parts of one as percentages, everything else with three digits.
  static func figure(_ name: String, _ value: Double) -> String {
    guard value.isFinite else { return "\(value)" }
    return name.hasSuffix("accuracy") ? Words.percent(value) : Words.significant(value)
  }
}
