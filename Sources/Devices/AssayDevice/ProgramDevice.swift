import AssayBase
import AssayHost

/// A device that a program of the user's stands for: it speaks the runner's lines on its standard
/// input and output.
///
/// Beside the runner's requests it answers `{"do": "probe"}` with `{"ok": true, "facts": {…}}`, whose
/// members are those of `DeviceFacts.json`. Paths in requests are of this machine.
public final class ProgramDevice: Device {
  public let address: DeviceAddress
  public let transport = "program"
  /// The program and its arguments.
  public let command: [String]
  /// Seconds after which a silent program counts as hung.
  private let patience: Double

  /// A device that `settings` names a program for.
  ///
  /// - Throws: `Diagnostic` DEV003 when they name none.
  public init(_ address: DeviceAddress, _ settings: DeviceSettings) throws {
    guard !settings.program.isEmpty else {
      throw Diagnostic("DEV003", "no program is registered for \(address)")
    }
    self.address = address
    command = settings.program
    patience = min(settings.patience ?? 10, 1e6)
  }

  /// Starts the program.
  public func open() throws -> any DeviceStream {
    try ProcessStream("/usr/bin/env", command)
  }

  public func probe() throws -> DeviceFacts {
    let stream = try open()
    defer { stream.end(seconds: 2) }
    let deadline = Host.monotonicNanoseconds() &+ UInt64(patience * 1e9)
    guard stream.write(#"{"do":"probe"}"#) else {
      throw DeviceFault.lost(address, "asking the program", cause: stream.errorTail())
    }
    switch stream.readLine(until: deadline) {
    case .line(let line):
      let answer = try locating(address.text) { try JSON(parsing: line) }
      if let error = answer["error"].flatMap(Diagnostic.init(json:)) { throw error }
      guard let facts = answer["facts"], facts.pairs != nil else {
        throw DeviceFault.refused(address, "telling of itself", String(line.prefix(200)))
      }
      return DeviceFacts(program: facts)
    case .timeout: throw DeviceFault.silent(address, "asking the program", patience)
    case .end, .tooLong:
      throw DeviceFault.lost(address, "asking the program", cause: stream.errorTail())
    }
  }

  public func reconnect() {}

  public func close() {}
}

extension DeviceFacts {
  /// Facts as a program tells them.
  init(program json: JSON) {
    self.init()
    transport = "program"
    architecture = json["architecture"]?.string
    model = json["model"]?.string
    processor = json["processor"]?.string
    processorCount = json["processorCount"]?.int
    memoryBytes = json["memoryBytes"]?.int
    system = json["system"]?.string
    kernel = json["kernel"]?.string
    emulator = json["emulator"]?.string
    for (key, value) in json["further"]?.pairs ?? [] { further[key] = value.string }
  }
}

/// Programs of the configuration file that stand for devices.
public struct ProgramDriver: DeviceDriver {
  /// Makes the driver.
  public init() {}
  public var scheme: String { "program" }
  public var summary: String { "programs of yours that speak the runner's lines" }

  /// How many are registered, and whether each can be started.
  public func probe() -> Availability {
    let programs = ((try? DeviceBook.read())?.entries ?? []).filter {
      !$0.settings.program.isEmpty
    }
    let missing = programs.filter { entry in
      guard let path = entry.settings.program.first, path.contains("/") else { return false }
      return !Host.exists(path)
    }
    if let first = missing.first {
      return .unavailable(
        reason: "the program of '\(first.name)' is not there: \(first.settings.program[0])",
        remedy: "mend \(DeviceBook.fileName) in \(AssayHome.path)"
      )
    }
    return .available(
      version: programs.isEmpty
        ? "none registered in \(DeviceBook.fileName)"
        : programs.map(\.name).joined(separator: ", ")
    )
  }

  public func list(_ book: DeviceBook) -> [DeviceListing] {
    book.entries.filter { $0.address.scheme == scheme }.map { entry in
      DeviceListing(
        address: entry.address,
        name: entry.name,
        note: Words.shell(entry.settings.program)
      )
    }
  }

  public func open(_ address: DeviceAddress, _ settings: DeviceSettings) throws -> any Device {
    try ProgramDevice(address, settings)
  }
}
