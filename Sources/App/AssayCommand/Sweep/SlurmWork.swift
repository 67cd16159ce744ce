import AssayBase
import AssayHost
import AssayJobs
import AssayStore

/// Hands the trials of a sweep to Slurm, a job array for each device, and waits until they are done.
struct SlurmWork {
  let layout: SweepLayout
  let store: any Store
  /// The store as the jobs are told.
  let storeURL: String
  let folder: String
  let isDetached: Bool
  let console: Console

  /// Submits jobs for what is left.
  func run() throws -> SweepEnd {
    if storeURL.hasPrefix("sqlite:") || !storeURL.contains("://") {
      console.note(
        "an SQLite store serves jobs of one machine; give several machines a postgres:// store"
      )
    }
    Host.catchInterrupts()
    var before = Int.max
    while true {
      let left = try waiting()
      let count = left.reduce(0) { $0 + $1.count }
      if count == 0 { break }
      // A round that finished nothing will not be better the next time.
      guard count < before else { return .othersWork }
      before = count
      var jobs: [String] = []
      for (device, count) in left { jobs.append(try submit(device, count)) }
      console.note("submitted: job\(jobs.count == 1 ? "" : "s") \(jobs.joined(separator: ", "))")
      if isDetached { return .othersWork }
      guard try wait(for: jobs) else {
        console.endProgress()
        console.note("the jobs go on; scancel \(jobs.joined(separator: " ")) ends them")
        return .interrupted
      }
    }
    console.endProgress()
    return .complete
  }

  /// Trials that nobody has, by device.
  private func waiting() throws -> [(device: SweepPlan.Device, count: Int)] {
    try layout.plan.devices.compactMap { device in
      let progress = try store.progress(
        sweep: layout.plan.id,
        devices: layout.devices(device.name)
      )
      let count = progress.waiting + progress.claimed
      return count > 0 ? (device, count) : nil
    }
  }

  private func submit(_ device: SweepPlan.Device, _ count: Int) throws -> String {
    let plan = layout.plan
    guard let executable = Host.executablePath else {
      throw Diagnostic("HST032", "this system does not tell where assay itself lies")
    }
    let logs = Host.join(folder, "slurm")
    try Host.makeFolders(logs)
    let share = plan.slurm.trialsPerJob
    let script = SlurmScript(
      name: "assay-\(plan.name)",
      jobs: (count + share - 1) / share,
      resources: device.resources,
      processors: plan.threads.max() ?? 1,
      minutes: Int(plan.limits.seconds * Double(share) / 60) + 5,
      output: Host.join(Host.realPath(logs) ?? logs, "%A_%a.log"),
      settings: plan.slurm,
      command: [
        executable, "sweep", plan.path, "--output", folder, "--store", storeURL, "--device",
        device.name, "--most", "\(share)",
      ]
    )
    let path = Host.join(logs, "\(device.name).sh")
    try AtomicFile.write(script.text, to: path)
    let answer = try ask(["sbatch", "--parsable", path])
    guard answer.status == .exited(0), let line = answer.lines.last else {
      throw Diagnostic(
        "JOB041",
        "Slurm does not take the jobs",
        at: [path],
        remedy: "see its words; sinfo shows partitions, scontrol show node the generic resources",
        cause: answer.lines.joined(separator: "\n")
      )
    }
    return String(line.prefix { $0 != ";" })
  }

  /// Waits until Slurm knows none of the jobs any more.
  ///
  /// - Returns: `false` when the user does not want to wait.
  private func wait(for jobs: [String]) throws -> Bool {
    while true {
      if Host.isInterrupted { return false }
      let progress = try store.progress(sweep: layout.plan.id, devices: nil)
      let done = progress.finished + progress.closed
      console.progress("[\(done)/\(progress.total)] \(progress.claimed) trials are running")
      // A job that is over for some minutes is unknown, which squeue says with a failure.
      let answer = try ask(["squeue", "-h", "-o", "%i", "-j", jobs.joined(separator: ",")])
      if answer.status != .exited(0) || answer.lines.isEmpty { return true }
      Host.sleep(nanoseconds: 1_000_000_000)
    }
  }

  /// Runs one of Slurm's commands.
  private func ask(_ words: [String]) throws -> (status: ProcessEnd, lines: [String]) {
    let output = try Pipe()
    let process: ChildProcess
    do {
      process = try ChildProcess(
        "/usr/bin/env",
        words,
        descriptors: [1: output.writeEnd, 2: output.writeEnd]
      )
    } catch {
      throw Diagnostic("JOB040", "Slurm's commands cannot be started", cause: "\(error)")
    }
    output.closeWrite()
    let channel = LineChannel(input: output.readEnd, output: -1)
    var lines: [String] = []
    while case .line(let line) = channel.read() { lines.append(line) }
    let end = process.wait()
    if end == .exited(127) {
      throw Diagnostic(
        "JOB040",
        "Slurm is not installed here",
        remedy: "run this on a machine that has \(words[0]) (Debian: slurm-client)",
        cause: lines.joined(separator: "\n")
      )
    }
    return (end, lines)
  }
}
