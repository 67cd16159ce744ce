import AssayBase
import AssayHost

/// This machine, driven as if it were a device: the runner in a folder of its own.
public final class LocalDevice: ShellDevice {
  public let address = DeviceAddress.local
  public let transport = "local"
  public let scratchRoot: String

  /// This machine, with its temporary folder as the place for ours.
  public init(_ settings: DeviceSettings = DeviceSettings()) {
    scratchRoot = settings.root ?? Host.environment("TMPDIR") ?? "/tmp"
  }

  public func run(_ script: String, seconds: Double) throws -> CommandResult {
    guard let result = try ProcessCommand.run("/bin/sh", ["-c", script], seconds: seconds) else {
      throw DeviceFault.silent(address, "a command", seconds)
    }
    return result
  }

  public func open(_ script: String) throws -> any DeviceStream {
    try ProcessStream("/bin/sh", ["-c", script])
  }

  public func push(
    _ file: String,
    to path: String,
    isExecutable: Bool,
    seconds: Double?
  ) throws {
    try copy(file, path)
    if isExecutable { try Host.makeProgram(path) }
  }

  public func pull(_ path: String, to file: String, seconds: Double?) throws {
    try copy(path, file)
  }

  private func copy(_ from: String, _ to: String) throws {
    do {
      try AtomicFile.write([try MappedFile(path: from).view], to: to, isSynced: false)
    } catch let error as Diagnostic {
      throw DeviceFault.refused(address, "copying a file", error.description)
    }
  }

  public func reconnect() {}

  public func close() {}
}

/// This machine.
public struct LocalDriver: DeviceDriver {
  /// Makes the driver.
  public init() {}
  public var scheme: String { "local" }
  public var summary: String { "this machine" }
  public func probe() -> Availability { .available(version: "this machine") }
  public func list(_ book: DeviceBook) -> [DeviceListing] {
    let machine = MachineInfo.current()
    return [
      DeviceListing(
        address: .local,
        note: "\(machine.processor ?? machine.architecture), \(machine.processorCount) processors"
      )
    ]
  }
  public func open(_ address: DeviceAddress, _ settings: DeviceSettings) -> any Device {
    LocalDevice(settings)
  }
}
