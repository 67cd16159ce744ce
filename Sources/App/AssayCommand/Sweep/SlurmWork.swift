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
      let isDone = try SlurmQueue(console: console).wait(for: jobs) {
        let progress = try store.progress(sweep: layout.plan.id, devices: nil)
        let done = progress.finished + progress.closed
        return "[\(done)/\(progress.total)] \(progress.claimed) trials are running"
      }
      guard isDone else {
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
    return try SlurmQueue(console: console)
      .submit(script, as: Host.join(logs, "\(device.name).sh"))
  }
}
