import AssayBase
import AssayHost
import AssayJobs
import AssayRecord
import AssayStore
import CFaultVFS

/// Breaks sweeps at random, starts them again, and compares with one that nothing disturbed.
struct Chaos {
  let faults: Int
  let trials: Int
  let seed: UInt64

  private enum Kind: String, CaseIterable { case kill, power, full, timer }

  func run() throws -> JSON {
    let folder = try Host.makeTemporaryFolder("assay-chaos")
    defer { try? Host.remove(folder) }
    let sweep = SyntheticSweep(count: trials)
    let calm = folder + "/calm.sqlite"
    _ = try start(calm, seed: 0, kind: nil, at: 0)
    let expected = try sweep.table(store: calm)
    var random = SeededRNG(seed: seed)
    var counts: [String: Int] = [:]
    var total = 0
    var lost = 0
    var duplicated = 0
    var differing = 0
    var sweeps = 0
    // Each store is broken until its sweep is complete; then the next one begins.
    while total < faults {
      let store = folder + "/store\(sweeps).sqlite"
      sweeps += 1
      var acknowledged: Set<String> = []
      var starts = 0
      while true {
        starts += 1
        let isLast = total >= faults
        let kind = isLast ? nil : Kind.allCases[Int(random.next() % 4)]
        // The first operations make the store: they are broken as often as the rest.
        let at = 1 + Int(random.next() % (random.next() % 3 == 0 ? 40 : 260))
        let outcome = try start(store, seed: random.next() >> 1, kind: kind, at: at)
        acknowledged.formUnion(outcome.stored)
        for (name, count) in outcome.faults {
          counts[name, default: 0] += count
          total += count
        }
        if let kind, outcome.wasBroken {
          counts[kind.rawValue, default: 0] += 1
          total += 1
        }
        if Host.exists(store) {
          let there = try openStore(store)
          let keys = try there.records().compactMap { $0.trial?.key }
          lost += acknowledged.subtracting(keys).count
          duplicated += keys.count - Set(keys).count
        } else {
          lost += acknowledged.count
        }
        if outcome.isComplete { break }
        guard starts < 10_000 else { throw Diagnostic("TST003", "a sweep does not end") }
      }
      if try sweep.table(store: store) != expected { differing += 1 }
      for suffix in ["", "-wal", "-shm"] { try Host.remove(store + suffix) }
    }
    return .object([
      "faults": JSON(total), "sweeps": JSON(sweeps), "trials": JSON(sweeps * trials),
      "lost": JSON(lost), "duplicated": JSON(duplicated), "differingTables": JSON(differing),
      "byKind": .members(
        counts.sorted { $0.key < $1.key }.reduce(into: JSON.Members()) {
          $0[$1.key] = JSON($1.value)
        }
      ),
    ])
  }

  private struct Outcome {
    var stored: [String] = []
    var faults: [String: Int] = [:]
    var isComplete = false
    var wasBroken = false
  }

  private func start(_ store: String, seed: UInt64, kind: Kind?, at: Int) throws -> Outcome {
    guard let executable = Host.executablePath else { return Outcome() }
    let output = try Pipe()
    var arguments = ["sweep", store, "\(trials)", "\(seed % (1 << 31))"]
    if let kind, kind != .timer { arguments += [kind.rawValue, "\(at)"] }
    let process = try ChildProcess(executable, arguments, descriptors: [1: output.writeEnd])
    output.closeWrite()
    let channel = LineChannel(input: output.readEnd, output: -1)
    // A kill by the clock hits places that no count of operations names.
    let deadline =
      Host.monotonicNanoseconds() + (kind == .timer ? UInt64(at) * 1_000_000 : 120_000_000_000)
    var outcome = Outcome()
    reading: while true {
      switch channel.read(until: deadline) {
      case .line(let line):
        let words = line.split(separator: " ").map { String($0) }
        switch words.first {
        case "stored": outcome.stored.append(words[1])
        case "fault": outcome.faults["session " + words[1], default: 0] += 1
        case "end": outcome.isComplete = words.last == "complete"
        default: break
        }
      case .timeout:
        process.kill()
        outcome.wasBroken = true
      case .end, .tooLong: break reading
      }
      if outcome.wasBroken, process.end != nil {
        // What it had said before it was killed counts as acknowledged.
        while case .line(let line) = channel.read(
          until: Host.monotonicNanoseconds() + 1_000_000_000
        ) {
          let words = line.split(separator: " ").map { String($0) }
          if words.first == "stored" { outcome.stored.append(words[1]) }
          if words.first == "fault" { outcome.faults["session " + words[1], default: 0] += 1 }
          if words.first == "end" { outcome.isComplete = words.last == "complete" }
        }
        break
      }
    }
    switch process.wait() {
    case .exited(0): break
    case .exited(Int32(FAULTVFS_POWER_STATUS)) where kind == .power: outcome.wasBroken = true
    case .exited(75) where kind == .full: outcome.wasBroken = true
    case .signaled where kind == .kill || kind == .timer: outcome.wasBroken = true
    case let end:
      throw Diagnostic(
        "TST004",
        "the sweep ended by itself: \(end.text) (\(kind?.rawValue ?? "calm"))"
      )
    }
    return outcome
  }
}
