import AssayBase
import AssayHost
import CNVML

/// NVIDIA's graphics cards through NVML, which is loaded on first use: the energy counter (since
/// Volta), or the power where there is no counter.
public struct NVMLMeter: PowerMeter {
  public let id = "nvml"
  public let summary = "NVIDIA graphics cards (NVML: energy counter or power)"
  private let library: String?

  /// A driver.
  ///
  /// - Parameter library: the library's path; the system's own when `nil`.
  public init(library: String? = nil) { self.library = library }

  public func probe() -> Availability {
    do {
      let library = try NVML(path: library)
      let cards = try library.cards()
      guard !cards.isEmpty else {
        return .unavailable(
          reason: "the driver \(library.driverVersion) sees no card",
          remedy: "check nvidia-smi"
        )
      }
      let names = cards.map { card in
        card.hasCounter ? card.name : card.hasPower ? "\(card.name) (power only)" : ""
      }.filter { !$0.isEmpty }
      guard !names.isEmpty else {
        return .unavailable(
          reason: "\(cards[0].name) tells neither energy nor power",
          remedy: "measure in its supply; cards before Kepler and some for laptops cannot tell"
        )
      }
      return .available(
        version: "driver \(library.driverVersion): \(names.joined(separator: ", "))"
      )
    } catch {
      let finding = error as? Diagnostic
      return .unavailable(
        reason: finding?.summary ?? "\(error)",
        remedy: finding?.remedy ?? "see nvidia-smi"
      )
    }
  }

  public func open(_ options: MeterOptions) throws -> any MeterReader {
    let library = try NVML(path: library)
    let cards = try library.cards().filter { $0.hasCounter || $0.hasPower }
    guard !cards.isEmpty else {
      throw Diagnostic(
        "MTR001",
        "nvml cannot be used: no card tells energy or power",
        remedy: "see assay doctor"
      )
    }
    return Reader(library, cards, period(rate: options.rate, standard: 20))
  }

  private final class Reader: MeterReader {
    let identity: MeterIdentity
    let channels: [MeterChannel]
    let period: UInt64
    let isPolled = true
    private let library: NVML
    private let cards: [NVML.Card]
    private var greatestSpan: UInt64 = 0

    init(_ library: NVML, _ cards: [NVML.Card], _ period: UInt64) {
      self.library = library
      self.cards = cards
      self.period = period
      identity = MeterIdentity(
        driver: "nvml",
        name: cards.map(\.name).joined(separator: ", "),
        serial: cards.map(\.uuid).joined(separator: ", "),
        version: library.driverVersion
      )
      var channels: [MeterChannel] = []
      for (index, card) in cards.enumerated() {
        let name = cards.count > 1 ? "gpu-\(index)" : "gpu"
        if card.hasCounter {
          channels.append(
            MeterChannel(
              name,
              .energy,
              .gpu,
              isPrimary: index == 0 && cards.count == 1,
              accuracy: MeterAccuracy(
                gain: 0.05,
                offsetWatts: 5,
                resolution: 0.001,
                latencyNanoseconds: 100_000_000,
                isIntegrating: true,
                isSpecified: true,
                source: "NVML's reference: within 5 W; 5 % on older cards"
              )
            )
          )
        }
        if card.hasPower {
          channels.append(
            MeterChannel(
              card.hasCounter ? "\(name) power" : name,
              .power,
              .gpu,
              isPrimary: index == 0 && cards.count == 1 && !card.hasCounter,
              accuracy: MeterAccuracy(
                gain: 0.05,
                offsetWatts: 5,
                resolution: 0.001,
                latencyNanoseconds: 1_000_000_000,
                isIntegrating: false,
                isSpecified: true,
                source: "NVML's reference: within 5 W, a mean of a second since Ampere"
              )
            )
          )
        }
      }
      // Each card by itself is what one model ran on at most; which one, nobody here knows.
      if cards.count > 1, cards.allSatisfy(\.hasCounter), let first = channels.first {
        var accuracy = first.accuracy
        accuracy.offsetWatts *= Double(cards.count)
        channels.append(
          MeterChannel("all cards", .energy, .gpu, isPrimary: true, accuracy: accuracy)
        )
      }
      self.channels = channels
    }

    func read(into trace: inout PowerTrace, until deadline: UInt64) throws {
      let start = Host.monotonicNanoseconds()
      var row: [Double] = []
      var total = 0.0
      for card in cards {
        if card.hasCounter {
          let joules = Double(try library.millijoules(card)) / 1e3
          total += joules
          row.append(joules)
        }
        if card.hasPower { row.append(Double(try library.milliwatts(card)) / 1e3) }
      }
      if channels.count > row.count { row.append(total) }
      let end = Host.monotonicNanoseconds()
      greatestSpan = max(greatestSpan, end &- start)
      trace.append(Int64(clamping: start &+ (end &- start) / 2), row)
    }

