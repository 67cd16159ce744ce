import AssayBase
import AssayDevice
import AssayHost

/// Machines and boards with an ssh server.
public struct SSHDriver: DeviceDriver {
  /// Makes the driver.
  public init() {}

  public var scheme: String { "ssh" }

  public var summary: String { "machines and boards with an ssh server" }

  /// Whether there is an `ssh` that shares connections.
  public func probe() -> Availability {
    let result = try? ProcessCommand.run("/usr/bin/env", ["ssh", "-V"], seconds: 5)
    guard let words = result?.errors, words.hasPrefix("OpenSSH") else {
      return .unavailable(
        reason: "there is no OpenSSH client",
        remedy: "apt-get install openssh-client"
      )
    }
    let version = words.split(whereSeparator: { ", \n".contains($0) }).first ?? ""
    return .available(version: String(version))
  }

  /// Those of the configuration file: a network is not searched.
  public func list(_ book: DeviceBook) -> [DeviceListing] {
    book.entries.filter { $0.address.scheme == scheme }.map { entry in
      DeviceListing(address: entry.address, name: entry.name, note: "not asked", isSeen: false)
    }
  }

  public func open(_ address: DeviceAddress, _ settings: DeviceSettings) throws -> any Device {
    try SSHDevice(address, settings)
  }
}
