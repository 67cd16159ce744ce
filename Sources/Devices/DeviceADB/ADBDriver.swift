import AssayADB
import AssayBase
import AssayDevice

/// Phones, tablets and boards with Android's debug bridge.
public struct ADBDriver: DeviceDriver {
  private let server: ADBServer?

  /// Makes the driver; `nil` for the server that the environment names.
  public init(server: ADBServer? = nil) { self.server = server }

  public var scheme: String { "adb" }

  public var summary: String { "phones, tablets and boards with Android" }

  /// Whether there is a server, or a program that starts one.
  public func probe() -> Availability {
    do {
      let server = try server ?? ADBServer.standard()
      if let version = try? server.version() {
        let count = (try? server.devices().count) ?? 0
        return .available(
          version: "server \(version), \(count) phone\(count == 1 ? "" : "s")"
        )
      }
      let program = try ADBProgram.find()
      return .available(version: "adb \(program.version() ?? "of unknown version"), not started")
    } catch {
      return Availability(unavailableBecauseOf: error, remedy: "apt install adb")
    }
  }

  /// The phones that a running server knows; none is started for it.
  public func list(_ book: DeviceBook) -> [DeviceListing] {
    let entries = (try? (try server ?? ADBServer.standard()).devices()) ?? []
    return entries.compactMap { entry in
      guard let address = try? DeviceAddress("adb:\(entry.serial)") else { return nil }
      let model = entry.details["model"].map { $0.replacing("_", with: " ") }
      return DeviceListing(
        address: address,
        name: book.entries.first { $0.address == address }?.name,
        note: [model, entry.transport.rawValue].compactMap(\.self).joined(separator: ", "),
        obstacle: entry.obstacle
      )
    }
  }

  public func open(_ address: DeviceAddress, _ settings: DeviceSettings) throws -> any Device {
    let server = try server ?? ADBServer.standard()
    if (try? server.version()) == nil { try ADBProgram.find().start(server) }
    return try ADBDevice(address, settings, server: server)
  }
}
