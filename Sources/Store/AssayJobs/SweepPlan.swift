import AssayBase

/// What a sweep measures: every combination of its axes that its filters let through, several times.
public struct SweepPlan: Sendable, Equatable {
  /// A network of the sweep.
  public struct Model: Sendable, Equatable {
    /// Its file, as the plan has it.
    public var path: String
    /// What tables call it.
    public var name: String
    /// The line of the plan.
    public var line: Int
  }

  /// A machine or board that runs trials.
  public struct Device: Sendable, Equatable {
    /// Its name; `local` is the machine that the sweep was started on.
    public var name: String
    /// Generic resources that a scheduler must give to its jobs, such as `edgetpu:1,powermeter:1`.
    public var resources: String?
  }

  /// How the work ends early.
  public struct Budget: Sendable, Equatable {
    /// Seconds after which no trial is begun; `nil` without limit.
    public var seconds: Double?
    /// Degrees Celsius above which no trial is begun; `nil` without limit.
    public var temperature: Double?
    /// Makes a budget.
    public init(seconds: Double? = nil, temperature: Double? = nil) {
      self.seconds = seconds
      self.temperature = temperature
    }
  }

  /// What happens between trials.
  public struct Cooldown: Sendable, Equatable {
    /// Seconds of rest before each trial.
    public var seconds = 0.0
    /// Degrees Celsius below which the next trial begins; `nil` to begin at any temperature.
    public var below: Double?
    /// Seconds after which the trial begins all the same, with a remark in its record.
    public var patience = 300.0
    /// Makes a rest of no length.
    public init() {}
  }

  /// What one trial may use, and how often it is tried.
  public struct Limits: Sendable, Equatable {
    /// Seconds.
    public var seconds = 600.0
    /// Bytes of the worker's own memory; `nil` without limit.
    public var memory: Int?
    /// How often a trial that fails by itself is tried in all.
    public var attempts = 2
    /// How often the process or machine that runs a trial may be lost before the trial is given up.
    public var losses = 3
    /// Makes the limits that hold unless told.
    public init() {}
  }

  /// How jobs are handed to Slurm.
  public struct Slurm: Sendable, Equatable {
    /// The partition; `nil` for the cluster's default.
    public var partition: String?
    /// Trials that one job of the array runs, one after the other.
    public var trialsPerJob = 1
    /// Jobs of the array that may run at once; `nil` without limit.
    public var atOnce: Int?
    /// Further options of `sbatch`, each a word.
    public var options: [String] = []
    /// Makes the settings that hold unless told.
    public init() {}
  }

  /// The file that it was read from.
  public var path = ""
  /// What people call the sweep.
  public var name = "sweep"
  /// A word in every trial's key: another word measures everything anew.
  public var campaign: String?
  /// The networks.
  public var models: [Model] = []
  /// Recipes of variants; `original` takes a model's file as it is.
  public var recipes: [String] = ["original"]
  /// Ids of runtimes.
  public var runtimes: [String] = []
  /// The format that a runtime gets, by its id, where the plan says so.
  public var formats: [String: String] = [:]
  /// Hardware paths.
  public var providers: [String] = ["cpu"]
  /// Thread counts.
  public var threads: [Int] = [1]
  /// Batch sizes.
  public var batch: [Int] = [1]
  /// Devices.
  public var devices: [Device] = [Device(name: "local", resources: nil)]
  /// Scenarios: a name, or a name with options as AssayBench takes them.
  public var scenarios: [JSON] = [.string("single-stream")]
  /// Power meters that look on, as `assay bench --meter` takes them; `none` for none.
  public var meters: [String] = ["none"]
  /// What goes beside a list of includes that is not empty, is left out.
  public var include: [PlanFilter] = []
  /// What is left out.
  public var exclude: [PlanFilter] = []
  /// How often each combination is measured.
  public var repetitions = 1
  /// Seed of the order.
  public var seed: UInt64 = 1
  /// How thoroughly: the name of a preset.
  public var preset = "standard"
  /// Data options by their names on the command line of `try`, such as `representative`.
  public var data: [String: String] = [:]
  /// The limits of one trial.
  public var limits = Limits()
  /// How the work ends early.
  public var budget = Budget()
  /// What happens between trials.
  public var cooldown = Cooldown()
  /// Where results go, where the plan says so.
  public var store: String?
  /// How Slurm gets jobs.
  public var slurm = Slurm()
  /// The document, for the ledger.
  public var document: JSON = .null

  /// Makes an empty plan.
  public init() {}

  /// Identifies the sweep by what is measured: budgets, limits and schedulers may change while it goes
  /// on under the same id.
  public var id: String {
    var members = JSON.Members()
    let passing: Set = ["budget", "limits", "cooldown", "slurm", "store"]
    for (key, value) in (document.pairs ?? []).sorted(by: { $0.key < $1.key })
    where !passing.contains(key) {
      members[key] = value
    }
    return String(sha256(JSON.members(members).text()).prefix(12))
  }
}
