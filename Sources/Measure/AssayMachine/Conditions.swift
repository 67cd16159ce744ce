import AssayBase
import AssayHost
import CProbe

/// The state of a machine at a moment, as far as it bears on a measurement.
///
/// What the system does not tell is `nil`, and is named by `unknown`.
public struct Conditions: Sendable, Equatable {
  /// Processors that this process may use.
  public var allowed: [Int] = []
  /// Processors that the system runs on.
  public var online: [Int] = []
  /// Processors that the system's scheduler leaves alone.
  public var isolated: [Int] = []
  /// The state of each allowed processor.
  public var processors: [ProcessorState] = []
  /// Whether frequencies above the nominal one are allowed.
  public var boost: Bool?
  /// Whether cores run two threads at once.
  public var isMultithreaded: Bool?
  /// Mean number of processes that wanted to run during the last minute.
  public var load: Double?
  /// Allowed processors that others kept busy while the conditions were read.
  public var othersBusy: Double?
  /// Time of the allowed processors since the system started.
  public var time: ProcessorTime?
  /// Part of the allowed processors' time that the host gave to others meanwhile.
  public var stealShare: Double?
  /// Limits of control groups.
  public var group: ControlGroup
  /// Temperatures.
  public var thermal: Thermal
  /// Mains and battery.
  public var supply: Supply
  /// Whether the processor says that it is a hypervisor's.
  public var isVirtual: Bool?
  /// The maker of the virtual machine, where the system tells it.
  public var hypervisor: String?
  /// Bytes that may still be written where results are kept.
  public var freeDiskBytes: Int?
  /// What the kernel reads the time from.
  public var clockSource: String?
  /// Bytes of memory that can be had without swapping.
  public var availableMemory: Int?
  /// Bytes that lie in swap.
  public var swapUsed: Int?
  /// Pages brought back from swap since the system started.
  public var swappedIn: Int?
  /// Pages put into swap since then.
  public var swappedOut: Int?
  /// Page faults of anybody that had to wait for a disk, since then.
  public var majorFaults: Int?
  /// When this was read, nanoseconds since 1970 (UTC).
  public var moment: Int64

  /// Reads the state below a root.
  ///
  /// - Parameters:
  ///   - processors: those that the measurement will use; by default those that this process may use.
  ///   - folder: where results are kept, for the free space.
  ///   - watch: how long to watch the load of others, nanoseconds; 0 for not at all.
  public init(
    _ files: SystemFiles = SystemFiles(),
    processors: [Int]? = nil,
    folder: String? = nil,
    watch: UInt64 = 0
  ) {
    moment = Host.wallNanoseconds()
    group = ControlGroup(files)
    thermal = Thermal(files)
    supply = Supply(files)
    let status = files.text("/proc/self/status") ?? ""
    let told = Conditions.value("Cpus_allowed_list", in: status).flatMap(ProcessorList.parse)
    allowed = processors ?? told ?? Host.allowedProcessors()
    online = files.line("/sys/devices/system/cpu/online").flatMap(ProcessorList.parse) ?? allowed
    isolated =
      files.line("/sys/devices/system/cpu/isolated").flatMap(ProcessorList.parse) ?? []
    self.processors = allowed.map { ProcessorState($0, files) }
    boost = Conditions.boost(files)
    isMultithreaded = files.int("/sys/devices/system/cpu/smt/active").map { $0 != 0 }
    load = files.line("/proc/loadavg")?.split(separator: " ").first.flatMap { Double($0) }
    clockSource = files.line("/sys/devices/system/clocksource/clocksource0/current_clocksource")
    let information = files.text("/proc/cpuinfo") ?? ""
    if let flags = Conditions.value("flags", in: information) {
      isVirtual = flags.split(separator: " ").contains("hypervisor")
    }
    if isVirtual != false {
      hypervisor =
        files.line("/sys/hypervisor/type") ?? files.line("/sys/class/dmi/id/sys_vendor")
    }
    readMemory(files)
    if let folder { freeDiskBytes = Conditions.freeSpace(folder) }
    observe(files, watch)
  }

  /// Bytes that may still be written where a path lies, or will lie.
  static func freeSpace(_ path: String) -> Int? {
    var folder = path
    while !Host.exists(folder), folder != "/", folder != "." { folder = Host.folder(of: folder) }
    var bytes: UInt64 = 0
    return unsafe cprobe_free_space(folder, &bytes) == 0 ? Int(clamping: bytes) : nil
  }

  private mutating func readMemory(_ files: SystemFiles) {
    let memory = files.text("/proc/meminfo") ?? ""
    func bytes(_ key: String) -> Int? {
      files.int(key + ":", in: memory).map { $0.multipliedReportingOverflow(by: 1024).partialValue }
    }
    availableMemory = bytes("MemAvailable")
    if let total = bytes("SwapTotal"), let free = bytes("SwapFree") {
      swapUsed = max(0, total &- free)
    }
    let events = files.text("/proc/vmstat") ?? ""
    swappedIn = files.int("pswpin", in: events)
    swappedOut = files.int("pswpout", in: events)
    majorFaults = files.int("pgmajfault", in: events)
  }

  /// Watches what processors do while this process sleeps.
  private mutating func observe(_ files: SystemFiles, _ nanoseconds: UInt64) {
    let first = ProcessorTime(allowed, files)
    time = first
    guard nanoseconds > 0, let first else { return }
    let start = Host.monotonicNanoseconds()
    Host.sleep(nanoseconds: nanoseconds)
    guard let second = ProcessorTime(allowed, files) else { return }
    let elapsed = Double(Host.monotonicNanoseconds() &- start)
    othersBusy = Double(second.busy &- min(first.busy, second.busy)) / elapsed
    stealShare =
      Double(second.steal &- min(first.steal, second.steal)) / elapsed / Double(second.count)
    time = second
  }

  private static func boost(_ files: SystemFiles) -> Bool? {
    if let value = files.int("/sys/devices/system/cpu/cpufreq/boost") { return value != 0 }
    return files.int("/sys/devices/system/cpu/intel_pstate/no_turbo").map { $0 == 0 }
  }

  static func value(_ key: String, in text: String) -> String? {
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1)
      if parts.count == 2, parts[0].trimmed == key { return parts[1].trimmed }
    }
    return nil
  }
}

extension Conditions {
  /// Whether the user has bound this process to some of the processors.
  public var isBound: Bool { !online.isEmpty && Set(allowed) != Set(online) }
  /// Whether all allowed processors are kept free of other work by the system's scheduler.
  public var isIsolated: Bool { !allowed.isEmpty && Set(allowed).isSubset(of: isolated) }
  /// The number of cores that the allowed processors make.
  public var coreCount: Int { Set(processors.map { $0.siblings.min() ?? $0.number }).count }
  /// Throttling of all allowed processors since the system started.
  public var throttleCount: Int? {
    let counts = processors.compactMap(\.throttleCount)
    return counts.isEmpty ? nil : counts.reduce(0, &+)
  }

  /// What the system does not tell, in words.
  public var unknown: [String] {
    var names: [String] = []
    func ask(_ name: String, _ isKnown: Bool) { if !isKnown { names.append(name) } }
    ask("governor", processors.contains { $0.governor != nil })
    ask("frequency", processors.contains { $0.frequency != nil })
    ask("boost", boost != nil)
    ask("temperature", !thermal.zones.isEmpty)
    ask("throttling", throttleCount != nil || thermal.raspberryFlags != nil)
    ask("steal time", time != nil)
    ask("clock source", clockSource != nil)
    ask("swap", swapUsed != nil)
    ask("virtual machine", isVirtual != nil)
    return names
  }
}
