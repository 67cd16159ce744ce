import AssayBase
import AssayHost
import AssayMachine
import AssayRecord
import Testing

@testable import AssayBench

@Suite("Conditions around a measurement") struct ConditionsTests {
  /// The files of a machine, below a folder of the test's own.
  private struct Files {
    let root: String

    init(governor: String) throws {
      root = try Host.makeTemporaryFolder("assay-conditions")
      try set("/proc/self/status", "Cpus_allowed_list:\t0\n")
      try set("/sys/devices/system/cpu/online", "0\n")
      try cpu("cpufreq/scaling_governor", governor)
      try cpu("cpufreq/scaling_cur_freq", "2000000")
      try cpu("thermal_throttle/core_throttle_count", "4")
    }

    func set(_ path: String, _ text: String) throws {
      try Host.makeFolders(Host.folder(of: root + path))
      try AtomicFile.write(text, to: root + path)
    }

    func cpu(_ path: String, _ text: String) throws {
      try set("/sys/devices/system/cpu/cpu0/" + path, text + "\n")
    }
  }

  private func record() -> Record {
    Record(
      id: "r",
      session: "s",
      finishedAt: 0,
      model: Record.Model(path: "m", sha256: "", byteCount: 1),
      artefact: "onnx",
      variant: "v",
      runtime: "fake",
      version: "1",
      provider: "cpu",
      device: "local",
      threads: 1
    )
  }

  @Test("strict stops before anything is started, tag keeps the finding with the record")
  func policies() throws {
    let files = try Files(governor: "powersave")
    defer { try? Host.remove(files.root) }
    let system = SystemFiles(root: files.root)
    #expect {
      _ = try ConditionsWatcher(policy: .strict, threads: 1, files: system, watch: 0)
    } throws: {
      ($0 as? Diagnostic)?.code == "PRE101" && ($0 as? Diagnostic)?.severity == .error
    }
    let watcher = try ConditionsWatcher(policy: .tag, threads: 1, files: system, watch: 0)
    var record = record()
    watcher.trialEnds(&record)
    #expect(record.reasons.map(\.code) == ["PRE101"])
    #expect(record.reasons[0].severity == .warning)
    #expect(record.conditions?.policy == "tag")
    #expect(record.conditions?.before["governor"] == "powersave")
  }

  @Test("what happened meanwhile is joined: heat, and the frequencies that turns had")
  func meanwhile() throws {
    let files = try Files(governor: "performance")
    defer { try? Host.remove(files.root) }
    for policy in PreflightPolicy.allCases {
      try files.cpu("thermal_throttle/core_throttle_count", "4")
      let watcher = try ConditionsWatcher(
        policy: policy,
        threads: 1,
        files: SystemFiles(root: files.root),
        watch: 0
      )
      for frequency in [2_400_000, 1_800_000] {
        try files.cpu("cpufreq/scaling_cur_freq", "\(frequency)")
        watcher.turnEnds(record: "r", window: nil)
      }
      try files.cpu("thermal_throttle/core_throttle_count", "6")
      var record = record()
      watcher.trialEnds(&record)
      #expect(record.conditions?.frequencyKHz == 1_800_000...2_400_000)
      #expect(record.reasons.map(\.code) == ["PRE201"])
      #expect(record.reasons[0].severity == (policy == .strict ? .error : .warning))
      // As JSON and back nothing is lost.
      #expect(try Record(json: record.json).conditions == record.conditions)
    }
  }
}
