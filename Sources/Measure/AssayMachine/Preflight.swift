import AssayBase

/// What is done about conditions that spoil a measurement; they are never ignored.
public enum PreflightPolicy: String, Sendable, CaseIterable {
  /// Nothing is measured before they are right; what goes wrong meanwhile makes the verdict INVALID.
  case strict
  /// They are kept with the figures, as remarks.
  case tag
}

/// What is wrong with a machine before a measurement, and what to do about it.
///
/// A finding of severity `warning` spoils figures and can be remedied: `strict` stops there. A `note`
/// is for whoever reads the figures.
public struct Preflight: Sendable {
  /// The machine's state.
  public var conditions: Conditions
  /// The greatest number of threads that a configuration asks for.
  public var threads: Int
  /// Bytes that a worker may need.
  public var memoryBytes: Int

  /// Judges a machine for a measurement.
  public init(_ conditions: Conditions, threads: Int = 1, memoryBytes: Int = 256 << 20) {
    self.conditions = conditions
    self.threads = threads
    self.memoryBytes = memoryBytes
  }

  /// What is wrong.
  public var findings: [Diagnostic] {
    frequencyFindings + processorFindings + loadFindings + thermalFindings + systemFindings
  }

  /// The findings at which `strict` stops, as errors.
  public var obstacles: [Diagnostic] {
    findings.filter { $0.severity == .warning }.map {
      var obstacle = $0
      obstacle.severity = .error
      return obstacle
    }
  }

  private func warning(_ code: String, _ text: String, _ remedy: String) -> Diagnostic {
    Diagnostic(code, text, at: ["preflight"], remedy: remedy, severity: .warning)
  }

  private func note(_ code: String, _ text: String, _ remedy: String?) -> Diagnostic {
    Diagnostic(code, text, at: ["preflight"], remedy: remedy, severity: .note)
  }

  /// The option that names some processors to cpupower, empty for all of them.
  private func selection(_ numbers: [Int]) -> String {
    Set(numbers) == Set(conditions.online) ? "" : "-c \(ProcessorList.text(numbers)) "
  }

  // MARK: Frequency

  private var frequencyFindings: [Diagnostic] {
    var findings: [Diagnostic] = []
    // One frequency is one frequency, whatever the governor is called.
    let free = conditions.processors.filter {
      $0.governor != nil && $0.governor != "performance" && !$0.isFixed
    }
    if !free.isEmpty {
      let names = Set(free.compactMap(\.governor)).sorted().joined(separator: ", ")
      let numbers = free.map(\.number)
      let part =
        free.count == conditions.processors.count
        ? "" : " on processors \(ProcessorList.text(numbers)) (the others are right)"
      findings.append(
        warning(
          "PRE101",
          "the frequency governor is \(names)\(part): the clock follows the load",
          "sudo cpupower \(selection(numbers))frequency-set -g performance"
        )
      )
    }
    let boosted = conditions.processors.filter { processor in
      guard !processor.isFixed else {
        // Fixed above the nominal frequency is still luck.
        guard let base = processor.baseFrequency, let high = processor.maximumFrequency else {
          return false
        }
        return high > base
      }
      return true
    }
    if conditions.boost == true, !boosted.isEmpty {
      findings.append(
        note(
          "PRE102",
          "boost is on: the clock depends on temperature and on what other cores do",
          "for figures that repeat: echo 0 | sudo tee /sys/devices/system/cpu/cpufreq/boost"
            + " (intel_pstate: echo 1 | sudo tee /sys/devices/system/cpu/intel_pstate/no_turbo)"
        )
      )
    }
    return findings
  }

  // MARK: Processors

  private var processorFindings: [Diagnostic] {
    var findings: [Diagnostic] = []
    let allowed = conditions.allowed
    if threads > allowed.count, !allowed.isEmpty {
      findings.append(
        warning(
          "PRE113",
          "\(threads) threads are to share \(allowed.count) "
            + "processor\(allowed.count == 1 ? "" : "s")",
          conditions.isBound
            ? "this process is bound to \(ProcessorList.text(allowed)) of "
              + "\(ProcessorList.text(conditions.online)): let taskset give it more, or ask for "
              + "--threads \(allowed.count)"
            : "ask for --threads \(allowed.count) or fewer"
        )
      )
    } else if threads > conditions.coreCount, conditions.coreCount < allowed.count {
      let firsts = conditions.processors.compactMap { $0.siblings.min() }
      findings.append(
        warning(
          "PRE103",
          "\(threads) threads are to share \(conditions.coreCount) cores: two of them run on one",
          "ask for --threads \(conditions.coreCount), or bind it to one processor a core: "
            + "taskset -c \(ProcessorList.text(firsts)) assay …"
        )
      )
    }
    let neighbours = Set(conditions.processors.flatMap(\.siblings))
      .subtracting(allowed).intersection(conditions.online).subtracting(conditions.isolated)
    if conditions.isBound, !neighbours.isEmpty {
      findings.append(
        note(
          "PRE103",
          "others may use processors \(ProcessorList.text(neighbours.sorted())), which share cores"
            + " with those that this process is bound to",
          "switch them off while you measure: echo 0 | sudo tee "
            + "/sys/devices/system/cpu/cpu\(neighbours.min() ?? 0)/online"
        )
      )
    }
    let capacities = Dictionary(grouping: conditions.processors.filter { $0.capacity != nil }) {
      $0.capacity ?? 0
    }
    if capacities.count > 1, let strongest = capacities.keys.max() {
      let numbers = (capacities[strongest] ?? []).map(\.number)
      findings.append(
        warning(
          "PRE114",
          "the processors differ in strength, and threads may wander between them",
          "bind it to one kind: taskset -c \(ProcessorList.text(numbers)) assay …"
        )
      )
    }
    if let limit = conditions.group.processors, limit < Double(min(threads, allowed.count)) {
      findings.append(
        warning(
          "PRE105",
          "a control group grants \(Words.significant(limit)) processors' worth of time to "
            + "\(threads) thread\(threads == 1 ? "" : "s")",
          "give the container or unit more (docker --cpus, systemd CPUQuota=), or fewer threads"
        )
      )
    }
    return findings
  }