    func finish(_ trace: inout PowerTrace) {
      trace.timeUncertaintyNanoseconds = Double(greatestSpan) / 2 / 3.0.squareRoot()
    }
  }
}

/// NVML, loaded and started; stopped with the object.
@safe final class NVML {
  /// A card.
  struct Card {
    var index: Int
    var name: String
    var uuid: String
    var hasCounter: Bool
    var hasPower: Bool
  }

  private let library: SharedLibrary
  private let table: CNVMLTable
  private var handles: [CNVMLDevice?]
  /// The driver's version.
  let driverVersion: String

  /// Loads and starts the library.
  ///
  /// - Throws: `Diagnostic` MTR020 it is not there, MTR021 it cannot be started.
  init(path: String?) throws {
    let names = path.map { [$0] } ?? ["libnvidia-ml.so.1", "libnvidia-ml.so"]
    guard let library = names.lazy.compactMap({ try? SharedLibrary(path: $0) }).first else {
      throw Diagnostic(
        "MTR020",
        "NVIDIA's management library is not here (libnvidia-ml.so.1)",
        remedy: "it comes with NVIDIA's driver; none is needed without such a card"
      )
    }
    var table = CNVMLTable()
    let missing = unsafe library.fill(&table, names: cnvml_names())
    guard missing.isEmpty else {
      throw Diagnostic(
        "MTR021",
        "this NVML is too old: it has no \(missing.joined(separator: ", "))",
        at: [library.path],
        remedy: "update NVIDIA's driver"
      )
    }
    self.library = library
    self.table = table
    unsafe handles = []
    let status = table.nvmlInit_v2()
    guard status == 0 else {
      let words = unsafe table.nvmlErrorString(status).map { unsafe String(cString: $0) }
      throw Diagnostic(
        "MTR021",
        "NVML cannot be started: \(words ?? "status \(status)")",
        remedy: Int(status) == Int(CNVML_DRIVER_NOT_LOADED)
          ? "load the kernel's module: modprobe nvidia" : "check nvidia-smi"
      )
    }
    var version = [CChar](repeating: 0, count: 96)
    let told = unsafe table.nvmlSystemGetDriverVersion(&version, UInt32(version.count))
    driverVersion = told == 0 ? NVML.text(version) : "unknown"
  }

  deinit { _ = table.nvmlShutdown() }

  private static func text(_ characters: [CChar]) -> String {
    String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  private func check(_ status: Int32, _ call: String) throws {
    guard status != 0 else { return }
    let words = unsafe table.nvmlErrorString(status).map { unsafe String(cString: $0) }
    throw Diagnostic(
      "MTR010",
      "the graphics card cannot be read: \(call)",
      remedy: "check nvidia-smi",
      cause: words ?? "status \(status)"
    )
  }

  /// The cards that the driver shows.
  func cards() throws -> [Card] {
    var count: UInt32 = 0
    try check(unsafe table.nvmlDeviceGetCount_v2(&count), "nvmlDeviceGetCount")
    unsafe handles = []
    return try (0..<Int(min(count, 64))).map { index in
      var device: CNVMLDevice?
      try check(
        unsafe table.nvmlDeviceGetHandleByIndex_v2(UInt32(index), &device),
        "nvmlDeviceGetHandleByIndex"
      )
      unsafe handles.append(device)
      var name = [CChar](repeating: 0, count: 96)
      unsafe _ = table.nvmlDeviceGetName(device, &name, UInt32(name.count))
      var uuid = [CChar](repeating: 0, count: 96)
      unsafe _ = table.nvmlDeviceGetUUID(device, &uuid, UInt32(uuid.count))
      var energy: UInt64 = 0
      var power: UInt32 = 0
      return Card(
        index: index,
        name: NVML.text(name),
        uuid: NVML.text(uuid),
        hasCounter: unsafe table.nvmlDeviceGetTotalEnergyConsumption(device, &energy) == 0,
        hasPower: unsafe table.nvmlDeviceGetPowerUsage(device, &power) == 0
      )
    }
  }

  /// The energy counter of a card.
  func millijoules(_ card: Card) throws -> UInt64 {
    var value: UInt64 = 0
    try check(
      unsafe table.nvmlDeviceGetTotalEnergyConsumption(handles[card.index], &value),
      "nvmlDeviceGetTotalEnergyConsumption"
    )
    return value
  }

  /// The power of a card.
  func milliwatts(_ card: Card) throws -> UInt32 {
    var value: UInt32 = 0
    try check(
      unsafe table.nvmlDeviceGetPowerUsage(handles[card.index], &value),
      "nvmlDeviceGetPowerUsage"
    )
    return value
  }
}
