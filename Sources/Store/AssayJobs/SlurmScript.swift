import AssayBase

/// A job array for Slurm: each job takes its share of trials from the sweep's ledger.
///
/// Slurm decides where and when, the ledger decides what: a job that is requeued, cancelled or started
/// twice loses nothing and does nothing twice. Devices and meters are generic resources, which Slurm
/// never gives to two jobs at once.
public struct SlurmScript: Sendable, Equatable {
  /// What `squeue` shows.
  public var name: String
  /// Jobs of the array.
  public var jobs: Int
  /// Generic resources of each job, such as `edgetpu:1,powermeter:1`; `nil` for none.
  public var resources: String?
  /// Processors of each job.
  public var processors: Int
  /// Minutes after which Slurm ends a job.
  public var minutes: Int
  /// Where output goes, with Slurm's `%A` and `%a`.
  public var output: String
  /// The plan's settings.
  public var settings: SweepPlan.Slurm
  /// The command line of a job.
  public var command: [String]

  /// Makes a script.
  public init(
    name: String,
    jobs: Int,
    resources: String?,
    processors: Int,
    minutes: Int,
    output: String,
    settings: SweepPlan.Slurm,
    command: [String]
  ) {
    self.name = name
    self.jobs = jobs
    self.resources = resources
    self.processors = processors
    self.minutes = minutes
    self.output = output
    self.settings = settings
    self.command = command
  }

  /// The script for `sbatch`.
  public var text: String {
    var options = [
      "--job-name=\(SlurmScript.word(name))",
      "--array=0-\(max(jobs, 1) - 1)" + (settings.atOnce.map { "%\($0)" } ?? ""),
      "--requeue", "--open-mode=append", "--output=\(output)", "--ntasks=1",
      "--cpus-per-task=\(max(processors, 1))", "--time=\(max(minutes, 1))",
    ]
    if let resources { options.append("--gres=\(SlurmScript.word(resources))") }
    if let partition = settings.partition {
      options.append("--partition=\(SlurmScript.word(partition))")
    }
    options += settings.options.map { SlurmScript.line($0) }
    return "#!/bin/sh\n" + options.map { "#SBATCH \($0)\n" }.joined()
      + command.map(SlurmScript.quoted).joined(separator: " ")
        + """

        status=$?
        # Status 1 says that work is left for other jobs, or that a verdict is INVALID.
        [ "$status" -eq 1 ] && exit 0
        exit "$status"

        """
  }

  /// A word of the shell, whatever is in it.
  static func quoted(_ word: String) -> String {
    "'" + word.replacing("'", with: "'\\''") + "'"
  }

  /// Text without what would end an option.
  private static func word(_ text: String) -> String {
    String(text.map { $0.isWhitespace || $0 == "'" || $0 == "\"" ? "-" : $0 })
  }

  private static func line(_ text: String) -> String {
    String(text.map { $0.isNewline ? " " : $0 })
  }
}
