import AssayBase
import AssayHost
import Testing

@testable import AssayMachine

@Suite("Preflight") struct PreflightTests {
  /// Changes a quiet machine and looks at it.
  private func machine<R>(
    _ change: (FakeMachine) throws -> Void,
    _ look: (FakeMachine) throws -> R
  ) throws -> R {
    let machine = try FakeMachine()
    defer { machine.remove() }
    try change(machine)
    return try look(machine)
  }

  @Test("of a quiet machine nothing is said, and everything is known")
  func quiet() throws {
    try machine({ _ in }) {
      #expect($0.codes(threads: 2) == [])
      #expect($0.conditions.unknown == [])
      #expect($0.conditions.coreCount == 2)
    }
  }

  @Test("of an empty machine nothing is guessed")
  func empty() throws {
    let root = try Host.makeTemporaryFolder("assay-machine")
    defer { try? Host.remove(root) }
    let conditions = Conditions(SystemFiles(root: root), processors: [0, 1])
    #expect(Preflight(conditions).findings == [])
    #expect(conditions.unknown.count == 9)
    #expect(conditions.json["unknown"]?.array?.count == 9)
    #expect(conditions.json["governor"] == nil)
  }

  @Test("files that hold something else are facts that are not known")
  func hostile() throws {
    try machine({
      try $0.set("/proc/stat", "cpu0 1 2\ncpu1 a b c d e f g h i\nxyz")
      try $0.set("/sys/devices/system/cpu/online", "0-99999999\n")
      try $0.set("/sys/class/thermal/thermal_zone0/temp", "hot\n")
      try $0.set("/proc/self/cgroup", "0::/../../..\n::\nx\n")
      try $0.set("/sys/fs/cgroup/cpu.max", "1 0\n")
      try $0.set("/proc/meminfo", "MemAvailable: 9223372036854775807 kB\n")
      try $0.cpu(0, "topology/thread_siblings_list", "3-1")
    }) {
      let conditions = $0.conditions
      #expect(conditions.online == conditions.allowed)
      #expect(conditions.thermal.zones.isEmpty)
      #expect(conditions.group.processors == nil)
      #expect(conditions.processors[0].siblings == [0])
      #expect(conditions.time?.busy == 0)
    }
  }

  @Test("a governor that follows the load is named with the command that changes it")
  func governor() throws {
    try machine({ for n in 0..<4 { try $0.cpu(n, "cpufreq/scaling_governor", "schedutil") } }) {
      #expect($0.warnings() == ["PRE101"])
      #expect($0.remedy("PRE101") == "sudo cpupower frequency-set -g performance")
    }
    try machine({ for n in [1, 3] { try $0.cpu(n, "cpufreq/scaling_governor", "powersave") } }) {
      #expect($0.remedy("PRE101") == "sudo cpupower -c 1,3 frequency-set -g performance")
    }
  }

