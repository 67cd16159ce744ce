import AssayBase
import AssayHost

/// The energy counters of Intel's and AMD's processors (RAPL), as Linux's powercap shows them.
///
/// Every domain of every package: package, core, uncore, dram, psys. The counters are of microjoules,
/// move about every millisecond and start anew at `max_energy_range_uj`.
public struct RAPLMeter: PowerMeter {
  public let id = "rapl"
  public let summary = "energy counters of Intel and AMD processors (powercap)"
  private let root: String

  /// A driver below another root than `/` for tests.
  public init(root: String = "/") { self.root = root }

  /// One counter.
  struct Domain: Equatable {
    var name: String
    var path: String
    /// Microjoules after which the counter starts anew.
    var range: Int64
    var scope: MeterScope
  }

  private var folder: String { Host.join(root, "sys/class/powercap") }

  /// The counters, packages first; parts of a package are called after it.
  func domains() -> [Domain] {
    var packages: [String: String] = [:]
    let names = entries(folder).filter { $0.contains("rapl:") }
    for name in names where name.count(where: { $0 == ":" }) == 1 {
      packages[name] = line(Host.join(folder, "\(name)/name"))
    }
    // The same counters are often there twice: by registers and by memory (intel-rapl-mmio).
    let hasRegisters = names.contains { $0.hasPrefix("intel-rapl:") }
    return names.filter { !hasRegisters || !$0.contains("mmio") }.compactMap { name in
      let path = Host.join(folder, name)
      guard let title = line(path + "/name"), Host.exists(path + "/energy_uj") else { return nil }
      let range = line(path + "/max_energy_range_uj").flatMap { Int64($0) } ?? 0
      let parts = name.split(separator: ":")
      let isPart = parts.count > 2
      let package = packages[parts.prefix(2).joined(separator: ":")] ?? ""
      return Domain(
        name: isPart && !package.isEmpty ? "\(package)/\(title)" : title,
        path: path + "/energy_uj",
        range: max(range, 0),
        scope: scope(title)
      )
    }
  }

  private func scope(_ title: String) -> MeterScope {
    switch title {
    case "psys": .platform
    case "core": .core
    case "uncore": .uncore
    case "dram": .memory
    default: .package
    }
  }

  public func probe() -> Availability {
    let domains = domains()
    guard let first = domains.first else {
      let isVirtual = MachineInfo.current().isVirtual == true
      return .unavailable(
        reason: isVirtual
          ? "this is a virtual machine, and its host keeps the counters"
          : "the kernel shows no counters below \(folder)",
        remedy: isVirtual
          ? "measure on the machine itself, or with a meter outside"
          : "modprobe intel_rapl_msr (Intel since Sandy Bridge, AMD since Zen)"
      )
    }
    guard domains.allSatisfy({ Host.isReadable($0.path) }) else {
      return .unavailable(
        reason: "\(first.path) may be read by root only",
        remedy: "sudo chmod a+r \(folder)/*/energy_uj (until the next start; lasting: a udev rule"
          + " with RUN+=\"/bin/chmod a+r ...\"), or run as root"
      )
    }
    return .available(version: domains.map(\.name).joined(separator: ", "))
  }

  public func open(_ options: MeterOptions) throws -> any MeterReader {
    if case .unavailable(let reason, let remedy) = probe() {
      throw Diagnostic("MTR001", "rapl cannot be used: \(reason)", remedy: remedy)
    }
    let domains = domains()
    let accuracy = MeterAccuracy(
      gain: 0.05,
      resolution: 61e-6,
      latencyNanoseconds: 1_000_000,
      isIntegrating: true,
      source: "no maker's figure; within 5 % of wall meters is assumed"
    )
    // The platform's counter covers the packages; without it packages and memory add up.
    let hasPlatform = domains.contains { $0.scope == .platform }
    let summed = domains.indices.filter { index in
      let scope = domains[index].scope
      return scope == .package || scope == .memory
    }
    let hasSum = !hasPlatform && summed.count > 1
    var channels = domains.map { domain in
      MeterChannel(
        domain.name,
        .energy,
        domain.scope,
        isPrimary: !hasSum && domain.scope == (hasPlatform ? .platform : .package),
        accuracy: accuracy
      )
    }
    if hasSum {
      channels.append(
        MeterChannel("packages and memory", .energy, .package, isPrimary: true, accuracy: accuracy)
      )
    }
    var counters = domains.map { WrappingCounter(range: $0.range) }
    return try SysfsReader(
      identity: MeterIdentity(
        driver: id,
        name: MachineInfo.current().processor ?? "RAPL",
        version: line(Host.join(root, "proc/sys/kernel/osrelease"))
      ),
      channels: channels,
      period: period(rate: options.rate, standard: 100),
      paths: domains.map(\.path)
    ) { numbers in
      var row: [Double] = []
      for (index, number) in numbers.enumerated() {
        row.append(Double(counters[index].advanced(to: number)) / 1e6)
      }
      if hasSum { row.append(summed.reduce(0) { $0 + row[$1] }) }
      return row
    }
  }
}

/// A counter that starts anew at some value, told as one that never falls.
struct WrappingCounter: Sendable, Equatable {
  /// Where it starts anew; 0 when that is not known, and then a fall counts as nothing.
  let range: Int64
  private var last: Int64?
  private var total: Int64 = 0

  init(range: Int64) { self.range = range }

  /// The whole count since the first number, of which at most one turn may lie between two numbers.
  mutating func advanced(to number: Int64) -> Int64 {
    defer { last = number }
    guard let last else { return 0 }
    if number >= last {
      total &+= number &- last
    } else if range > 0, number >= 0, last <= range {
      total &+= (range &- last) &+ number
    }
    return total
  }
}