  // MARK: Load

  private var loadFindings: [Diagnostic] {
    var findings: [Diagnostic] = []
    if let busy = conditions.othersBusy, busy > 0.15 {
      let free = conditions.isBound ? "" : ", or keep processors for it (isolcpus=, taskset -c)"
      findings.append(
        warning(
          "PRE104",
          "others keep \(Words.significant(busy, 2)) of \(conditions.allowed.count) processors busy",
          "close them (top tells which)\(free)"
        )
      )
    } else if conditions.othersBusy == nil, let load = conditions.load,
      load > 0.5 * Double(max(conditions.online.count, 1)), !conditions.isIsolated
    {
      findings.append(
        warning(
          "PRE104",
          "\(Words.significant(load)) processes wanted to run during the last minute",
          "wait, or close them (top tells which)"
        )
      )
    }
    if let steal = conditions.stealShare, steal > 0.02 {
      findings.append(
        warning(
          "PRE106",
          "the host gives \(Words.percent(steal)) of this virtual machine's time to others",
          "measure when the host is quieter, or on a machine of your own"
        )
      )
    }
    return findings
  }

  // MARK: Heat and supply

  private var thermalFindings: [Diagnostic] {
    var findings: [Diagnostic] = []
    let thermal = conditions.thermal
    if thermal.isRaspberryThrottled {
      let flags = thermal.raspberryFlags ?? 0
      findings.append(
        warning(
          "PRE107",
          flags & 1 != 0
            ? "the board gets too little voltage and is slowed down"
            : "the board is slowed down because of heat",
          flags & 1 != 0 ? "use the maker's own power supply" : "cool it, and wait"
        )
      )
    } else if !thermal.cooling.isEmpty {
      findings.append(
        warning(
          "PRE107",
          "the processors are slowed down because of heat",
          "wait until the machine has cooled, or cool it better"
        )
      )
    } else if let zone = thermal.zones.first(where: { zone in
      zone.limit.map { $0 > 0 && zone.temperature > $0 &- 5000 } ?? false
    }) {
      findings.append(
        warning(
          "PRE107",
          "\(zone.name) has \(zone.temperature / 1000) °C; the system slows down at "
            + "\((zone.limit ?? 0) / 1000) °C",
          "wait until the machine has cooled, or cool it better"
        )
      )
    }
    if conditions.supply.isDischarging == true, conditions.supply.isOnMains != true {
      let charge = conditions.supply.batteryPercent.map { " (\($0) %)" } ?? ""
      findings.append(
        warning("PRE108", "the machine runs on its battery\(charge)", "connect it to the mains")
      )
    }
    return findings
  }

  // MARK: System

  private var systemFindings: [Diagnostic] {
    var findings: [Diagnostic] = []
    if conditions.isVirtual == true {
      let maker = conditions.hypervisor.map { " (\($0))" } ?? ""
      findings.append(
        note(
          "PRE109",
          "this is a virtual machine\(maker): clock, caches and neighbours are the host's",
          "compare only figures of one session, or measure on real hardware"
        )
      )
    }
    if let free = conditions.freeDiskBytes, free < 1 << 28 {
      findings.append(
        warning(
          "PRE110",
          "only \(Words.bytes(free)) are free where results are kept",
          "make room, or give another place with --store"
        )
      )
    }
    if let clock = conditions.clockSource,
      ["hpet", "acpi_pm", "jiffies", "refined-jiffies", "pit"].contains(clock)
    {
      findings.append(
        warning(
          "PRE111",
          "the kernel's clock is \(clock): reading the time costs a microsecond or more",
          "boot with clocksource=tsc tsc=reliable where the processor's counter is steady"
        )
      )
    }
    let memory = min(
      conditions.availableMemory ?? Int.max,
      conditions.group.memoryLimit.map { $0 &- (conditions.group.memoryUsed ?? 0) } ?? Int.max
    )
    if memory < memoryBytes {
      findings.append(
        warning(
          "PRE112",
          "only \(Words.bytes(max(memory, 0))) of memory can be had",
          conditions.group.memoryLimit == nil
            ? "close other programs" : "give the control group more memory"
        )
      )
    } else if let used = conditions.swapUsed, used > 1 << 20 {
      findings.append(
        note(
          "PRE112",
          "\(Words.bytes(used)) of memory lie in swap",
          "sudo swapoff -a && sudo swapon -a brings them back, if memory allows"
        )
      )
    }
    return findings
  }
}
