/// What TensorFlow's `benchmark_model`, or its app, printed of one run.
///
/// All versions since 1.13 are read: with `INFO:` before lines and without, on standard output or in
/// Android's log. Figures are as they were printed; what was not printed is `nil`.
public struct BenchmarkModelRun: Sendable, Equatable {
  /// What the tool tells of warm-up or measured runs, microseconds.
  public struct Series: Sendable, Equatable {
    /// How many runs.
    public var count: Int
    /// The first and the last run.
    public var first: Printed?
    public var last: Printed?
    /// Extremes, mean and standard deviation.
    public var minimum: Printed?
    public var maximum: Printed?
    public var mean: Printed?
    public var deviation: Printed?
    /// Percentiles, of versions since 2025.
    public var p5: Printed?
    public var median: Printed?
    public var p95: Printed?
    /// Whether all runs took what the last took.
    public var isUniform = false
  }

  /// The line of averages, microseconds.
  public struct Timings: Sendable, Equatable {
    /// From the file to a session.
    public var initialization: Printed?
    /// The first inference; since 2.2.
    public var first: Printed?
    /// Mean of the warm-up.
    public var warmup: Printed?
    /// Mean of the measured runs.
    public var inference: Printed?
  }

  /// What was told of memory, megabytes of 2^20 bytes.
  public struct Memory: Sendable, Equatable {
    /// Growth since the tool's start: after initialization, and in all.
    public var initialization: Printed?
    public var overall: Printed?
    /// Whether these are peaks (2.2 and 2.3) and not growth.
    public var isPeak = false
    /// The peak that was seen by looking again and again.
    public var monitoredPeak: Printed?
    /// The resident set at the end.
    public var resident: Printed?
  }

  /// What became of a delegate.
  public struct Delegate: Sendable, Equatable {
    /// How much of the model it took.
    public enum Coverage: Sendable, Equatable {
      /// It was made; nothing more is told.
      case created
      /// All of it.
      case whole
      /// A part, in so many kernels.
      case part(kernels: Int?)
      /// Nothing.
      case nothing
      /// It could not be applied.
      case failed
    }
    /// Its name in the log, such as `GPU`.
    public var name: String
    /// How much it took.
    public var coverage: Coverage
    /// How many of the model's operators it took, and of how many, where that is told.
    public var placed: Int?
    public var total: Int?
  }

  /// The arguments that the app was started with.
  public var arguments: String?
  /// What the tool took its options to be, in order.
  public var parameters: [(name: String, value: String)] = []
  /// The model's path.
  public var model: String?
  /// The model's size, megabytes of 10^6 or 2^20 bytes by version.
  public var modelMegabytes: Printed?
  /// From the file to a session, milliseconds.
  public var sessionMilliseconds: Printed?
  /// The runs that warm up.
  public var warmup: Series?
  /// The runs that count.
  public var measured: Series?
  /// The averages.
  public var timings: Timings?
  /// Memory.
  public var memory = Memory()
  /// Delegates, in order of appearance.
  public var delegates: [Delegate] = []
  /// Flags that the tool did not know and ignored.
  public var unknownFlags: [String] = []
  /// What Android's neural networks interface offers.
  public var accelerators: [String] = []
  /// Lines that tell of faults and of what is worth a warning.
  public var errors: [String] = []
  public var warnings: [String] = []
  /// Whether the tool says that benchmarking failed.
  public var isFailed = false
  /// Whether the tool was told to invoke nothing.
  public var isDry = false
  /// Times of operators.
  public var profile = OperatorProfile()
  /// Figures that contradict each other, in words.
  public var contradictions: [String] = []

  /// Makes a run of which nothing is known.
  public init() {}

  /// Whether the tool came to its end.
  public var isFinished: Bool { timings?.inference != nil && !isFailed }

  public static func == (a: BenchmarkModelRun, b: BenchmarkModelRun) -> Bool {
    a.arguments == b.arguments
      && a.parameters.map { [$0.name, $0.value] } == b.parameters.map { [$0.name, $0.value] }
      && a.model == b.model && a.modelMegabytes == b.modelMegabytes
      && a.sessionMilliseconds == b.sessionMilliseconds && a.warmup == b.warmup
      && a.measured == b.measured && a.timings == b.timings && a.memory == b.memory
      && a.delegates == b.delegates && a.unknownFlags == b.unknownFlags
      && a.accelerators == b.accelerators && a.errors == b.errors && a.warnings == b.warnings
      && a.isFailed == b.isFailed && a.isDry == b.isDry && a.profile == b.profile
      && a.contradictions == b.contradictions
  }

  /// The value of an option as the tool took it, such as that of `Num threads`.
  public func parameter(_ name: String) -> String? {
    parameters.last { $0.name == name }?.value
  }

  /// Every figure that was read, for checks.
  public var figures: [Printed] {
    let series = [warmup, measured].compactMap(\.self).flatMap { series in
      [
        series.first, series.last, series.minimum, series.maximum, series.mean, series.deviation,
        series.p5, series.median, series.p95,
      ]
    }
    return
      (series + [
        modelMegabytes, sessionMilliseconds, timings?.initialization, timings?.first,
        timings?.warmup, timings?.inference, memory.initialization, memory.overall,
        memory.monitoredPeak, memory.resident,
      ]).compactMap(\.self) + profile.figures
  }
}
