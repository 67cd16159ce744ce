import AssayBase
import AssayHost

@testable import AssayMachine

/// A machine of files: what `/proc` and `/sys` would say of it.
struct FakeMachine {
  let root: String

  /// A quiet machine of four processors on two cores, where nothing is wrong.
  init() throws {
    root = try Host.makeTemporaryFolder("assay-machine")
    try set("/proc/self/status", "Name:\tassay\nCpus_allowed_list:\t0-3\n")
    try set("/sys/devices/system/cpu/online", "0-3\n")
    try set("/sys/devices/system/cpu/isolated", "\n")
    try set("/sys/devices/system/cpu/cpufreq/boost", "0\n")
    try set("/sys/devices/system/cpu/smt/active", "1\n")
    for number in 0..<4 {
      try cpu(number, "cpufreq/scaling_governor", "performance")
      try cpu(number, "cpufreq/scaling_cur_freq", "3000000")
      try cpu(number, "cpufreq/scaling_min_freq", "1200000")
      try cpu(number, "cpufreq/scaling_max_freq", "3000000")
      try cpu(number, "cpufreq/base_frequency", "3000000")
      // Processors 0 and 2 are one core, 1 and 3 the other.
      try cpu(number, "topology/thread_siblings_list", number % 2 == 0 ? "0,2" : "1,3")
      try cpu(number, "thermal_throttle/core_throttle_count", "0")
      try cpu(number, "thermal_throttle/package_throttle_count", "0")
    }
    try set("/proc/loadavg", "0.03 0.10 0.20 1/300 4711\n")
    try set(
      "/proc/stat",
      "cpu  40 0 40 999 0 0 0 0 0 0\n"
        + (0..<4).map { "cpu\($0) 10 0 10 250 0 0 0 0 0 0\n" }.joined() + "intr 1\n"
    )
    try set("/proc/cpuinfo", "processor\t: 0\nflags\t\t: fpu avx2 fma\n")
    try set("/proc/meminfo", "MemAvailable: 8000000 kB\nSwapTotal: 100 kB\nSwapFree: 100 kB\n")
    try set("/proc/vmstat", "pswpin 7\npswpout 9\npgmajfault 11\n")
    try set("/sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n")
    try set("/sys/class/thermal/thermal_zone0/type", "x86_pkg_temp\n")
    try set("/sys/class/thermal/thermal_zone0/temp", "45000\n")
    try set("/sys/class/power_supply/AC/type", "Mains\n")
    try set("/sys/class/power_supply/AC/online", "1\n")
    try set("/proc/self/cgroup", "0::/user.slice/a\n")
  }

  func set(_ path: String, _ text: String) throws {
    let place = root + path
    try Host.makeFolders(Host.folder(of: place))
    try AtomicFile.write(text, to: place)
  }

  func cpu(_ number: Int, _ path: String, _ text: String) throws {
    try set("/sys/devices/system/cpu/cpu\(number)/\(path)", text + "\n")
  }

  func remove() { try? Host.remove(root) }

  var conditions: Conditions { Conditions(SystemFiles(root: root)) }

  /// The codes of what is wrong, notes left out.
  func warnings(threads: Int = 1) -> [String] {
    Preflight(conditions, threads: threads).obstacles.map(\.code)
  }

  /// The codes of everything that is said.
  func codes(threads: Int = 1) -> [String] {
    Preflight(conditions, threads: threads).findings.map(\.code)
  }

  func remedy(_ code: String, threads: Int = 1) -> String {
    Preflight(conditions, threads: threads).findings.first { $0.code == code }?.remedy ?? ""
  }
}
