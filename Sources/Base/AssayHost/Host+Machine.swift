import AssayBase
import CHost

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What is known of the machine and its present state; `nil` where the system does not tell.
public struct MachineInfo: Sendable, Equatable {
  /// The processor's name.
  public var processor: String?
  /// Processors that the system runs on.
  public var processorCount: Int
  /// Processors that this process may use, by number.
  public var allowedProcessors: [Int]
  /// The operating system's name, such as `Debian GNU/Linux 12 (bookworm)`.
  public var system: String
  /// The kernel's release.
  public var kernel: String
  /// The instruction set's name, such as `x86_64`.
  public var architecture: String
  /// Whether the processor says that it is a hypervisor's.
  public var isVirtual: Bool?
  /// Physical memory in bytes.
  public var memoryBytes: Int?
  /// The frequency governor of the first processor.
  public var governor: String?
  /// Whether frequencies above the nominal one are allowed.
  public var boost: Bool?

  /// The machine as it is now.
  public static func current() -> MachineInfo {
    var names = utsname()
    unsafe _ = uname(&names)
    let information = Host.smallText("/proc/cpuinfo") ?? ""
    let memory = chost_physical_memory()
    return MachineInfo(
      processor: processorName(information),
      processorCount: Int(chost_processor_count()),
      allowedProcessors: Host.allowedProcessors(),
      system: systemName(fallback: text(&names.sysname)),
      kernel: text(&names.release),
      architecture: text(&names.machine),
      isVirtual: isVirtual(information),
      memoryBytes: memory > 0 ? Int(clamping: memory) : nil,
      governor: line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
      boost: boost()
    )
  }

  /// The facts as a flat JSON object; those not known are left out.
  public var json: JSON {
    var object = JSON.object([
      "processorCount": JSON(processorCount),
      "allowedProcessors": .array(allowedProcessors.map { JSON($0) }),
      "system": .string(system), "kernel": .string(kernel), "architecture": .string(architecture),
    ])
    if let processor { object["processor"] = .string(processor) }
    if let isVirtual { object["virtual"] = .bool(isVirtual) }
    if let memoryBytes { object["memoryBytes"] = JSON(memoryBytes) }
    if let governor { object["governor"] = .string(governor) }
    if let boost { object["boost"] = .bool(boost) }
    return object
  }

  private static func processorName(_ information: String) -> String? {
    value(of: "model name", in: information) ?? value(of: "Model", in: information)
      ?? line("/sys/firmware/devicetree/base/model")
  }

  private static func isVirtual(_ information: String) -> Bool? {
    guard let flags = value(of: "flags", in: information) else { return nil }
    return flags.split(separator: " ").contains("hypervisor")
  }

  private static func boost() -> Bool? {
    if let text = line("/sys/devices/system/cpu/cpufreq/boost") { return text == "1" }
    if let text = line("/sys/devices/system/cpu/intel_pstate/no_turbo") { return text == "0" }
    return nil
  }

  private static func systemName(fallback: String) -> String {
    guard let release = Host.smallText("/etc/os-release") else { return fallback }
    for line in release.split(separator: "\n") where line.hasPrefix("PRETTY_NAME=") {
      return String(line.dropFirst("PRETTY_NAME=".count)).filter { $0 != "\"" }
    }
    return fallback
  }

  /// The value of the first `key : value` line.
  static func value(of key: String, in text: String) -> String? {
    for line in text.split(separator: "\n") {
      guard let colon = line.firstIndex(of: ":") else { continue }
      guard trimmed(line[..<colon]) == key else { continue }
      return trimmed(line[line.index(after: colon)...])
    }
    return nil
  }

  private static func line(_ path: String) -> String? {
    guard let text = Host.smallText(path) else { return nil }
    let line = trimmed(text.split(whereSeparator: { $0 == "\n" || $0 == "\0" }).first ?? "")
    return line.isEmpty ? nil : line
  }

  private static func trimmed(_ text: Substring) -> String {
    var text = text
    while let first = text.first, first.isWhitespace { text.removeFirst() }
    while let last = text.last, last.isWhitespace { text.removeLast() }
    return String(text)
  }

  private static func text<Characters>(_ characters: inout Characters) -> String {
    unsafe withUnsafeBytes(of: &characters) { bytes in
      unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  }
}

extension Host {
  /// Processors that the calling thread may use, by number; empty when the system does not tell.
  public static func allowedProcessors() -> [Int] {
    var numbers = [Int32](repeating: 0, count: 1024)
    let count = unsafe chost_get_affinity(&numbers, numbers.count)
    return numbers.prefix(min(count, numbers.count)).map { Int($0) }
  }

  /// Mean number of processes that wanted to run during the last minute.
  public static func loadAverage() -> Double? {
    var loads = [Double](repeating: 0, count: 1)
    return unsafe getloadavg(&loads, 1) == 1 ? loads[0] : nil
  }

  /// Bytes that can be allocated without making others swap.
  public static func availableMemory() -> Int? {
    guard let text = smallText("/proc/meminfo"),
      let kilobytes = kilobytes(of: "MemAvailable", in: text)
    else { return nil }
    return min(kilobytes &* 1024, controlGroupHeadroom() ?? Int.max)
  }

  /// Bytes left below the memory limit of the process's control group; `nil` without a limit.
  private static func controlGroupHeadroom() -> Int? {
    guard let limit = smallText("/sys/fs/cgroup/memory.max").flatMap({ number($0) }),
      let used = smallText("/sys/fs/cgroup/memory.current").flatMap({ number($0) })
    else { return nil }
    return max(limit - used, 0)
  }

  private static func number(_ text: String) -> Int? {
    text.split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) }
  }

  /// Peak resident memory of this process since its start or the last reset, bytes.
  public static func peakMemory() -> Int? {
    smallText("/proc/self/status").flatMap { kilobytes(of: "VmHWM", in: $0) }.map { $0 &* 1024 }
  }

  /// Resident memory of this process now, bytes.
  public static func residentMemory() -> Int? {
    smallText("/proc/self/status").flatMap { kilobytes(of: "VmRSS", in: $0) }.map { $0 &* 1024 }
  }

  /// Sets the peak of resident memory back to what is resident now.
  ///
  /// - Returns: whether the system allowed it.
  @discardableResult
  public static func resetPeakMemory() -> Bool {
    let descriptor = unsafe open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return unsafe write(descriptor, "5", 1) == 1
  }

  private static func kilobytes(of key: String, in text: String) -> Int? {
    MachineInfo.value(of: key, in: text).flatMap { number($0) }
  }
}

extension Host {
  /// Nanoseconds that all processors together spent working (for anybody) since the system started.
  public static func busyNanoseconds() -> UInt64? {
    guard let text = smallText("/proc/stat"),
      let line = text.split(separator: "\n").first, line.hasPrefix("cpu ")
    else { return nil }
    let fields = line.split(separator: " ").dropFirst().map { UInt64($0) ?? 0 }
    guard fields.count >= 8 else { return nil }
    // user, nice, system, irq, softirq, steal; idle and waiting for input are left out.
    let ticks = [0, 1, 2, 5, 6, 7].reduce(UInt64(0)) { $0 &+ fields[$1] }
    let ticksPerSecond = UInt64(max(sysconf(Int32(_SC_CLK_TCK)), 1))
    return ticks &* (1_000_000_000 / ticksPerSecond)
  }

  /// Nanoseconds that this process spent on processors, all threads together.
  public static func ownBusyNanoseconds() -> UInt64 {
    var time = timespec()
    guard unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 else { return 0 }
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
  }
}