  @Test("what the user did already is not asked for again")
  func alreadyDone() throws {
    // Bound by taskset to processors with the right governor: that of the others does not matter.
    try machine({
      for n in [0, 1] { try $0.cpu(n, "cpufreq/scaling_governor", "powersave") }
      try $0.set("/proc/self/status", "Cpus_allowed_list:\t2-3\n")
    }) { #expect(!$0.codes().contains("PRE101")) }
    // One frequency, though the governor is called powersave; and with it boost is of no account.
    try machine({
      try $0.set("/sys/devices/system/cpu/cpufreq/boost", "1\n")
      for n in 0..<4 {
        try $0.cpu(n, "cpufreq/scaling_governor", "powersave")
        try $0.cpu(n, "cpufreq/scaling_min_freq", "2000000")
        try $0.cpu(n, "cpufreq/scaling_max_freq", "2000000")
      }
    }) { #expect($0.codes() == []) }
    // Fixed above the nominal frequency is still a promise that heat can break.
    try machine({
      try $0.set("/sys/devices/system/cpu/cpufreq/boost", "1\n")
      for n in 0..<4 {
        try $0.cpu(n, "cpufreq/scaling_min_freq", "4000000")
        try $0.cpu(n, "cpufreq/scaling_max_freq", "4000000")
      }
    }) { #expect($0.codes() == ["PRE102"]) }
    // The neighbours of the processors that it is bound to are isolated: nobody runs there.
    try machine({
      try $0.set("/proc/self/status", "Cpus_allowed_list:\t0-1\n")
      try $0.set("/sys/devices/system/cpu/isolated", "2-3\n")
    }) { #expect($0.codes() == []) }
  }

  @Test("threads that share processors or cores are named with a command that parts them")
  func sharing() throws {
    try machine({ _ in }) {
      #expect($0.warnings(threads: 2) == [])
      #expect($0.warnings(threads: 3) == ["PRE103"])
      #expect($0.remedy("PRE103", threads: 3).contains("taskset -c 0-1"))
      #expect($0.warnings(threads: 5) == ["PRE113"])
    }
    try machine({ try $0.set("/proc/self/status", "Cpus_allowed_list:\t2\n") }) {
      #expect($0.warnings(threads: 2) == ["PRE113"])
      #expect($0.remedy("PRE113", threads: 2).contains("taskset"))
      // Processor 0 shares the core and is open to others.
      #expect($0.codes() == ["PRE103"])
      #expect($0.remedy("PRE103").contains("cpu0/online"))
    }
  }

  @Test("processors of two kinds want a choice")
  func kinds() throws {
    try machine({ for n in 0..<4 { try $0.cpu(n, "cpu_capacity", n < 2 ? "400" : "1024") } }) {
      #expect($0.warnings() == ["PRE114"])
      #expect($0.remedy("PRE114") == "bind it to one kind: taskset -c 2-3 assay …")
    }
  }

  @Test("limits of control groups count, of both versions and of the groups above")
  func groups() throws {
    try machine({ try $0.set("/sys/fs/cgroup/user.slice/cpu.max", "150000 100000\n") }) {
      #expect($0.conditions.group.processors == 1.5)
      #expect($0.warnings(threads: 1) == [])
      #expect($0.warnings(threads: 2) == ["PRE105"])
    }
    try machine({
      try $0.set("/proc/self/cgroup", "3:cpu,cpuacct:/docker/x\n2:memory:/docker/x\n")
      try $0.set("/sys/fs/cgroup/cpu,cpuacct/docker/x/cpu.cfs_quota_us", "50000\n")
      try $0.set("/sys/fs/cgroup/cpu,cpuacct/docker/x/cpu.cfs_period_us", "100000\n")
      try $0.set("/sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes", "300000000\n")
      try $0.set("/sys/fs/cgroup/memory/docker/x/memory.usage_in_bytes", "200000000\n")
      try $0.set("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")
    }) {
      #expect($0.conditions.group.processors == 0.5)
      #expect($0.conditions.group.memoryLimit == 300_000_000)
      #expect($0.warnings() == ["PRE105", "PRE112"])
      #expect($0.remedy("PRE112").contains("control group"))
    }
  }

  @Test("heat, battery, clock and memory are found")
  func surroundings() throws {
    try machine({
      try $0.set("/sys/class/thermal/thermal_zone0/trip_point_0_type", "passive\n")
      try $0.set("/sys/class/thermal/thermal_zone0/trip_point_0_temp", "48000\n")
    }) { #expect($0.warnings() == ["PRE107"]) }
    try machine({
      try $0.set("/sys/class/thermal/cooling_device0/type", "Processor\n")
      try $0.set("/sys/class/thermal/cooling_device0/cur_state", "2\n")
    }) { #expect($0.warnings() == ["PRE107"]) }
    try machine({
      try $0.set("/sys/devices/platform/soc/soc:firmware/get_throttled", "50005\n")
    }) { #expect($0.remedy("PRE107").contains("power supply")) }
    try machine({
      try $0.set("/sys/class/power_supply/AC/online", "0\n")
      try $0.set("/sys/class/power_supply/BAT0/type", "Battery\n")
      try $0.set("/sys/class/power_supply/BAT0/status", "Discharging\n")
      try $0.set("/sys/class/power_supply/BAT0/capacity", "41\n")
    }) { #expect($0.warnings() == ["PRE108"]) }
    // A mouse's battery is not the machine's.
    try machine({
      try $0.set("/sys/class/power_supply/hid/type", "Battery\n")
      try $0.set("/sys/class/power_supply/hid/scope", "Device\n")
      try $0.set("/sys/class/power_supply/hid/status", "Discharging\n")
    }) { #expect($0.codes() == []) }
    try machine({
      try $0.set("/sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet\n")
      try $0.set("/proc/meminfo", "MemAvailable: 1000 kB\n")
    }) { #expect($0.warnings() == ["PRE111", "PRE112"]) }
    try machine({
      try $0.set("/proc/cpuinfo", "flags : fpu hypervisor\n")
      try $0.set("/sys/class/dmi/id/sys_vendor", "QEMU\n")
    }) {
      #expect($0.codes() == ["PRE109"])
      #expect($0.warnings() == [])
    }
  }

  @Test("busy neighbours and stolen time are measured while nothing of ours runs")
  func load() throws {
    var conditions = try machine({ _ in }) { $0.conditions }
    conditions.othersBusy = 1.4
    conditions.stealShare = 0.05
    #expect(Preflight(conditions).obstacles.map(\.code) == ["PRE104", "PRE106"])
    #expect(Preflight(conditions).findings[0].remedy?.contains("isolcpus") == true)
    // Who is bound already is not told to bind it.
    conditions.allowed = [2, 3]
    #expect(
      Preflight(conditions).findings.first { $0.code == "PRE104" }?.remedy?
        .contains("isolcpus") == false
    )
    conditions.othersBusy = 0.1
    conditions.stealShare = 0
    #expect(Preflight(conditions).obstacles == [])
  }

  @Test("a state survives as JSON, with one value where all processors agree")
  func json() throws {
    try machine({ try $0.cpu(3, "cpufreq/scaling_governor", "powersave") }) {
      let json = $0.conditions.json
      #expect(json["governor"] == .object(["0-2": "performance", "3": "powersave"]))
      #expect(json["maximumKHz"] == 3_000_000)
      #expect(json["allowed"] == "0-3")
      #expect(json["temperatures"]?.array?.first?["celsius"] == 45.0)
    }
  }

  @Test("lists of processors are read and written as the kernel does")
  func lists() {
    #expect(ProcessorList.parse("0-3,8") == [0, 1, 2, 3, 8])
    #expect(ProcessorList.parse("") == [])
    #expect(ProcessorList.parse("3-1") == nil && ProcessorList.parse("a") == nil)
    #expect(ProcessorList.parse("0-5000") == nil && ProcessorList.parse("1-2-3") == nil)
    #expect(ProcessorList.text([8, 2, 1, 0, 3, 5]) == "0-3,5,8")
    #expect(ProcessorList.text([]) == "")
  }
}

@Suite("Postflight") struct PostflightTests {
  private func after(_ change: (FakeMachine) throws -> Void) throws -> Postflight {
    let machine = try FakeMachine()
    defer { machine.remove() }
    let before = machine.conditions
    try change(machine)
    return Postflight(
      before: before,
      after: machine.conditions,
      elapsedNanoseconds: 10_000_000_000
    )
  }

  @Test("nothing changed, nothing said")
  func quiet() throws {
    #expect(try after { _ in }.findings(.strict) == [])
  }

  @Test("heat, stolen time, changed settings, swapping and binding are found afterwards")
  func changes() throws {
    let found = try after {
      try $0.cpu(1, "thermal_throttle/core_throttle_count", "3")
      try $0.cpu(2, "cpufreq/scaling_max_freq", "2000000")
      try $0.set("/proc/vmstat", "pswpin 8\npswpout 9\npgmajfault 11\n")
      try $0.set("/sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet\n")
      try $0.set("/sys/class/power_supply/AC/online", "0\n")
      try $0.set("/proc/stat", (0..<4).map { "cpu\($0) 10 0 10 250 0 0 0 80 0 0\n" }.joined())
    }
    // 80 ticks of 10 ms on each of four processors in ten seconds.
    #expect(found.stealShare == 0.08)
    let codes = ["PRE201", "PRE202", "PRE203", "PRE205", "PRE206", "PRE208"]
    #expect(found.findings(.tag).map(\.code) == codes)
    #expect(found.findings(.tag).allSatisfy { $0.severity == .warning })
    #expect(found.findings(.strict).allSatisfy { $0.severity == .error })
    #expect(found.findings(.strict).allSatisfy { $0.remedy != nil })
  }

  @Test("a little stolen time is a remark even when strict")
  func littleSteal() throws {
    let found = try after {
      try $0.set("/proc/stat", (0..<4).map { "cpu\($0) 10 0 10 250 0 0 0 20 0 0\n" }.joined())
    }
    #expect(found.findings(.strict).map(\.severity) == [.warning])
  }

  @Test("a group that held processes back is found")
  func group() throws {
    let machine = try FakeMachine()
    defer { machine.remove() }
    try machine.set("/sys/fs/cgroup/user.slice/a/cpu.stat", "nr_periods 1\nthrottled_usec 100\n")
    let before = machine.conditions
    try machine.set("/sys/fs/cgroup/user.slice/a/cpu.stat", "nr_periods 1\nthrottled_usec 2100\n")
    let found = Postflight(before: before, after: machine.conditions, elapsedNanoseconds: 1)
    #expect(found.findings(.tag).map(\.code) == ["PRE204"])
    #expect(found.findings(.tag)[0].summary.contains("2.00 ms"))
  }
}
