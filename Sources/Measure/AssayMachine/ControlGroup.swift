import AssayBase

/// The limits of the control groups that this process lies in, version 1 or 2, the tightest of each.
public struct ControlGroup: Sendable, Equatable {
  /// Processors' worth of time that it may use; `nil` without a limit.
  public var processors: Double?
  /// Bytes of memory that it may use; `nil` without a limit.
  public var memoryLimit: Int?
  /// Bytes of memory that the tightest group uses.
  public var memoryUsed: Int?
  /// Nanoseconds for which it was kept from running because of the limit, since its start.
  public var throttledNanoseconds: Int?

  /// Reads the groups of this process.
  public init(_ files: SystemFiles) {
    let membership = files.text("/proc/self/cgroup") ?? ""
    for line in membership.split(separator: "\n") {
      // "0::/path" is version 2, "4:memory:/path" one hierarchy of version 1.
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { continue }
      let path = String(fields[2])
      if fields[1].isEmpty {
        for folder in ControlGroup.folders(
          path,
          below: ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]
        ) { readUnified(folder, files) }
        continue
      }
      for controller in fields[1].split(separator: ",") {
        let folders = ControlGroup.folders(
          path,
          below: ["/sys/fs/cgroup/\(controller)", "/sys/fs/cgroup/\(fields[1])"]
        )
        for folder in folders {
          if controller == "cpu" { readTime(folder, files) }
          if controller == "memory" { readMemory(folder, files) }
        }
      }
    }
  }

  /// The group's folder and those above it: a limit above holds below.
  private static func folders(_ path: String, below roots: [String]) -> [String] {
    var result: [String] = []
    for root in roots {
      var parts = path.split(separator: "/").filter { $0 != ".." }
      while true {
        result.append(([Substring(root)] + parts).joined(separator: "/"))
        if parts.isEmpty { break }
        parts.removeLast()
      }
    }
    return result
  }

  private mutating func readUnified(_ folder: String, _ files: SystemFiles) {
    if let words = files.line(folder + "/cpu.max")?.split(separator: " "), words.count == 2,
      let quota = Double(words[0]), let period = Double(words[1]), period > 0
    {
      limit(quota / period)
    }
    if let limit = files.int(folder + "/memory.max") {
      limitMemory(limit, used: files.int(folder + "/memory.current"))
    }
    if let text = files.text(folder + "/cpu.stat"),
      let microseconds = files.int("throttled_usec", in: text)
    {
      throttled(microseconds.multipliedReportingOverflow(by: 1000).partialValue)
    }
  }

  private mutating func readTime(_ folder: String, _ files: SystemFiles) {
    if let quota = files.int(folder + "/cpu.cfs_quota_us"), quota > 0,
      let period = files.int(folder + "/cpu.cfs_period_us"), period > 0
    {
      limit(Double(quota) / Double(period))
    }
    if let text = files.text(folder + "/cpu.stat"),
      let nanoseconds = files.int("throttled_time", in: text)
    {
      throttled(nanoseconds)
    }
  }

  private mutating func readMemory(_ folder: String, _ files: SystemFiles) {
    // Version 1 writes "no limit" as the greatest number of whole pages.
    if let limit = files.int(folder + "/memory.limit_in_bytes"), limit < 1 << 60 {
      limitMemory(limit, used: files.int(folder + "/memory.usage_in_bytes"))
    }
  }

  private mutating func limit(_ processors: Double) {
    self.processors = min(self.processors ?? .infinity, processors)
  }

  private mutating func limitMemory(_ limit: Int, used: Int?) {
    guard limit < memoryLimit ?? Int.max else { return }
    memoryLimit = limit
    memoryUsed = used
  }

  private mutating func throttled(_ nanoseconds: Int) {
    throttledNanoseconds = max(throttledNanoseconds ?? 0, nanoseconds)
  }
}
