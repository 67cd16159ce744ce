import AssayBase

/// What is known of one processor at a moment.
public struct ProcessorState: Sendable, Equatable {
  /// Its number.
  public var number: Int
  /// The frequency governor.
  public var governor: String?
  /// Frequencies in kHz: now, and between which the governor may choose.
  public var frequency: Int?
  public var minimumFrequency: Int?
  public var maximumFrequency: Int?
  /// The frequency that needs no luck, kHz: what the processor is sold with.
  public var baseFrequency: Int?
  /// The processors that share its core, itself among them.
  public var siblings: [Int]
  /// What it achieves beside the strongest (1024), where processors differ.
  public var capacity: Int?
  /// How often it and its package were slowed down because of heat, since the start.
  public var throttleCount: Int?

  /// Whether the user has fixed the frequency, whatever the governor is called.
  public var isFixed: Bool {
    guard let low = minimumFrequency, let high = maximumFrequency else { return false }
    return low == high
  }

  /// Reads what the system tells of a processor.
  public init(_ number: Int, _ files: SystemFiles) {
    self.number = number
    let folder = "/sys/devices/system/cpu/cpu\(number)"
    governor = files.line(folder + "/cpufreq/scaling_governor")
    frequency = files.int(folder + "/cpufreq/scaling_cur_freq")
    minimumFrequency = files.int(folder + "/cpufreq/scaling_min_freq")
    maximumFrequency = files.int(folder + "/cpufreq/scaling_max_freq")
    baseFrequency = files.int(folder + "/cpufreq/base_frequency")
    siblings =
      files.line(folder + "/topology/thread_siblings_list").flatMap(ProcessorList.parse) ?? [number]
    capacity = files.int(folder + "/cpu_capacity")
    let counts = ["core_throttle_count", "package_throttle_count"].compactMap {
      files.int(folder + "/thermal_throttle/" + $0)
    }
    throttleCount = counts.isEmpty ? nil : counts.reduce(0, &+)
  }
}

/// What processors spent their time on since the system started, nanoseconds.
public struct ProcessorTime: Sendable, Equatable {
  /// Working for anybody in this system.
  public var busy: UInt64 = 0
  /// Ready to work, while the host of this virtual machine let another one work.
  public var steal: UInt64 = 0
  /// How many processors it is of.
  public var count = 0

  /// The time of some processors; `nil` when the system does not tell.
  ///
  /// `/proc/stat` counts in ticks, which are 10 ms everywhere that matters (USER_HZ is 100).
  public init?(_ processors: [Int], _ files: SystemFiles) {
    guard let text = files.text("/proc/stat") else { return nil }
    let wanted = Set(processors)
    for line in text.split(separator: "\n") where line.hasPrefix("cpu") {
      let fields = line.split(separator: " ")
      guard let number = Int(fields[0].dropFirst(3)), wanted.contains(number), fields.count >= 9
      else { continue }
      let ticks = fields.dropFirst().map { UInt64($0) ?? 0 }
      // user, nice, system, irq, softirq; idle and waiting for input are left out.
      busy &+= [0, 1, 2, 5, 6].reduce(UInt64(0)) { $0 &+ ticks[$1] } &* 10_000_000
      steal &+= ticks[7] &* 10_000_000
      count += 1
    }
    if count == 0 { return nil }
  }
}
