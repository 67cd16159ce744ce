import AssayBase
import AssayHost
import Testing

@testable import AssayMachine

@Suite("Machine") struct MachineTests {
  @Test("a file that was written is in memory, and can be forgotten")
  func pageCache() throws {
    let folder = try Host.makeTemporaryFolder("assay-machine")
    defer { try? Host.remove(folder) }
    let path = Host.join(folder, "file")
    try AtomicFile.write([ByteView([UInt8](repeating: 7, count: 1 << 20))], to: path)
    let before = try #require(PageCache.state(of: path))
    #expect(before.total == 256 && before.share == 1)
    // A file system that lies in memory alone keeps what it has; it must be told as kept.
    let after = try #require(PageCache.drop(path))
    #expect(after.total == 256)
    #expect(PageCache.state(of: path)?.cached == after.cached)
    try Host.readThrough(path)
    #expect(PageCache.state(of: path)?.share == 1)
    #expect(PageCache.state(of: folder + "/none") == nil)
  }

  @Test("an event is counted, or there is a reason why not")
  func counters() {
    let counters = Counters()
    counters.start()
    var sum = 0
    for number in 0..<100_000 { sum &+= number &* number }
    counters.stop()
    let values = counters.values()
    #expect(sum != 0)
    for event in Counters.Event.allCases {
      #expect((values[event] != nil) != (counters.missing[event] != nil) || values[event] == nil)
      if let reason = counters.missing[event] { #expect(!reason.isEmpty) }
    }
    // What stands still does not count on.
    #expect(counters.values() == values)
  }

  @Test("the memory of this process is told, and is of a likely size")
  func memory() throws {
    let memory = ProcessMemory()
    #if os(Linux)
    let resident = try #require(memory.resident)
    let peak = try #require(memory.peakResident)
    #expect(resident > 1 << 20 && peak >= resident)
    if let proportional = memory.proportional { #expect(proportional <= peak * 2) }
    #expect(memory.minorFaults ?? 1 > 0)
    #endif
  }

  @Test("figures are read from files as the kernel writes them")
  func fakeMemory() throws {
    let machine = try FakeMachine()
    defer { machine.remove() }
    try machine.set("/proc/self/status", "VmHWM:\t  2048 kB\nVmRSS:\t  1024 kB\n")
    try machine.set("/proc/self/smaps_rollup", "00-ff ---p 0\nPss:  512 kB\nPrivate_Dirty: 4 kB\n")
    try machine.set("/proc/self/stat", "1 (a b) c) R 1 2 3 4 5 6 70 8 90 10 11\n")
    let memory = ProcessMemory(SystemFiles(root: machine.root))
    #expect(memory.peakResident == 2 << 20 && memory.resident == 1 << 20)
    #expect(memory.proportional == 512 << 10 && memory.privateDirty == 4096)
    #expect(memory.minorFaults == 70 && memory.majorFaults == 90)
  }

  @Test("a roofline has positive limits that grow with intensity up to the peak")
  func roofline() throws {
    let roofline = try Roofline.measure(threads: [1], runs: 1, nanoseconds: 2_000_000)
    let limits = try #require(roofline.limits.first)
    #expect(limits.multiplyAdds32 > 1e8 && limits.memoryBytes > 1e8 && limits.cacheBytes > 1e8)
    #expect(limits.ceiling(intensity: 0, isInteger: false) == 0)
    #expect(limits.ceiling(intensity: 1e9, isInteger: false) == limits.multiplyAdds32)
    #expect(Roofline(json: roofline.json) == roofline)
    #expect(Roofline(json: .emptyObject) == nil)
    #expect(Roofline(json: .object(["schema": "assay.roofline/1"])) == nil)
  }

  @Test("a roofline is measured once, and again for another machine or number of threads")
  func rooflineCache() throws {
    let folder = try Host.makeTemporaryFolder("assay-machine")
    defer { try? Host.remove(folder) }
    let file = Host.join(folder, "roofline.json")
    var made = Roofline(
      limits: [
        .init(threads: 3, multiplyAdds32: 1, multiplyAdds8: nil, memoryBytes: 2, cacheBytes: 3)
      ],
      instructions: ["x"],
      measuredAt: 5,
      machine: Roofline.machineName()
    )
    try AtomicFile.write(made.json.text(), to: file)
    let known = try Roofline.cached(in: file, threads: 3)
    #expect(!known.isNew && known.roofline == made)
    made.machine = "another"
    try AtomicFile.write(made.json.text(), to: file)
    let fresh = try Roofline.cached(in: file, threads: 1)
    #expect(fresh.isNew && fresh.roofline.machine == Roofline.machineName())
    // One that was measured beside others is measured again, and its greater limits stay.
    made = fresh.roofline
    made.othersBusy = 1
    made.limits[0].multiplyAdds32 = 1e18
    try AtomicFile.write(made.json.text(), to: file)
    let again = try Roofline.cached(in: file, threads: 1)
    #expect(again.isNew && again.roofline.limits[0].multiplyAdds32 == 1e18)
    made.othersBusy = 0
    try AtomicFile.write(made.json.text(), to: file)
    #expect(try !Roofline.cached(in: file, threads: 1).isNew)
  }

  @Test("a group of memory charges a process that joins, or says what must be allowed")
  func memoryGroup() throws {
    do {
      let group = try MemoryGroup("assay-test-\(Host.processID)")
      defer { group.remove() }
      #expect(group.peak != nil)
      // A process that is not there cannot join.
      #expect(throws: Diagnostic.self) { try group.add(Int32.max) }
    } catch let refusal as Diagnostic {
      #expect(refusal.code == "PRE150" && refusal.remedy != nil)
    }
  }

  @Test("where no group can be made nothing is left behind")
  func noGroup() throws {
    let machine = try FakeMachine()
    defer { machine.remove() }
    // A folder that is no group: nothing must be made in it.
    try machine.set("/sys/fs/cgroup/user.slice/a/note", "x")
    #expect {
      _ = try MemoryGroup("mine", SystemFiles(root: machine.root))
    } throws: {
      ($0 as? Diagnostic)?.code == "PRE150"
    }
    #expect(!Host.exists(machine.root + "/sys/fs/cgroup/user.slice/a/mine"))
    // Below a group that has no memory controller a folder is tried and taken away again.
    try machine.set("/sys/fs/cgroup/user.slice/a/cgroup.procs", "")
    #expect(throws: Diagnostic.self) {
      try MemoryGroup("mine", SystemFiles(root: machine.root))
    }
    #expect(!Host.exists(machine.root + "/sys/fs/cgroup/user.slice/a/mine"))
  }
}
