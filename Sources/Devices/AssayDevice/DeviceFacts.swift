import AssayBase
import AssayMachine

/// What a device tells of itself; what it does not tell is `nil`.
public struct DeviceFacts: Sendable, Equatable {
  /// An accelerator or board that is attached.
  public struct Attachment: Sendable, Equatable {
    /// What it is, such as `Edge TPU (USB)`.
    public var name: String
    /// How it was seen, such as `usb 18d1:9302 at 5000 Mbit/s`.
    public var evidence: String

    /// Makes an attachment.
    public init(name: String, evidence: String) {
      self.name = name
      self.evidence = evidence
    }
  }

  /// How it is reached, as `Device.transport` tells it.
  public var transport = ""
  /// The instruction set as `uname -m` says it, such as `aarch64`.
  public var architecture: String?
  /// The board or computer, such as `Raspberry Pi 5 Model B Rev 1.0`.
  public var model: String?
  /// The processor's name.
  public var processor: String?
  /// Processors that run.
  public var processorCount: Int?
  /// Processors by what they achieve, such as `[0-3: 446, 4-7: 1024]`; empty where all are alike.
  public var clusters: [Cluster] = []
  /// Physical memory, bytes.
  public var memoryBytes: Int?
  /// The operating system's name.
  public var system: String?
  /// The kernel's release.
  public var kernel: String?
  /// The C library: `glibc 2.36`, `musl`, `bionic`.
  public var library: String?
  /// Bytes that may still be written where our files go.
  public var freeBytes: Int?
  /// Whether it is an emulator, and how that was seen.
  public var emulator: String?
  /// What tells this run of the device from others.
  public var boot: String?
  /// Tells this very device from others of its kind: a hash of its serial number.
  public var individual: String?
  /// Accelerators that are attached.
  public var attachments: [Attachment] = []
  /// Power rails by name that the board measures.
  public var rails: [String] = []
  /// Programs of vendors that are installed there, such as `trtexec`, with their paths.
  public var tools: [String: String] = [:]
  /// Further facts by name that a driver adds: build, ABI list, battery.
  public var further: [String: String] = [:]
  /// Its state as it bears on a measurement: governor, frequencies, temperatures, throttling.
  public var conditions: Conditions?

  /// Processors that achieve alike.
  public struct Cluster: Sendable, Equatable {
    /// Their numbers.
    public var processors: [Int]
    /// What they achieve beside the strongest (1024).
    public var capacity: Int?
    /// Their greatest frequency, kHz.
    public var maximumFrequency: Int?
  }

  /// Facts of nothing.
  public init() {}

  /// A short word for devices of this kind: those of one kind give figures that may be compared.
  ///
  /// From board, processor, instruction set, processors, memory and emulation; neither the device's
  /// name nor the state of its software is in it.
  public var identity: String {
    let gigabytes = memoryBytes.map { "\(($0 &+ (1 << 29)) >> 30)" } ?? "?"
    let facts = [
      architecture ?? "?", model ?? "?", processor ?? "?", processorCount.map { "\($0)" } ?? "?",
      gigabytes, emulator ?? "real",
    ]
    return String(sha256(facts.joined(separator: "\n")).prefix(12))
  }

  /// The device in a few words.
  public var title: String {
    var parts: [String] = []
    if let model { parts.append(model) }
    if let processor, processor != model { parts.append(processor) }
    var shape = architecture ?? "unknown architecture"
    if let processorCount { shape += ", \(processorCount) processors" }
    if let memoryBytes { shape += ", \(Words.bytes(memoryBytes))" }
    parts.append(shape)
    return parts.joined(separator: ", ")
  }

  /// The facts as a JSON object; those not known are left out.
  public var json: JSON {
    var object = JSON.object(["transport": .string(transport), "identity": .string(identity)])
    func add(_ key: String, _ text: String?) { object[key] = text.map { .string($0) } }
    add("architecture", architecture)
    add("model", model)
    add("processor", processor)
    object["processorCount"] = processorCount.map { JSON($0) }
    if !clusters.isEmpty {
      object["clusters"] = .array(
        clusters.map { cluster in
          var one = JSON.object(["processors": .string(ProcessorList.text(cluster.processors))])
          one["capacity"] = cluster.capacity.map { JSON($0) }
          one["maximumKHz"] = cluster.maximumFrequency.map { JSON($0) }
          return one
        }
      )
    }
    object["memoryBytes"] = memoryBytes.map { JSON($0) }
    add("system", system)
    add("kernel", kernel)
    add("library", library)
    object["freeBytes"] = freeBytes.map { JSON($0) }
    add("emulator", emulator)
    add("individual", individual)
    if !attachments.isEmpty {
      object["attachments"] = .array(
        attachments.map {
          .object(["name": .string($0.name), "evidence": .string($0.evidence)])
        }
      )
    }
    if !rails.isEmpty { object["rails"] = .array(rails.map { .string($0) }) }
    func members(_ table: [String: String]) -> JSON {
      .members(
        table.sorted { $0.key < $1.key }
          .reduce(into: JSON.Members()) { $0[$1.key] = .string($1.value) }
      )
    }
    if !tools.isEmpty { object["tools"] = members(tools) }
    if !further.isEmpty { object["further"] = members(further) }
    if let conditions { object["conditions"] = conditions.json }
    return object
  }
}
