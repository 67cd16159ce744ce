import AssayBase

/// The record schema's number; a reader keeps fields that it does not know.
public let recordSchema = "assay.record/1"

/// A figure, or the reason why there is none; never a stand-in number.
public enum Figure<Value: Sendable & Equatable>: Sendable, Equatable {
  case value(Value)
  case missing(reason: String)

  /// The value, if there is one.
  public var value: Value? {
    if case .value(let value) = self { value } else { nil }
  }
}

/// The raw, immutable result of measuring one artefact in one configuration.
///
/// Times are whole nanoseconds, sizes bytes. The JSON form is docs/schema/record-1.json; members that
/// this version does not know survive reading and writing (`extra`).
public struct Record: Sendable, Equatable {
  /// The measured file.
  public struct Model: Sendable, Equatable {
    /// The path as the user gave it or as it was written.
    public var path: String
    /// SHA-256 of the file, hexadecimal.
    public var sha256: String
    /// Bytes of the file.
    public var byteCount: Int
    /// Bytes of the file deflated (zlib, level 6).
    public var deflatedByteCount: Figure<Int>
    /// Makes a model.
    public init(
      path: String,
      sha256: String,
      byteCount: Int,
      deflatedByteCount: Figure<Int> = .missing(reason: "not computed")
    ) {
      self.path = path
      self.sha256 = sha256
      self.byteCount = byteCount
      self.deflatedByteCount = deflatedByteCount
    }
  }

  /// Initialization in its parts, nanoseconds.
  public struct Initialization: Sendable, Equatable {
    /// Reading the file.
    public var read: Figure<Int64>
    /// Compiling: planning, packing weights, allocating.
    public var compile: Figure<Int64>
    /// The first inference.
    public var first: Figure<Int64>
    /// Makes the parts.
    public init(read: Figure<Int64>, compile: Figure<Int64>, first: Figure<Int64>) {
      self.read = read
      self.compile = compile
      self.first = first
    }
  }

  /// Whether the samples support the figures.
  public enum Verdict: String, Sendable { case valid = "VALID", invalid = "INVALID" }

  /// Identifies this measurement.
  public var id: String
  /// Identifies the comparison that it belongs to.
  public var session: String
  /// When it was finished, nanoseconds since 1970 (UTC).
  public var finishedAt: Int64
  /// The measured file.
  public var model: Model
  /// The format of the file: `tflite`, `onnx`.
  public var artefact: String
  /// The recipe that made the variant, or `original`.
  public var variant: String
  /// The runtime's id.
  public var runtime: String
  /// The runtime's version.
  public var version: String
  /// The provider asked for.
  public var provider: String
  /// What really executed, in the runtime's words.
  public var placement: JSON
  /// The device, such as `local`.
  public var device: String
  /// Threads of the runtime.
  public var threads: Int
  /// The model's inputs; empty in records that do not tell.
  public var inputs: [Input] = []
  /// How queries were issued; `nil` in records that do not tell: one inference after the other.
  public var scenario: Scenario?
  /// How many rounds each process had, where several took part; empty for one process.
  public var processes: [Int] = []
  /// Throughput over a long load; `nil` when none was asked for.
  public var sustained: Sustained?
  /// What the self-tests found; `nil` when they did not run.
  public var audit: Audit?
  /// How precisely a percentile was wanted; `nil` when nothing was asked for.
  public var stopping: Stopping?
  /// Initialization.
  public var initialization: Initialization
  /// Steady-state latencies in order of measurement, nanoseconds, all rounds.
  public var samples: [Int64]
  /// The number of samples of each round, in order.
  public var rounds: [Int]
  /// When each round ran, in order; empty when that is not known.
  public var windows: [Window]
  /// Latencies of the warm-up, nanoseconds.
  public var warmup: [Int64]
  /// Peak resident memory of the worker above a null worker, bytes.
  public var peakMemoryBytes: Figure<Int>
  /// What power meters say of the timed inferences; empty when none looked on.
  public var energy: [Energy]
  /// Rests and coded loads around the rounds; `nil` when no energy was asked for.
  public var powerMarks: PowerMarks?
  /// Fraction of labelled data whose label came first.
  public var accuracy: Figure<Double>
  /// Labelled data items that the accuracy is of.
  public var accuracyCount: Int
  /// Fraction of data on which the first label is that of the original.
  public var agreement: Figure<Double>
  /// Signal to quantization noise of the outputs against the original, decibel.
  public var snrDb: Figure<Double>
  /// Times of operators from the runtime's profiler: `[{kind, node, ns}]`.
  public var operators: JSON
  /// Clock, host, kernel, processor, loads, preflight notes; free form, flat.
  public var environment: JSON
  /// The command that made it.
  public var command: [String]
  /// The state of the machine before and after; `nil` when it was not looked at.
  public var conditions: Conditions?
  /// Starts with a cold and a warm page cache, and the way from a picture to its classes.
  public var phases: Phases?
  /// The worker's memory in its parts.
  public var memory: Memory?
  /// What processor and kernel counted.
  public var counters: Counters?
  /// The accelerator that ran the model; `nil` without one.
  public var accelerator: Accelerator?
  /// Whether the figures hold.
  public var verdict: Verdict
  /// Machine-readable reasons for the verdict, and remarks: `[{code, text}]` as diagnostics.
  public var reasons: [Diagnostic]
  /// The trial of a sweep that it answers; `nil` when no sweep asked for it.
  public var trial: Trial?
  /// Where the figures come from that Assay did not take itself; `nil` for a measurement of its own.
  public var imported: Imported?
  /// Members that this version does not know.
  public var extra: JSON

  /// Makes a record without samples; fields are filled in as they become known.
  public init(
    id: String,
    session: String,
    finishedAt: Int64,
    model: Model,
    artefact: String,
    variant: String,
    runtime: String,
    version: String,
    provider: String,
    device: String,
    threads: Int
  ) {
    self.id = id
    self.session = session
    self.finishedAt = finishedAt
    self.model = model
    self.artefact = artefact
    self.variant = variant
    self.runtime = runtime
    self.version = version
    self.provider = provider
    self.device = device
    self.threads = threads
    placement = .null
    initialization = Initialization(
      read: .missing(reason: "not measured"),
      compile: .missing(reason: "not measured"),
      first: .missing(reason: "not measured")
    )
    samples = []
    rounds = []
    windows = []
    warmup = []
    peakMemoryBytes = .missing(reason: "not measured")
    energy = []
    accuracy = .missing(reason: "no labels")
    accuracyCount = 0
    agreement = .missing(reason: "no data")
    snrDb = .missing(reason: "no data")
    operators = .null
    environment = .emptyObject
    command = []
    verdict = .invalid
    reasons = []
    trial = nil
    extra = .emptyObject
  }
}
