import AssayBase
import AssayHost
import AssayMachine
import AssayRecord
import AssayRuntime

/// Starts fresh workers, so that what starting costs is known with a cold and with a warm page cache.
///
/// The libraries of the runtime stay in the page cache: they are there for whatever ran before. What
/// is cold is the model's file.
struct StartMeasurement {
  let configuration: Configuration
  let patience: Double
  /// Whether workers are on a device: it forgets the file itself, and its own clock tells.
  var isElsewhere = false
  let make: () throws -> any WorkerLink

  /// Measures `count` cold and `count` warm starts, in turns.
  func run(_ count: Int) throws -> (phases: Record.Phases, groupPeak: Figure<Int>) {
    var phases = Record.Phases()
    var groupPeak = Figure<Int>.missing(reason: "not measured")
    let path = configuration.model.path
    if isElsewhere { return (try startsElsewhere(count), .missing(reason: "it is a device's")) }
    for index in 0..<max(count, 0) {
      if phases.coldReason == nil {
        if Host.kind(of: path) != .file {
          phases.coldReason = "the model is no single file"
        } else if let state = PageCache.drop(path) {
          if state.share > 0.01 {
            let kept = Words.percent(state.share, 0)
            phases.coldReason =
              "the system kept \(kept) of the file in its cache: somebody has it open, or it lies "
              + "in memory alone"
          } else {
            phases.cold.append(try start(state.share, nil).start)
          }
        } else {
          phases.coldReason = "this system does not forget files, or does not tell"
        }
      }
      if Host.kind(of: path) == .file { try Host.readThrough(path) }
      let group = index == 0 ? self.group() : .failure(Diagnostic("PRE150", "not measured"))
      let share = PageCache.state(of: path)?.share
      let (start, peak) = try start(share, try? group.get())
      phases.warm.append(start)
      if index == 0 {
        switch group {
        case .success: groupPeak = peak.map { .value($0) } ?? .missing(reason: "it was not told")
        case .failure(let reason): groupPeak = .missing(reason: reason.summary)
        }
      }
    }
    return (phases, groupPeak)
  }

  /// Starts on a device, where the runner asks the system to forget the file before it reads it.
  private func startsElsewhere(_ count: Int) throws -> Record.Phases {
    var phases = Record.Phases()
    for _ in 0..<max(count, 0) {
      if phases.coldReason == nil {
        do {
          let cold = try start(nil, nil, forgets: true).start
          if let share = cold.cachedShare, share > 0.01 {
            let kept = Words.percent(share, 0)
            phases.coldReason = "the device kept \(kept) of the file in its cache"
          } else {
            phases.cold.append(cold)
          }
        } catch let fault as Diagnostic where fault.code.hasPrefix("BEN") {
          phases.coldReason = fault.summary
        }
      }
      phases.warm.append(try start(nil, nil).start)
    }
    return phases
  }

  private func group() -> Result<MemoryGroup, Diagnostic> {
    do {
      return .success(try MemoryGroup("assay-\(Host.processID)"))
    } catch {
      return .failure((error as? Diagnostic) ?? Diagnostic("PRE150", "\(error)"))
    }
  }

  /// One start: process, model, one inference, end.
  private func start(
    _ share: Double?,
    _ group: MemoryGroup?,
    forgets: Bool = false
  ) throws -> (start: Record.Phases.Start, groupPeak: Int?) {
    let begin = Host.monotonicNanoseconds()
    let worker = try make()
    var isEnded = false
    defer {
      if !isEnded { worker.end() }
      group?.remove()
    }
    let hello = try worker.ask(.object(["do": "hello"]), seconds: patience)
    let alive = Host.monotonicNanoseconds()
    if let group, let pid = hello["pid"]?.int { try? group.add(Int32(clamping: pid)) }
    var share = share
    if forgets {
      let answer = try worker.ask(
        .object(["do": "forget", "path": .string(configuration.model.path)]),
        seconds: patience
      )
      let total = answer["total"]?.int ?? 0
      share = total > 0 ? Double(answer["cached"]?.int ?? total) / Double(total) : nil
    }
    let middle = Host.monotonicNanoseconds()
    let loaded = try worker.ask(configuration.loadRequest, seconds: patience)
    _ = try worker.ask(configuration.feedRequest, seconds: patience)
    let first = try worker.ask(.object(["do": "first"]), seconds: patience)
    let end = Host.monotonicNanoseconds()
    let peak = group?.peak
    worker.end()
    isEnded = true
    func time(_ value: JSON?) -> Int64 { Int64(value?.int ?? 0) }
    let start = Record.Phases.Start(
      cachedShare: share,
      process: Int64(clamping: alive &- begin),
      read: time(loaded["read"]),
      compile: time(loaded["compile"]),
      first: time(first["ns"]),
      // Requests to a device are on their way for longer than some models take.
      total: isElsewhere
        ? time(loaded["read"]) + time(loaded["compile"]) + time(first["ns"])
        : Int64(clamping: end &- middle)
    )
    return (start, peak)
  }
}

extension Configuration {
  /// What a worker is asked to load.
  var loadRequest: JSON {
    var request = JSON.object([
      "do": "load", "runtime": .string(runtime), "path": .string(model.path),
      "provider": .string(provider.rawValue), "threads": JSON(threads),
      "streams": JSON(scenario?.streams ?? 1),
    ])
    request["settings"] = settings.isEmpty ? nil : SessionOptions(settings: settings).settingsJSON
    return request
  }

  /// What a worker is asked to feed.
  var feedRequest: JSON {
    var request = JSON.object(["do": "feed"])
    if let inputs { request["inputs"] = .string(inputs) }
    return request
  }
}
