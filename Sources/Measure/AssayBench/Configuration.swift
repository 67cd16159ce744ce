import AssayBase
import AssayRecord
import AssayRuntime

/// One thing to measure: an artefact on a runtime.
public struct Configuration: Sendable {
  /// The measured file.
  public var model: Record.Model
  /// The id of its format.
  public var artefact: String
  /// The recipe that made it, or `original`.
  public var variant: String
  /// The runtime's id.
  public var runtime: String
  /// The hardware path asked for.
  public var provider: Provider
  /// Threads of the runtime.
  public var threads: Int
  /// The device that it is measured on, as records name it.
  public var device = "local"
  /// Processors that the worker is bound to, by number; none leaves it where this process may run.
  public var processors: [Int] = []
  /// What the provider is told by words of its own, such as `clock` of an Edge TPU.
  public var settings: [String: String] = [:]
  /// What is known of the accelerator and of the file for it beforehand.
  public var accelerator: Record.Accelerator?
  /// An .npz with an array for each input of one inference; `nil` feeds zeros.
  public var inputs: String?
  /// How queries are issued; `nil` for one inference after the other with nothing claimed.
  public var scenario: Record.Scenario?
  /// An .npz with stacked inputs whose outputs are wanted; `nil` for none.
  public var evaluation: String?

  /// Makes a configuration.
  public init(
    model: Record.Model,
    artefact: String,
    variant: String,
    runtime: String,
    provider: Provider = .cpu,
    threads: Int = 1,
    inputs: String? = nil,
    evaluation: String? = nil
  ) {
    self.model = model
    self.artefact = artefact
    self.variant = variant
    self.runtime = runtime
    self.provider = provider
    self.threads = threads
    self.inputs = inputs
    self.evaluation = evaluation
  }

  /// The configuration in a few words, for progress.
  public var title: String {
    "\(variant) on \(runtime), \(threads) thread\(threads == 1 ? "" : "s")"
      + (device == "local" ? "" : ", \(device)")
  }
}

/// How far a comparison is.
public struct BenchProgress: Sendable {
  /// Steps done.
  public var done: Int
  /// Steps in all.
  public var total: Int
  /// What runs now.
  public var current: String
  /// Seconds left, from the steps so far; `nil` while that is not known.
  public var secondsLeft: Double?
}

/// A configuration's record, with the outputs of its evaluation.
public struct Measured: Sendable {
  /// The record; accuracy and agreement are still missing.
  public var record: Record
  /// The .npz with the stacked outputs; `nil` when there was no evaluation or it failed.
  public var outputs: String?
}
