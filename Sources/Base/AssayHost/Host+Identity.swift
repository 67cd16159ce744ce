import AssayBase

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

extension Host {
  /// The machine's name in its network; `nil` when the system does not tell.
  public static var hostName: String? {
    var buffer = [CChar](repeating: 0, count: 256)
    guard unsafe gethostname(&buffer, buffer.count - 1) == 0 else { return nil }
    let bytes = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
  }

  /// A process, told from every other one of this machine and from those before its last start.
  public struct ProcessIdentity: Sendable, Equatable {
    /// The machine's name.
    public var host: String
    /// What tells this run of the machine, and the space of process ids, from others.
    public var boot: String
    /// Its id.
    public var process: Int32
    /// When it was started, in the system's ticks: ids are used again.
    public var start: Int64

    /// This process.
    public static var current: ProcessIdentity {
      ProcessIdentity(
        host: Host.hostName ?? "unknown",
        boot: bootWord(),
        process: Host.processID,
        start: startTicks(Host.processID) ?? 0
      )
    }

    /// The identity as one word-separated line, such as `bench-1 3f9c0a11 4711 882013`.
    public var text: String {
      "\(host.replacing(" ", with: "-")) \(boot) \(process) \(start)"
    }

    /// Reads what `text` gives; `nil` when it is something else.
    public init?(text: String) {
      let words = text.split(separator: " ")
      guard words.count == 4, let process = Int32(words[2]), let start = Int64(words[3]) else {
        return nil
      }
      self.init(host: String(words[0]), boot: String(words[1]), process: process, start: start)
    }

    /// Makes an identity.
    public init(host: String, boot: String, process: Int32, start: Int64) {
      self.host = host
      self.boot = boot
      self.process = process
      self.start = start
    }

    /// Whether the process is known to have ended.
    ///
    /// It was of this very run of this machine, and its id is free or another process's. Of processes
    /// elsewhere nothing is known.
    public var isGone: Bool {
      let here = ProcessIdentity.current
      guard host == here.host, boot == here.boot, start != 0 else { return false }
      return ProcessIdentity.startTicks(process) != start
    }

    /// The start of a process in ticks since the machine's; `nil` when there is no such process.
    private static func startTicks(_ process: Int32) -> Int64? {
      guard let text = Host.smallText("/proc/\(process)/stat") else { return nil }
      // The name in parentheses may hold anything; the start is the 20th field behind it.
      guard let end = text.lastIndex(of: ")") else { return nil }
      let fields = text[text.index(after: end)...].split(separator: " ")
      // A zombie has ended; its parent just has not looked yet.
      guard fields.count > 19, fields[0] != "Z" else { return nil }
      return Int64(fields[19])
    }

    private static func bootWord() -> String {
      let boot = Host.smallText("/proc/sys/kernel/random/boot_id") ?? ""
      let space = Host.linkTarget("/proc/self/ns/pid") ?? ""
      return String(sha256(boot + space).prefix(8))
    }
  }
}

extension MachineInfo {
  /// A short word for machines of this kind: those of one kind give figures that may be compared.
  ///
  /// From processor, instruction set, processors in use, memory and virtualization; neither the
  /// machine's name nor the state of its software is in it.
  public var identity: String {
    // Equal machines differ by a few megabytes that the firmware keeps.
    let gigabytes = memoryBytes.map { "\(($0 + (1 << 29)) >> 30)" } ?? "?"
    let facts = [
      architecture, processor ?? "?", "\(processorCount)", "\(allowedProcessors.count)", gigabytes,
      isVirtual.map { "\($0)" } ?? "?",
    ]
    return String(sha256(facts.joined(separator: "\n")).prefix(12))
  }
}
